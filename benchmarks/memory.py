"""`python -m benchmarks.memory --reports N`: the most memory of a deep run of N reports, ledger included.

With --gate, of a whole gate instead. Providers of a deep run are in memory. Printed are the most that any
one process had, as the system counts it, and where the system tells (Linux), the most that all of them had
together, looked at twice a second; pages that several share count once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from fixtures.core.project import ROOT
from fixtures.faults.tolerant import TOLERANT

LOOK_EVERY_S = 0.5
PROC = Path("/proc")
VARIANT = next(one.name for one in TOLERANT if one.service == "subscribers-errors" and not one.wire)
"""Any right variant runs in memory, where the reference services would run beside."""


def command(options: argparse.Namespace, folder: str) -> list[str]:
    """The deep run."""
    return [
        *(sys.executable, "-m", "ci.commands.deep", "--budget=12h", f"--reports={options.reports}"),
        *(f"--seed={options.seed}", f"--examples={options.examples}", f"-n={options.workers}"),
        *(f"--build={folder}", f"--variant={VARIANT}", "--only=not end_to_end and not life"),
    ]


def gate(options: argparse.Namespace, folder: str) -> list[str]:
    """The gate."""
    return [
        *(sys.executable, "-m", "ci.commands.gate", f"--build={folder}"),
        *(f"--seed={options.seed}", f"-n={options.workers}"),
    ]


def together_mb(root: int) -> float:
    """What a process and all below it have in memory now; 0 where the system does not tell."""
    parents: dict[int, int] = {}
    for status in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):  # it may have ended meanwhile
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    family = {root}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(map(_own_mb, family))


def _own_mb(process: int) -> float:
    with contextlib.suppress(OSError):
        for line in (PROC / str(process) / "smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    return 0.0


def watched(command: Sequence[str]) -> tuple[float, float]:
    """Run it, and look: the most that all its processes had together, in MB, and how many seconds it took."""
    began, most = time.monotonic(), 0.0
    with subprocess.Popen(command, cwd=ROOT) as process:  # noqa: S603  our own, no shell
        while process.poll() is None:
            most = max(most, together_mb(process.pid))
            time.sleep(LOOK_EVERY_S)
    if process.returncode:
        raise SystemExit(f"run-failed: exit {process.returncode}; see above")
    return round(most, 1), round(time.monotonic() - began, 1)


def of_gate(options: argparse.Namespace) -> Mapping[str, float]:
    """What a gate took."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-memory-") as folder:
        most, took = watched(gate(options, folder))
        verdict = json.loads((Path(folder) / "verdict.json").read_text(encoding="utf-8"))
    greatest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    return {
        "reports": verdict["reports"],
        "seconds": took,
        "greatest process, MB": round(greatest, 1),
        "all together, MB": most,
    }


def measured(options: argparse.Namespace) -> Mapping[str, float]:
    """What a deep run took."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-memory-") as folder:
        most, took = watched(command(options, folder))
        result = json.loads((Path(folder) / "deep" / "deep.json").read_text(encoding="utf-8"))
        ledger = (Path(folder) / "deep" / "ledger.jsonl").stat().st_size
    return {
        "reports": result["reports"],
        "rounds": result["rounds"],
        "behaviours": result["behaviours"],
        "seconds": took,
        "greatest process, MB": result["memory_mb"]["greatest_process"],
        "command, MB": result["memory_mb"]["command"],
        "all together, MB": most,
        "ledger of a round, MB": round(ledger / 1e6, 2),
    }


def main() -> None:
    """Print a row for each figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--examples", type=int, default=20, help="batches for each test in each round")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-n", dest="workers", type=int, default=1)
    parser.add_argument("--gate", action="store_true", help="a gate, instead of a deep run")
    options = parser.parse_args()
    for name, figure in (of_gate(options) if options.gate else measured(options)).items():
        print(f"{name:24} {figure:12,.10g}")


if __name__ == "__main__":
    main()
