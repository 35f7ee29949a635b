"""One variant of the reference services, judged by the suites in a worker that is started once for many."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS
from fixtures.faults import Fault
from fixtures.faults import named as fault_named
from fixtures.faults.base import END_TO_END, LIFE
from fixtures.faults.scoring import Caught, Ran, Tolerated, is_of_cleaner
from fixtures.faults.tolerant import named as tolerant_named
from fixtures.results import ledger

COMPAT, SELFCHECK = "suites/compat", "suites/selfcheck"
LIMIT_S = 300
"""How long one run of a file may take."""

QUIET = ("-q", "--assert=plain", "-p", "no:logging")
"""Nothing is rewritten: a worker has imported all of it before."""

EXAMPLES = {LIFE: 40}
"""Where more must be drawn than elsewhere: a life is short, and few faults show in most of them."""


class TooLong(BaseException):
    """A run that does not end: no Exception, so that no test can catch it."""


@dataclass(frozen=True)
class Asked:
    """How to look: what is drawn, whether to try without the claimed checks, and which check to take away."""

    examples: int
    seed: int
    whole: bool
    without: tuple[str, ...] = ()


def catch(name: str, asked: Asked) -> Caught:
    """Look for a fault until the first finding; then, if asked to, go without the checks that claim it."""
    fault = fault_named(name)
    told = [*where(fault), f"--variant={name}", f"--seed={asked.seed}"]
    much = f"--examples={EXAMPLES.get(fault.caught_by, asked.examples)}"
    first = run([*told, much, *without(fault, asked.without), *until_found(fault)])
    if not asked.whole:
        return Caught(name, first, None)
    # Nothing is left that could find a rare life, so that to live fewer of them proves as much.
    usual = f"--examples={asked.examples}"
    return Caught(name, first, run([*told, usual, *without(fault, fault.checks), "--exitfirst"]))


def tolerate(name: str, seed: int, examples: int) -> Tolerated:
    """Run the compat suites with a right variant, which must be go."""
    told = [f"--variant={name}", f"--examples={examples}", f"--seed={seed}"]
    return Tolerated(name, seed, run([COMPAT, "-m", "not process", *told, *wherever(name)]))


def wherever(name: str) -> list[str]:
    """The options that leave out what a right variant has no part in: it would be judged again and again."""
    variant = tolerant_named(name)
    others = [one for one in PROVIDERS if one not in variant.services]
    narrowed = ["-k", f"not ({' or '.join(others)})"] if others else []
    in_memory = (END_TO_END, LIFE) if variant.wire else ()  # where there is no wire
    return [*narrowed, *(f"--ignore={COMPAT}/{file}" for file in in_memory)]


def until_found(fault: Fault) -> list[str]:
    """The option to stop at the first test that fails, but where the others cost nothing and say more.

    The cleaner's tests take no time, and those that fail are its checks; a world is pushed through once.
    """
    return [] if is_of_cleaner(fault) or fault.caught_by == END_TO_END else ["--exitfirst"]


def where(fault: Fault) -> list[str]:
    """The tests that must find a fault."""
    if is_of_cleaner(fault):
        return [f"{SELFCHECK}/{fault.caught_by}"]
    selected = ["-k", fault.where] if fault.where else []
    return [f"{COMPAT}/{fault.caught_by}", "-m", "not process", *selected]


def without(fault: Fault, checks: Sequence[str]) -> list[str]:
    """The options that take checks away."""
    if not is_of_cleaner(fault):
        return [f"--without={check}" for check in checks]
    return ["-k", f"not ({' or '.join(checks)})"] if checks else []


def run(arguments: Sequence[str]) -> Ran:
    """Run the suites here, and read from the ledger what they found."""
    import pytest  # noqa: PLC0415 - only workers need it

    with tempfile.TemporaryDirectory(prefix="fcm-selfcheck-") as folder, within(LIMIT_S):
        record = Path(folder) / "ledger.jsonl"
        told = [f"--ledger={record}", f"--rootdir={ROOT}", f"--config-file={ROOT / 'pyproject.toml'}"]
        began = time.monotonic()
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
            status = int(pytest.main([*arguments, *told, *QUIET]))
        seconds = time.monotonic() - began
        lines = ledger.read(record).tests if record.is_file() else []
    found = tuple(finding for line in lines for finding in line.get("findings", ()))
    broken = tuple(
        (str(line["test"]), str(line.get("message") or line["result"]))
        for line in lines
        if line["result"] != "passed" and not line.get("findings")
    )
    if not lines:
        broken = (("", said.getvalue()[-2000:]),)
    overlooked = tuple(frozenset(line["overlooked"]) for line in lines if "overlooked" in line)
    return Ran(len(lines), found, broken, overlooked, status, seconds)


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise TooLong in what takes longer."""

    def stop(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def prepare() -> None:
    """Stand where pytest must stand; a worker does so once."""
    os.chdir(ROOT)
