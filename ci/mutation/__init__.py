"""Mutants that nobody chose: made by mutmut's operators, killed by our own suites."""
