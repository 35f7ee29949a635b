"""The commands of ci/, one module each."""
