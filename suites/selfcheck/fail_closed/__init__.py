"""Everything that may go wrong around a run, so that none of it is ever taken for a *go*."""
