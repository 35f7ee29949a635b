"""`./ci/selfcheck`: does the suite notice? Every seeded fault must be found by the checks that claim it.

Exits 0 if each was, and if with those checks taken away nothing else in its file found it; 1 if not. With
--tolerant, services that are right in another way go instead, and each must be go.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from typing import TypeAlias

from rich.console import Console
from rich.progress import Progress

from ci.scoring import table as kill_table
from ci.scoring.fault_runs import Asked, catch, prepare, tolerate
from ci.support import exits
from ci.support.cli import Arguments, meant
from fixtures.core import schemas
from fixtures.core.project import BUILD
from fixtures.faults import FAULTS, Fault, sample
from fixtures.faults.runtime import UnknownVariant, asked_for
from fixtures.faults.scoring import Caught, Tolerated
from fixtures.faults.tolerant import TOLERANT

PROG = "./ci/selfcheck"
WORKERS = os.cpu_count() or 2
EXAMPLES, EXAMPLES_TOLERANT = 5, 1
WIDE = 180
"""Columns of the table in a log, where nobody can widen the window."""

Judged: TypeAlias = Caught | Tolerated
Job: TypeAlias = Callable[[], Judged]


def main(argv: Sequence[str] | None = None) -> int:
    """Judge what was asked for; 0 if all went as it must, 1 if not, 64 on wrong usage."""
    options = options_of(argv)
    if options.list:
        print(*(f"{fault.name}: {fault.service}: {fault.wrong}" for fault in options.faults), sep="\n")
        return exits.GO
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    jobs = tolerated(options) if options.tolerant else caught(options)
    judged: list[Judged] = []
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("judged", total=len(jobs))
        for one in in_workers(jobs, options.workers):
            judged.append(one)
            progress.advance(task)
            if not console.is_terminal:
                print(f"{len(judged)}/{len(jobs)} {one.name}: {one.word}", flush=True)
    judged.sort(key=lambda one: one.name)
    write(options, judged)
    kill_table.show(console, judged)
    return exits.GO if all(one.trouble is None for one in judged) else exits.NO_GO


def write(options: argparse.Namespace, judged: Sequence[Judged]) -> None:
    """Write selfcheck.json."""
    written = kill_table.to_json(judged)
    schemas.validate(written, "selfcheck.schema.json")
    options.build.mkdir(parents=True, exist_ok=True)
    text = json.dumps(written, indent=1, ensure_ascii=False) + "\n"
    (options.build / "selfcheck.json").write_text(text, encoding="utf-8")


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with the faults that it means."""
    parser = Arguments(prog=PROG, description=__doc__)
    add = parser.add_argument
    add("--fault", action="append", default=[], metavar="NAME", help="only this fault; may be repeated")
    add("--sample", type=int, metavar="N", help="a fixed choice of N, from all services and files")
    add("--list", action="store_true", help="name the faults, and do nothing")
    add("--tolerant", action="store_true", help="right variants instead of faults: each must be go")
    add("--seeds", type=int, default=1, help="with how many seeds each tolerant variant goes (default 1)")
    add("--quick", action="store_true", help="do not try each file without the checks that claim the fault")
    add(
        "--without", action="append", default=[], metavar="CHECK", help="take a check away, as if it were not"
    )
    batches = f"default {EXAMPLES}, with --tolerant {EXAMPLES_TOLERANT}"
    add("--examples", type=int, help=f"batches per generated test ({batches})")
    add("--seed", type=int, default=0, help="what is drawn: the same seed draws the same (default 0)")
    add("-n", dest="workers", type=int, default=WORKERS, help=f"processes (default {WORKERS})")
    add("--build", default=str(BUILD), metavar="DIR", help="where selfcheck.json is written (default build)")
    options = parser.parse_args(argv)
    try:
        for name in options.fault:
            asked_for(name)
    except UnknownVariant as error:
        parser.refuse(error)
    for name in ("sample", "examples", "workers", "seeds"):
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


def caught(options: argparse.Namespace) -> list[Job]:
    """What is to be done about faults."""
    asked = Asked(options.examples or EXAMPLES, options.seed, not options.quick, tuple(options.without))
    return [partial(catch, fault.name, asked) for fault in options.faults]


def tolerated(options: argparse.Namespace) -> list[Job]:
    """What is to be done about tolerant variants: each with each seed."""
    variants = TOLERANT[: options.sample]
    seeds = range(options.seed, options.seed + options.seeds)
    examples = options.examples or EXAMPLES_TOLERANT
    return [partial(tolerate, variant.name, seed, examples) for seed in seeds for variant in variants]


def in_workers(jobs: Sequence[Job], workers: int) -> Iterator[Judged]:
    """What each job came to, as soon as it is done, in processes that are started once."""
    fresh = get_context("spawn")  # no copy of our threads, and the same on every system
    with ProcessPoolExecutor(workers, mp_context=fresh, initializer=prepare) as pool:
        for done in as_completed([pool.submit(job) for job in jobs]):
            yield done.result()


if __name__ == "__main__":
    sys.exit(main())
