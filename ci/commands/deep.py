"""`./ci/deep`: explores until a budget of time is spent, and reports what it covered and found.

Exits 0 if it found nothing, 1 if it found something, 2 if it could not run. It never gives a verdict. With
`./ci/deep --add build/deep/found.ndjson`, what was found becomes explicit examples of every gate.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ci.exploration.result import create_result, print_summary, write_result
from ci.exploration.rounds import ExplorationConfig, explore
from ci.support import cli
from ci.support.cli import CommandParser, ExitCode
from fixtures.core.errors import UserError
from fixtures.core.project import ROOT
from fixtures.faults import runtime
from fixtures.generation import recordings
from fixtures.scenarios.coverage import corpus

PROFILES = ("deep",)
SECONDS_PER_UNIT = {"s": 1, "m": 60, "h": 3600}
WORKERS = max(1, min(os.cpu_count() or 1, 8))
EXAMPLES = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 nothing found, 1 found, 2 could not run, 64 wrong usage, 70 a crash of the command."""
    try:
        command = parse_options(argv)
        return add_examples(command) if isinstance(command, Path) else run(command)
    except KeyboardInterrupt:
        print("interrupted: nothing was explored yet", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001  a crash must not look like a result
        return cli.report_crash("deep-crashed: nothing can be said")


def parse_options(argv: Sequence[str] | None) -> ExplorationConfig | Path:
    """Check the command line. Returns what to explore, or the file of --add."""
    parser = CommandParser(prog="./ci/deep", description=__doc__)
    add = parser.add_argument
    cli.add_target_options(parser)
    add("--profile", default="deep", metavar="NAME", help="deep, which is the only one")
    add("--budget", metavar="TIME", help="how long, such as 90s, 30m or 8h")
    add("--reports", type=int, metavar="N", help="stop after the round that reaches this number of reports")
    add("--rounds", type=int, metavar="N", help="stop after this number of rounds")
    add("--seed", type=int, default=0, help="random seed (default 0)")
    add("--examples", type=int, default=EXAMPLES, help=f"batches per test and round (default {EXAMPLES})")
    add("--only", default="", metavar="EXPRESSION", help="only tests that match, as with pytest's -k")
    add("--variant", default="", metavar="NAME", help="reference services with this fault or tolerance")
    add("-n", dest="workers", type=int, default=WORKERS, help=f"processes (default {WORKERS})")
    cli.add_build_option(parser, "deep/ is written there")
    add("--add", metavar="FILE", help="do not explore: make the answers of this file examples of every gate")
    options = parser.parse_args(argv)
    if options.profile not in PROFILES:
        parser.refuse(f"unknown-profile: {options.profile!r}: allowed: deep\n  next: ./ci/deep --budget 30m")
    if options.add:
        return cli.resolve_path(options.caller_folder, options.add)
    seconds = parse_budget(options.budget, parser)
    for name in ("examples", "workers", "reports", "rounds"):
        if (number := getattr(options, name)) is not None and number < 1:
            parser.error(f"--{name} {number}: allowed: 1 or more")
    try:
        cli.select_deployments(options)
        runtime.find_variant(options.variant)
    except UserError as error:
        parser.refuse(error)
    return ExplorationConfig(
        folder=cli.resolve_build_folder(options) / "deep",
        seconds=seconds,
        workers=options.workers,
        run=cli.read_target_options(options),
        reports=options.reports,
        rounds=options.rounds,
        only=options.only,
    )


def parse_budget(budget: str | None, parser: CommandParser) -> int:
    """The seconds of a budget such as 30m."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", budget or "")
    if match is None:
        problem = "no-budget: --budget is missing" if budget is None else f"bad-budget: {budget!r}"
        parser.refuse(
            f"{problem}: allowed: a number and s, m or h, such as 30m\n  next: ./ci/deep --budget 30m"
        )
    return int(match[1]) * SECONDS_PER_UNIT[match[2]]


def run(config: ExplorationConfig) -> int:
    """Explore, write the result and print a summary. A finding decides the exit code before any problem."""
    shutil.rmtree(config.folder, ignore_errors=True)
    config.folder.mkdir(parents=True)
    exploration = explore(config)
    result = create_result(exploration, measure_memory_mb())
    write_result(config.folder, result)
    print_summary(config.folder, result)
    if result["findings"]:
        return ExitCode.NO_GO
    return ExitCode.UNDECIDED if exploration.problems or not result["reports"] else ExitCode.GO


def measure_memory_mb() -> dict[str, float]:
    """The peak memory in megabytes of this process, and of the largest process that it started."""
    scale = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, other systems kilobytes
    kinds = {"command": resource.RUSAGE_SELF, "greatest_process": resource.RUSAGE_CHILDREN}
    return {name: round(resource.getrusage(kind).ru_maxrss * scale / 1e6, 1) for name, kind in kinds.items()}


def add_examples(file: Path) -> int:
    """Add the answers of a file to the explicit examples of the project."""
    try:
        count = corpus.append_new(file, recordings.FOUND_FILE)
    except recordings.BrokenRecording as error:
        print(error, file=sys.stderr)
        return ExitCode.USAGE
    path = recordings.FOUND_FILE.relative_to(ROOT)
    print(f"{count} answers added to {path}: commit it, and every gate judges them first, at every provider")
    print("next: ./ci/gate")
    return ExitCode.GO


if __name__ == "__main__":
    sys.exit(main())
