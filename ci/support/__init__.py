"""What several commands share: command line, sharding, processes."""
