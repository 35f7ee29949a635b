"""`./ci/test` with arguments: pytest on this project, with the exit codes of all commands."""

import sys
from collections.abc import Sequence

import pytest

from ci.support import cli
from ci.support.exit_codes import ExitCode

EXIT_CODES = {
    pytest.ExitCode.OK: ExitCode.GO,
    pytest.ExitCode.TESTS_FAILED: ExitCode.NO_GO,
    pytest.ExitCode.INTERRUPTED: ExitCode.UNDECIDED,
    pytest.ExitCode.INTERNAL_ERROR: ExitCode.CRASH,
    pytest.ExitCode.USAGE_ERROR: ExitCode.USAGE,
    pytest.ExitCode.NO_TESTS_COLLECTED: ExitCode.UNDECIDED,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run pytest. Exits with 1 if a test failed, and with 2 if none ran or not all did."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    return cli.guard(
        lambda: EXIT_CODES[pytest.ExitCode(pytest.main(arguments))],
        crashed="test-crashed: see above",
        interrupted="interrupted: not all tests ran",
    )
