"""Whole commands, each in processes of its own: cold start, self-check, rollout, and the gate."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks import check_loop
from benchmarks.bench.rows import SECONDS, Aim, Measured, Row, paired, seconds
from ci.commands.gate import EXAMPLES
from ci.support import test_selection
from fixtures.core.project import ROOT
from fixtures.scenarios.provider import Trial
from fixtures.targets.target import embedded

COLLECT = ("-m", "pytest", "suites/compat", "--collect-only", "-q")
BARE_START = ("-c", "import pytest, hypothesis, httpx, jsonschema, pact")
COLD_START_AIM = Aim("value", 1.5, least=False)
ROLLOUT_AIM = Aim("value", 20, least=False)
FIRST_FINDING_AIM = Aim("value", 3, least=False)
GATE_AIM = Aim("value", 30, least=False)
SPEED_UP_AIM = Aim("ratio", 1.8)
FAULTS = 6
LOOP = "kept = {}\nfor i in range(5_000_000): kept[i % 5000] = str(i)"
LOOPS = 5
WORKERS = 2


def took(*arguments: str) -> float:
    """How long a command of ours takes in a process of its own; it must end well."""

    def run() -> None:
        command = [sys.executable, *arguments]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
        if ran.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {ran.returncode}: {ran.stderr[-500:]}")

    return seconds(run)


def start(rounds: int) -> Iterator[Row]:
    """Until pytest knows the tests of the compat suite, beside the imports that this needs."""
    bound = ("importing the libraries", lambda: took(*BARE_START))
    yield paired("cold start", SECONDS, lambda: took(*COLLECT), bound, rounds, COLD_START_AIM)


def rollout(rounds: int) -> Iterator[Row]:
    """The whole command, beside itself on one process."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-bench-") as folder:
        whole = ("-m", "ci.commands.rollout", "--output", folder)
        bound = ("on one process", lambda: took(*whole, "--processes", "1"))
        yield paired("rollout", SECONDS, lambda: took(*whole), bound, rounds, ROLLOUT_AIM)


def selfcheck(rounds: int) -> Iterator[Row]:
    """Seconds from the first request to the first finding of a fault, beside a cold start."""
    bound = ("a cold start", lambda: took(*COLLECT))
    with tempfile.TemporaryDirectory(prefix="fcm-compat-bench-") as build:
        command = ("-m", "ci.commands.selfcheck", "--sample", str(FAULTS), "--quick", "--build", build)

        def first_finding() -> float:
            took(*command)
            found = json.loads(Path(build, "selfcheck.json").read_text(encoding="utf-8"))
            return float(statistics.median(fault["seconds"] for fault in found["faults"]))

        name = f"first finding of a fault, median of {FAULTS}"
        yield paired(name, SECONDS, first_finding, bound, rounds, FIRST_FINDING_AIM)


def gate(rounds: int) -> Iterator[Row]:
    """The whole gate, beside posting as many reports by bare httpx."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-bench-") as build:
        whole = ("-m", "ci.commands.gate", "--build", build, "-n", str(WORKERS))
        yield paired("gate", SECONDS, lambda: took(*whole), bare_posts(Path(build)), rounds, GATE_AIM)


def workers(rounds: int) -> Iterator[Row]:
    """The tests of the gate in pytest's own process, beside workers; and what processes can do here."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-bench-") as build:
        tests = ["-m", "pytest", *test_selection.arguments(), "--dist=loadgroup"]
        tests += [f"--examples={EXAMPLES}", f"--ledger={build}/ledger.jsonl"]
        alone = lambda: took(*tests, "-n", "0")  # noqa: E731
        bound = (f"with -n {WORKERS}; the ratio is the speed-up", lambda: took(*tests, "-n", str(WORKERS)))
        yield paired("the gate's tests with -n 0", SECONDS, alone, bound, rounds, SPEED_UP_AIM)
    yield paired(
        f"the bound itself: {WORKERS} loops in turn",
        SECONDS,
        lambda: seconds(lambda: [loop().wait() for _ in range(WORKERS)]),
        ("at once; they share nothing", lambda: seconds(at_once)),
        LOOPS * rounds,
    )


def loop() -> subprocess.Popen[bytes]:
    """A process that reckons and needs nobody."""
    return subprocess.Popen([sys.executable, "-c", LOOP])  # noqa: S603  our own


def at_once() -> None:
    """As many of them as workers."""
    for one in [loop() for _ in range(WORKERS)]:
        one.wait()


def bare_posts(build: Path) -> tuple[str, Measured]:
    """As many reports as the gate judged, posted by bare httpx to one provider."""
    batches = check_loop.drawn(0, 40)
    reports = sum(map(len, batches))

    def posts() -> float:
        judged = int(json.loads((build / "verdict.json").read_text(encoding="utf-8"))["reports"])
        with embedded(["directory-responses"], "after") as targets, httpx.Client() as client:
            target = targets["directory-responses"]
            bodies = check_loop.bodies(Trial(target, lambda _: ()), batches)
            return judged / reports * seconds(lambda: check_loop.bare(client, target, bodies))

    return "bare httpx, as many reports", posts
