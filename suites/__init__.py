"""Pytest suites: choose inputs, deliver them, let a check judge."""
