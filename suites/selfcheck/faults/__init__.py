"""Self-checks of fixtures/faults."""
