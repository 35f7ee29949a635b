"""How a run in shards behaves: predicted from recorded durations, and measured."""
