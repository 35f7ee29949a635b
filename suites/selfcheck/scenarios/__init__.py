"""Self-checks of fixtures/scenarios."""
