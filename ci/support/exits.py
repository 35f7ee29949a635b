"""Exit codes of the commands; a usage error never looks like a verdict."""

import sys
import traceback

from fixtures.core import redaction

GO = 0
NO_GO = 1
UNDECIDED = 2
USAGE = 64
DATA = 65
UNAVAILABLE = 69
CRASH = 70
INTERRUPTED = 130


def crashed(said: str) -> int:
    """Tell of a crash of our own, without what must not be read by everybody; CRASH."""
    print(redaction.text(traceback.format_exc()), file=sys.stderr)
    print(said, file=sys.stderr)
    return CRASH
