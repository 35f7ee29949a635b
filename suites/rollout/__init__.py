"""Whether the order of the release is safe, and whether the judge of that can be trusted."""
