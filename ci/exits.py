"""Exit codes of the commands; a usage error never looks like a verdict."""

GO = 0
NO_GO = 1
UNDECIDED = 2
USAGE = 64
DATA = 65
CRASH = 70
