"""Self-checks of fixtures/contracts."""
