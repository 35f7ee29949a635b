"""`python -m benchmarks.shards`: the gate in 1, 2, 4 and 8 shards, predicted and measured; for docs/scale.md.

Shards run one after the other, each with the whole machine, as if it had one of its own; the run is as fast
as the slowest of them, and the merge comes on top. What is predicted comes from the run that was not cut,
before any other is made. `--predict LEDGER` measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.pages import put
from benchmarks.shards import scaling
from benchmarks.shards.prediction import Costs, costs_of, predict
from ci.support import test_selection
from fixtures.core.project import ROOT
from fixtures.results import ledger

PAGE = ROOT / "docs" / "scale.md"
SHARDS = "<!-- shards: measured by python -m benchmarks.shards -->", "<!-- shards: end -->"
COSTS = "<!-- costs: of the same run -->", "<!-- costs: end -->"
AHEAD = (16, 32, 64, 128)
"""What nobody measures here is predicted only."""


@dataclass(frozen=True)
class Measured:
    """A run in so many shards: seconds of each, of the merge, and how it ended."""

    shards: Sequence[float]
    merge: float
    verdict: str
    predicted: float

    def row(self) -> str:
        """A line of the table."""
        slowest, balance = max(self.shards), max(self.shards) / statistics.mean(self.shards)
        error = f"{100 * (self.predicted / slowest - 1):+.0f} %"
        seconds = (
            f"{self.predicted:.1f} | {slowest:.1f} | {error} | {self.merge:.1f} | {sum(self.shards):.0f}"
        )
        return f"| {len(self.shards)} | {seconds} | {balance:.2f} | {self.verdict} |"


def timed(module: str, *arguments: str) -> float:
    """How long a command takes that must not be misused and must not crash."""
    command = [sys.executable, "-m", module, *arguments]
    started = time.perf_counter()
    with (ROOT / "build" / "shards-benchmark.log").open("a", encoding="utf-8") as log:
        status = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False).returncode  # noqa: S603
    if status not in (0, 1, 2):
        raise SystemExit(f"benchmark-broken: {' '.join(command)}: exit {status}; see {log.name}")
    return time.perf_counter() - started


def collected() -> list[str]:
    """All tests of the gate, in the order in which they are cut."""
    command = [sys.executable, "-m", "pytest", *test_selection.arguments(), "--collect-only", "-q"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  our own
    return [line for line in found.stdout.splitlines() if "::" in line]


def whole(build: Path, workers: int) -> tuple[float, float]:
    """The run that is not cut, which records how long each test takes; seconds of the shard and the merge."""
    seconds = timed("ci.commands.gate", "--shard=1/1", "--run=1", f"--build={build}/1/1", f"-n={workers}")
    return seconds, timed("ci.commands.merge", "--run=1", f"{build}/1", f"--build={build}/merged-1")


def run(of: int, build: Path, workers: int, predicted: float) -> Measured:
    """A run in so many shards, one after the other."""
    common = [f"--run={of}", f"--durations={build}/merged-1/history/durations.json", f"-n={workers}"]
    shards = [
        timed("ci.commands.gate", f"--shard={number}/{of}", f"--build={build}/{of}/{number}", *common)
        for number in range(1, of + 1)
    ]
    merge = timed("ci.commands.merge", f"--run={of}", f"{build}/{of}", f"--build={build}/merged-{of}")
    return Measured(shards, merge, verdict_of(build / f"merged-{of}"), predicted)


def verdict_of(build: Path) -> str:
    """What a merge came to."""
    return str(json.loads((build / "verdict.json").read_text(encoding="utf-8"))["verdict"])


def measured(
    counts: Sequence[int], build: Path, workers: int
) -> tuple[dict[int, Measured], Costs, list[str]]:
    """Each number of shards, measured after it was predicted."""
    seconds, merge = whole(build, workers)
    costs = costs_of(ledger.read(build / "1" / "1" / "ledger.jsonl"), seconds, workers)
    tests = collected()
    foretold = {of: predict(tests, costs, of).wall for of in (1, *counts)}
    found = {1: Measured([seconds], merge, verdict_of(build / "merged-1"), foretold[1])}
    for of in counts:
        found[of] = run(of, build, workers, foretold[of])
        print(found[of].row(), flush=True)
    return found, costs, tests


def table(found: dict[int, Measured], costs: Costs, tests: Sequence[str]) -> str:
    """What was measured, and what is predicted beyond."""
    ahead = {of: predict(tests, costs, of) for of in AHEAD}
    longest = max(costs.recorded.values())
    work = (
        f"{len(tests)} tests, {sum(costs.recorded.values()):.0f} s of them, {costs.workers} workers a shard"
    )
    limits = f"{costs.fixed:.1f} s of each shard are no test; the longest test takes {longest:.1f} s."
    return "\n".join(
        [
            f"{work}; {limits}",
            "",
            "| shards | predicted s | measured s | error | merge s | machine s | slowest / mean | verdict |",
            "|---:|---:|---:|---:|---:|---:|---:|---|",
            *(one.row() for one in found.values()),
            *(
                f"| {of} | {one.wall:.1f} | - | - | - | {one.machine:.0f} | - | - |"
                for of, one in ahead.items()
            ),
        ]
    )


def costs_told(ran: ledger.Ledger, costs: Costs) -> str:
    """What one more provider, or shard, would cost."""
    if not scaling.of_providers(ran):
        return "This ledger has no test of a case at a provider: it is of no whole run."
    started = time.perf_counter()
    collected()
    return scaling.table(ran, costs, time.perf_counter() - started)


def main() -> int:
    """Measure, or only predict."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shards", description=__doc__)
    parser.add_argument("--shards", type=int, nargs="+", default=[2, 4, 8], help="numbers (default 2 4 8)")
    parser.add_argument("-n", dest="workers", type=int, default=max(1, min(os.cpu_count() or 1, 8)))
    parser.add_argument("--predict", type=Path, metavar="LEDGER", help="of a whole run; measures nothing")
    asked = parser.parse_args()
    if asked.predict:
        ran = ledger.read(asked.predict)
        costs = costs_of(ran, ran.duration_s, asked.workers)
        print(table({}, costs, [test for test in collected() if test in costs.own]))
        print(costs_told(ran, costs))
        return 0
    build = ROOT / "build" / "shards"
    build.mkdir(parents=True, exist_ok=True)
    found, costs, tests = measured(asked.shards, build, asked.workers)
    rows = {str(of): asdict(one) for of, one in found.items()}
    (build / "measured.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    text = table(found, costs, tests)
    put(PAGE, text, *SHARDS)
    print(text)
    told = costs_told(ledger.read(build / "1" / "1" / "ledger.jsonl"), costs)
    put(PAGE, told, *COSTS)
    print(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
