"""What is measured, side by side and as ratios; nothing here is asserted."""
