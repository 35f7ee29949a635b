"""Ends of the gate that no test comes to: nothing can be written or proved."""

from __future__ import annotations

import contextlib
import errno
import sys
from pathlib import Path

from ci.support import exits
from fixtures.core import schemas, terminal
from fixtures.core.catalogue import Catalogue
from fixtures.results import ledger, policy, verdict_file

NOT_WRITABLE = {
    getattr(errno, name)
    for name in (
        "ENOSPC",
        "EDQUOT",
        "EFBIG",
        "EROFS",
        "EACCES",
        "EPERM",
        "EIO",
        "EEXIST",
        "ENOTDIR",
        "EISDIR",
    )
}


def at_once(file: Path, reason: str) -> int:
    """Be undecided before anything ran."""
    nothing = ledger.Ledger({}, (), ())
    first = reason.splitlines()[0]
    with contextlib.suppress(schemas.SchemaError):  # without schemas, no verdict.json has one to satisfy
        said = policy.decide(nothing, policy.NOTHING_ASKED, Catalogue(()), duration_s=0, trouble=[first])
        verdict_file.write(file, said)
    print(f"{terminal.verdict_line('undecided', color=sys.stdout.isatty())}\n  because {reason}", flush=True)
    return exits.UNDECIDED


def not_written(error: OSError) -> int:
    """Say that nothing can be said, since nothing can be written; any other trouble is a crash."""
    if error.errno not in NOT_WRITABLE:
        raise error
    print(terminal.verdict_line("undecided", color=sys.stdout.isatty()))
    print(f"  because cannot-write: {error.filename or 'a file'}: {error.strerror}", flush=True)
    return exits.UNDECIDED
