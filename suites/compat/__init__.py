"""One file for each promise about subscribers, tested at every provider."""
