"""Render the files that `./ci/regenerate` writes."""
