"""`python -m benchmarks.memory --reports N`: the most memory of a deep run of N reports, ledger included.

Providers are in memory. Printed are the most that any one process had, as the system counts it, and where
the system tells (Linux), the most that all of them had together, looked at twice a second.
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
from collections.abc import Mapping
from pathlib import Path

from fixtures.faults.tolerant import TOLERANT
from fixtures.targets import ROOT

LOOK_EVERY_S = 0.5
PROC = Path("/proc")
VARIANT = next(one.name for one in TOLERANT if one.service == "subscribers-errors" and not one.wire)
"""Any right variant runs in memory, where the reference services would run beside."""


def command(options: argparse.Namespace, folder: str) -> list[str]:
    """The deep run."""
    return [
        *(sys.executable, "-m", "ci.deep", "--budget=12h", f"--reports={options.reports}"),
        *(f"--seed={options.seed}", f"--examples={options.examples}", f"-n={options.workers}"),
        *(f"--build={folder}", f"--variant={VARIANT}", "--only=not end_to_end and not life"),
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
    return sum(map(_resident_mb, family))


def _resident_mb(process: int) -> float:
    with contextlib.suppress(OSError, IndexError):
        return int((PROC / str(process) / "statm").read_text().split()[1]) * resource.getpagesize() / 1e6
    return 0.0


def measured(options: argparse.Namespace) -> Mapping[str, float]:
    """Run it, and look."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-memory-") as folder:
        began, most = time.monotonic(), 0.0
        with subprocess.Popen(command(options, folder), cwd=ROOT) as process:  # noqa: S603  our own, no shell
            while process.poll() is None:
                most = max(most, together_mb(process.pid))
                time.sleep(LOOK_EVERY_S)
        if process.returncode:
            raise SystemExit(f"deep-run-failed: exit {process.returncode}; see above")
        result = json.loads((Path(folder) / "deep" / "deep.json").read_text(encoding="utf-8"))
        ledger = (Path(folder) / "deep" / "ledger.jsonl").stat().st_size
    return {
        "reports": result["reports"],
        "rounds": result["rounds"],
        "behaviours": result["behaviours"],
        "seconds": round(time.monotonic() - began, 1),
        "greatest process, MB": result["memory_mb"]["greatest_process"],
        "command, MB": result["memory_mb"]["command"],
        "all together, MB": round(most, 1),
        "ledger of a round, MB": round(ledger / 1e6, 2),
    }


def main() -> None:
    """Print a row for each figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--examples", type=int, default=20, help="batches for each test in each round")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-n", dest="workers", type=int, default=1)
    for name, figure in measured(parser.parse_args()).items():
        print(f"{name:24} {figure:12,.10g}")


if __name__ == "__main__":
    main()
