"""Exit codes of the commands; a usage error never looks like a verdict."""

GO = 0
NO_GO = 1
UNDECIDED = 2
USAGE = 64
DATA = 65
UNAVAILABLE = 69
CRASH = 70
INTERRUPTED = 130
