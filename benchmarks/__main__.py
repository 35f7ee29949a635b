"""`./ci/bench`: how fast every part is, beside a bound of the same run, and what changed since the last run.

Writes build/bench.json, and with --keep benchmarks/results.json and docs/benchmarks.md. Machines are noisy:
compare ratios, not seconds. The exit code is 0 whatever is measured; nothing depends on a speed.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import imports, measures
from benchmarks.measurement import Measurement
from benchmarks.page import PAGE, format_page, format_table, read_results
from benchmarks.peers import generation
from benchmarks.peers import page as peers_page
from ci.support.cli import Answer, command
from ci.support.command_line import CommandParser
from fixtures.core.errors import sort_by_similarity
from fixtures.core.project import BUILD, ROOT

RESULTS = ROOT / "benchmarks" / "results.json"
MEASURES: Mapping[str, Callable[[int], Iterator[Measurement]]] = {
    "validation": measures.measure_validation,
    "matching": measures.measure_matching,
    "generation": measures.measure_generation,
    "peer": generation.measure_speed,
    "variety": generation.measure_variety,
    "loop": measures.measure_check_loop,
    "import": imports.measure_import,
    "start": measures.measure_start,
    "selfcheck": measures.measure_selfcheck,
    "rollout": measures.measure_rollout,
    "gate": measures.measure_gate,
}
# Fewer rounds of what takes long.
MOST_ROUNDS = {"start": 5, "selfcheck": 1, "rollout": 3, "gate": 3, "peer": 3, "variety": 3, "import": 3}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, compare and write; `peers` is a page of its own."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "peers" in arguments:
        return peers_page.main([word for word in arguments if word != "peers"])
    return measure(arguments)


@command("bench")
def measure(parser: CommandParser, options: argparse.Namespace) -> Answer:
    check_options(parser, options)
    rows: list[Measurement] = []
    for name in options.measures:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += MEASURES[name](min(options.rounds, MOST_ROUNDS.get(name, options.rounds)))
    print(format_table(rows, read_results(RESULTS) if RESULTS.exists() else None))
    results = {"machine": describe_machine(), "rows": [row.to_json() for row in rows]}
    BUILD.mkdir(exist_ok=True)
    write_json(BUILD / "bench.json", results)
    if options.keep:
        write_json(RESULTS, results)
        PAGE.write_text(format_page(read_results(RESULTS)), encoding="utf-8")
    return Answer(0, results)


def check_options(parser: CommandParser, options: argparse.Namespace) -> None:
    for name in options.measures:
        if name not in MEASURES:
            parser.error(
                f"unknown-measure: {name!r}: allowed: {', '.join(sort_by_similarity(name, MEASURES))}"
            )
    if options.rounds < 1:
        parser.error("--rounds takes a whole number of 1 or more")
    if options.keep and options.measures:
        parser.error("--keep takes all measures: the page is of one run")
    options.measures = options.measures or list(MEASURES)


def describe_machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 1),
        "date": datetime.now(UTC).date().isoformat(),
    }


def write_json(path: Path, results: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
