"""What several commands share: command line, artifacts, sharding, processes."""
