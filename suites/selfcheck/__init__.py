"""The suite that tests the suite."""
