"""Self-checks of fixtures/release."""
