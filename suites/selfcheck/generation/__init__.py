"""Self-checks of fixtures/generation."""
