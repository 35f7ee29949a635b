"""The rounds of ./ci/deep and their result."""
