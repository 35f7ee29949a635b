"""Self-checks of fixtures/targets."""
