"""One variant of the reference services, judged by the suites in a worker that is started once for many."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures import ledger
from fixtures.faults import Fault
from fixtures.faults import named as fault_named
from fixtures.faults.fault import LIFE

ROOT = Path(__file__).resolve().parent.parent
COMPAT = "suites/compat"
LIMIT_S = 300
"""How long one run of a file may take."""

QUIET = ("-q", "--assert=plain", "-p", "no:logging")
"""Nothing is rewritten: a worker has imported all of it before."""

EXAMPLES = {LIFE: 16}
"""Where more must be drawn than elsewhere: a life is short, and few faults show in most of them."""


class TooLong(BaseException):
    """A run that does not end: no Exception, so that no test can catch it."""


@dataclass(frozen=True)
class Ran:
    """What a run of the suites with a variant came to."""

    tests: int
    findings: tuple[dict[str, Any], ...]
    broken: tuple[str, ...]
    exit_status: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether tests ran, and all of them passed."""
        return self.exit_status == 0 and self.tests > 0 and not self.findings and not self.broken

    @property
    def why(self) -> str:
        """Why a run found nothing, as far as it can tell."""
        return self.broken[0] if self.broken else f"{self.tests} tests passed, exit {self.exit_status}"

    @property
    def checks(self) -> tuple[str, ...]:
        """Which checks found something."""
        return tuple(sorted({finding["check"] for finding in self.findings}))


@dataclass(frozen=True)
class Caught:
    """How a fault was noticed, and what was found when the checks that claim it were taken away."""

    fault: str
    first: Ran
    without: Ran | None

    @property
    def seconds(self) -> float:
        """How long it took to the first finding."""
        return self.first.seconds

    @property
    def is_right(self) -> bool:
        """Whether the claimed checks found it, and nothing else of the file finds it without them."""
        return self.trouble is None

    @property
    def trouble(self) -> str | None:
        """What is wrong with the claim, if anything."""
        claimed = fault_named(self.fault).checks
        if not self.first.findings:
            return f"not caught: {self.first.why}"
        if strange := set(self.first.checks) - set(claimed):
            return f"found by {', '.join(sorted(strange))} as well, which does not claim it"
        if self.without is None or self.without.is_clean:
            return None
        others = ", ".join(self.without.checks) or self.without.why
        return f"found without {', '.join(claimed)} as well: {others}"

    @property
    def word(self) -> str:
        """What it came to, for people."""
        return self.trouble or "caught"

    @property
    def shrunk(self) -> int:
        """The size of the smallest payload that shows it, as JSON in bytes."""
        sent = self.first.findings[0]["sent"] if self.first.findings else None
        return len(json.dumps(sent, separators=(",", ":")))


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
    told = [
        f"--variant={name}",
        f"--examples={EXAMPLES.get(fault.caught_by, asked.examples)}",
        f"--seed={asked.seed}",
    ]
    told += [f"--without={check}" for check in asked.without]
    first = run([*where(fault), *told, "--exitfirst"])
    overlooked = [f"--without={check}" for check in fault.checks]
    without = run([*where(fault), *told, *overlooked, "--exitfirst"]) if asked.whole else None
    return Caught(name, first, without)


def where(fault: Fault) -> list[str]:
    """The tests that must find a fault."""
    selected = ["-k", fault.where] if fault.where else []
    return [f"{COMPAT}/{fault.caught_by}", "-m", "not process", *selected]


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
        str(line.get("message") or line["result"])
        for line in lines
        if line["result"] != "passed" and not line.get("findings")
    )
    return Ran(len(lines), found, broken if lines else (said.getvalue()[-2000:],), status, seconds)


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
