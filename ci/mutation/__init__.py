"""Mutants of the services, the checks and the cleaner: made by mutmut, and noticed by our own suites."""
