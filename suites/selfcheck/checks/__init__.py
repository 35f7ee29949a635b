"""Self-checks of fixtures/checks."""
