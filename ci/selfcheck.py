"""`./ci/selfcheck`: does the suite notice? Every seeded fault must be found by the checks that claim it.

Exits 0 if each was, and if with those checks taken away nothing else in its file found it; 1 if not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from ci import exits, kill_table
from ci.arguments import Arguments, meant
from ci.kills import Asked, Caught, catch, prepare
from fixtures import schemas
from fixtures.faults import FAULTS, Fault, sample
from fixtures.variants import UnknownVariant, asked_for

PROG = "./ci/selfcheck"
BUILD = Path(__file__).resolve().parent.parent / "build"
WORKERS = os.cpu_count() or 2


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the faults that were asked for; 0 if all were caught, 1 if not, 64 on wrong usage."""
    options = options_of(argv)
    if options.list:
        print(*(f"{fault.name}: {fault.service}: {fault.wrong}" for fault in options.faults), sep="\n")
        return exits.GO
    console = Console()
    caught: list[Caught] = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("faults", total=len(options.faults))
        for one in judged(options):
            caught.append(one)
            progress.advance(task)
            if not console.is_terminal:
                print(f"{len(caught)}/{len(options.faults)} {one.word}: {one.fault}", flush=True)
    order = [fault.name for fault in options.faults]
    caught.sort(key=lambda one: order.index(one.fault))
    written = kill_table.to_json(caught)
    schemas.validate(written, "selfcheck.schema.json")
    file = options.build / "selfcheck.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    kill_table.show(console, caught)
    return exits.GO if all(one.is_right for one in caught) else exits.NO_GO


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with the faults that it means."""
    parser = Arguments(prog=PROG, description=__doc__)
    add = parser.add_argument
    add("--fault", action="append", default=[], metavar="NAME", help="only this fault; may be repeated")
    add("--sample", type=int, metavar="N", help="a fixed choice of N faults from all services and files")
    add("--list", action="store_true", help="name the faults, and do nothing")
    add("--quick", action="store_true", help="do not try each file without the checks that claim the fault")
    add(
        "--without",
        action="append",
        default=[],
        metavar="CHECK",
        help="take a check away, to see what it is for",
    )
    add("--examples", type=int, default=5, help="batches per generated test (default 5)")
    add("--seed", type=int, default=0, help="what is drawn: the same seed draws the same (default 0)")
    add("-n", dest="workers", type=int, default=WORKERS, help=f"processes (default {WORKERS})")
    add("--build", default=str(BUILD), metavar="DIR", help="where selfcheck.json is written (default build)")
    options = parser.parse_args(argv)
    try:
        for name in options.fault:
            asked_for(name)
    except UnknownVariant as error:
        parser.refuse(error)
    for name in ("sample", "examples", "workers"):
        if (number := getattr(options, name)) is not None and number < 1:
            parser.error(f"--{name} {number}: allowed: 1 or more")
    options.faults = chosen(options)
    options.build = meant(options.here, options.build)
    return options


def chosen(options: argparse.Namespace) -> list[Fault]:
    """The faults that a command line means."""
    if options.fault:
        return [fault for fault in FAULTS if fault.name in options.fault]
    return list(sample(options.sample)) if options.sample else list(FAULTS)


def judged(options: argparse.Namespace) -> Iterator[Caught]:
    """Each fault as soon as it is judged, in workers that are started once."""
    asked = Asked(options.examples, options.seed, not options.quick, tuple(options.without))
    judge = partial(catch, asked=asked)
    fresh = get_context("spawn")  # no copy of our threads, and the same on every system
    with ProcessPoolExecutor(options.workers, mp_context=fresh, initializer=prepare) as workers:
        for done in as_completed([workers.submit(judge, fault.name) for fault in options.faults]):
            yield done.result()


if __name__ == "__main__":
    sys.exit(main())
