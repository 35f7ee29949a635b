"""What consumers declare, and whether providers honour it."""
