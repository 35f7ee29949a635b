"""Self-checks of fixtures/platform."""
