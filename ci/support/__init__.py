"""What several commands share: command line, progress, artifacts, sharding."""
