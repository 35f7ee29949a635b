"""Self-checks of fixtures/results."""
