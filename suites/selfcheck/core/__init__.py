"""Self-checks of fixtures/core."""
