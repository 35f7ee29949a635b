"""One file per promise: what must become of a subscriber, at every provider."""
