"""Real, unmodified push packages, judged as subscribers-errors: docs/packages.md."""
