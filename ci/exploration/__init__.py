"""The rounds of ./ci/deep and what they yield."""
