"""`./ci/bench`: how fast everything is, beside a bound of the same run, and what changed since the last one.

Writes build/bench.json, and with --keep benchmarks/results.json, docs/benchmarks.md and its chart. A machine
has a mood: compare ratios, not seconds. Exits 0 whatever is found; nothing depends on a speed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.bench import pages, parts, peer, wholes
from benchmarks.bench.rows import Row
from ci.support.cli import Arguments
from fixtures.core.project import ROOT

KEPT = ROOT / "benchmarks" / "results.json"
MEASURES: Mapping[str, Callable[[int], Iterator[Row]]] = {
    "validation": parts.validation,
    "matching": parts.matching,
    "generation": parts.generation,
    "peer": peer.generation,
    "variety": peer.variety,
    "faults": peer.faults,
    "loop": parts.the_loop,
    "raw": parts.raw_client,
    "start": wholes.start,
    "selfcheck": wholes.selfcheck,
    "rollout": wholes.rollout,
    "gate": wholes.gate,
    "workers": wholes.workers,
}
ROUNDS = {
    "start": 5,
    "selfcheck": 1,
    "rollout": 3,
    "gate": 3,
    "workers": 3,
    "peer": 3,
    "variety": 3,
    "faults": 1,
}
"""Rounds of what takes long; everything else has as many as are asked for."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, compare, write."""
    options = options_of(argv)
    rows: list[Row] = []
    for name in options.measures:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += MEASURES[name](min(options.rounds, ROUNDS.get(name, options.rounds)))
    last = pages.read(KEPT) if KEPT.exists() else None
    print(pages.table(rows, last))
    found = {"machine": machine(), "rows": [row.to_json() for row in rows]}
    (ROOT / "build").mkdir(exist_ok=True)
    write(ROOT / "build" / "bench.json", found)
    if options.keep:
        write(KEPT, found)
        for path, text in pages.rendered(pages.read(KEPT)).items():
            path.write_text(text, encoding="utf-8")
    return 0


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = Arguments(prog="./ci/bench", description=__doc__)
    add = parser.add_argument
    add("measures", nargs="*", metavar="NAME", help=f"only these: {', '.join(MEASURES)} (default: all)")
    add("--rounds", type=int, default=7, help="pairs of runs whose median counts (default 7)")
    add("--keep", action="store_true", help="write the results that are committed, with their page")
    options = parser.parse_args(argv)
    for name in options.measures:
        if name not in MEASURES:
            parser.error(f"unknown-measure: {name!r}: allowed: {', '.join(MEASURES)}")
    if options.rounds < 1:
        parser.error("--rounds takes a whole number of 1 or more")
    if options.keep and options.measures:
        parser.error("--keep takes all measures: the page is of one run")
    options.measures = options.measures or list(MEASURES)
    return options


def machine() -> dict[str, Any]:
    """What it was measured on, and when."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 1),
        "date": datetime.now(UTC).date().isoformat(),
    }


def write(path: Path, found: Mapping[str, Any]) -> None:
    """Write results as JSON."""
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
