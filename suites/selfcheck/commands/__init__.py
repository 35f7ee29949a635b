"""Self-checks of the commands in ci/."""
