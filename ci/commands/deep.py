"""`./ci/deep`: explore until the time is spent, and say what was covered and found. It is never a verdict.

Exits 0 if nothing was found, 1 if something was, 2 if it could not run. What was found becomes explicit
examples of every gate with `./ci/deep --add build/deep/found.ndjson`.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Sequence

from ci.exploration import result as deep_result
from ci.exploration.rounds import Asked, Dig, dig
from ci.support import exits
from ci.support.cli import Arguments, add_targets, deployed_of, meant
from fixtures.core.project import ROOT
from fixtures.faults import runtime
from fixtures.generation import explicit_examples, recordings
from fixtures.scenarios.coverage import corpus
from fixtures.targets.config import TargetError

PROFILES = ("deep",)
UNITS = {"s": 1, "m": 60, "h": 3600}
WORKERS = max(1, min(os.cpu_count() or 1, 8))
EXAMPLES = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 nothing found, 1 found, 2 could not run, 64 wrong usage, 70 its own crash."""
    try:
        options = options_of(argv)
        return added(options) if options.add else explored(options)
    except KeyboardInterrupt:
        print("interrupted: nothing was explored yet", file=sys.stderr)
        return exits.INTERRUPTED
    except Exception:  # noqa: BLE001  whatever it is, it must not look like an answer
        traceback.print_exc()
        print("deep-crashed: nothing can be said", file=sys.stderr)
        return exits.CRASH


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked before anything runs."""
    parser = Arguments(prog="./ci/deep", description=__doc__)
    add = parser.add_argument
    add_targets(parser)
    add("--profile", default="deep", metavar="NAME", help="deep, which is the only one")
    add("--budget", metavar="TIME", help="how long, such as 90s, 30m or 8h")
    add("--reports", type=int, metavar="N", help="end with the round that reaches so many reports")
    add("--rounds", type=int, metavar="N", help="end after so many rounds")
    add("--seed", type=int, default=0, help="what is drawn: the same seed draws the same (default 0)")
    add("--examples", type=int, default=EXAMPLES, help=f"batches per test and round (default {EXAMPLES})")
    add("--only", default="", metavar="EXPRESSION", help="only tests of these names, as pytest's -k takes it")
    add("--variant", default="", metavar="NAME", help="reference services with this fault or tolerance")
    add("-n", dest="workers", type=int, default=WORKERS, help=f"processes (default {WORKERS})")
    add("--build", default="build", metavar="DIR", help="deep/ is written there (default build)")
    add("--add", metavar="FILE", help="explore nothing: make what was found examples of every gate")
    options = parser.parse_args(argv)
    if options.profile not in PROFILES:
        parser.refuse(f"unknown-profile: {options.profile!r}: allowed: deep\n  next: ./ci/deep --budget 30m")
    if options.add:
        options.add = meant(options.here, options.add)
        return options
    options.seconds = seconds_of(options.budget, parser)
    for name in ("examples", "workers", "reports", "rounds"):
        if (number := getattr(options, name)) is not None and number < 1:
            parser.error(f"--{name} {number}: allowed: 1 or more")
    options.folder = (
        ROOT / "build" if options.build == "build" else meant(options.here, options.build)
    ) / "deep"
    try:
        deployed_of(options)
        runtime.asked_for(options.variant)
    except (TargetError, runtime.UnknownVariant) as error:
        parser.refuse(error)
    return options


def seconds_of(budget: str | None, parser: Arguments) -> int:
    """The seconds that a budget means."""
    told = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", budget or "")
    if told is None:
        said = "no-budget: nobody said how long" if budget is None else f"bad-budget: {budget!r}"
        parser.refuse(f"{said}: allowed: a number and s, m or h, such as 30m\n  next: ./ci/deep --budget 30m")
    return int(told[1]) * UNITS[told[2]]


def explored(options: argparse.Namespace) -> int:
    """Explore, write what it came to, and tell."""
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    began = time.monotonic()
    dug = dig(Asked.of(options))
    result = deep_result.result_of(dug, options.seed, time.monotonic() - began, memory_mb())
    deep_result.write(options.folder, dug, result)
    deep_result.tell(options.folder, result)
    return exit_of(dug)


def exit_of(dug: Dig) -> int:
    """What was found counts, whatever else went wrong."""
    if dug.explored.found:
        return exits.NO_GO
    return exits.UNDECIDED if dug.trouble or not dug.explored.reports else exits.GO


def memory_mb() -> dict[str, float]:
    """The most memory that this process has had, and any one that it started, in megabytes."""
    scale = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    kinds = {"command": resource.RUSAGE_SELF, "greatest_process": resource.RUSAGE_CHILDREN}
    return {name: round(resource.getrusage(kind).ru_maxrss * scale / 1e6, 1) for name, kind in kinds.items()}


def added(options: argparse.Namespace) -> int:
    """Add what was found to the examples of the project."""
    try:
        count = corpus.add(options.add, explicit_examples.FOUND)
    except recordings.BrokenRecording as error:
        print(error, file=sys.stderr)
        return exits.USAGE
    place = explicit_examples.FOUND.relative_to(ROOT)
    print(f"{count} answers added to {place}: commit it, and every gate judges them first, at every provider")
    print("next: ./ci/gate")
    return exits.GO


if __name__ == "__main__":
    sys.exit(main())
