"""The pytest plugins of a run."""
