"""Serves the reference services for `./ci/serve`, and prints what passes through them."""
