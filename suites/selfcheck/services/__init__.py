"""Self-checks of fixtures/services."""
