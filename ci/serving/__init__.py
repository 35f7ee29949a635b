"""What ./ci/serve starts and prints."""
