"""Commands: the gate, explain, and what keeps the generated files current."""
