"""`./ci/selfcheck`: does the suite notice? Every seeded fault must be found by the checks that claim it.

Exits 0 if each fault is found, and if without those checks its tests find nothing; exits 1 if not. With
--tolerant, it runs tolerant variants instead: services that differ and are right. Each must be go.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

from rich.progress import Progress

from ci.scoring.fault_runs import ScoringOptions, score_fault, score_tolerant_variant
from ci.scoring.table import Result, Results, print_results, to_json
from ci.support.cli import Answer, command, require_positive, resolve_build_folder
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode
from fixtures.core import schemas
from fixtures.core.console import create_console
from fixtures.core.project import ROOT
from fixtures.faults import FAULTS, Fault, sample
from fixtures.faults.runtime import find_variant
from fixtures.faults.tolerant import TOLERANT_VARIANTS, find_tolerant_variant

EXAMPLES, TOLERANT_EXAMPLES = 5, 1
LISTED = ("name", "service", "description")
LOG_COLUMNS = 180  # the width of the table in a log file

Job: TypeAlias = Callable[[], Result]


@command("selfcheck")
def main(parser: CommandParser, options: argparse.Namespace) -> Answer:
    for name in options.fault:
        find_variant(name)
    for name in options.variant:
        find_tolerant_variant(name)
    require_positive(parser, options, "sample", "examples", "workers", "seeds")
    faults = select_faults(options)
    if options.list:
        print(*(f"{fault.name}: {fault.service}: {fault.description}" for fault in faults), sep="\n")
        rows = [{name: getattr(fault, name) for name in LISTED} for fault in faults]
        return Answer(ExitCode.GO, rows)
    folder = resolve_build_folder(options)
    console = create_console(LOG_COLUMNS)
    jobs = list_jobs(options, faults)
    results: list[Result] = []
    with Progress(console=console, transient=True, disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task("judged", total=len(jobs))
        for result in run_jobs(jobs, options.workers):
            results.append(result)
            progress.advance(task)
            if not sys.stdout.isatty():
                print(f"{len(results)}/{len(jobs)} {result.name}: {result.summary}", flush=True)
    results.sort(key=lambda result: result.name)
    write_results(folder, results)
    print_results(console, results)
    exit_code = ExitCode.GO if all(result.trouble is None for result in results) else ExitCode.NO_GO
    return Answer(exit_code, to_json(results))


def write_results(folder: Path, results: Results) -> None:
    content = to_json(results)
    schemas.validate(content, "selfcheck.schema.json")
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (folder / "selfcheck.json").write_text(text, encoding="utf-8")


def select_faults(options: argparse.Namespace) -> list[Fault]:
    if options.fault:
        return [fault for fault in FAULTS if fault.name in options.fault]
    return list(sample(options.sample)) if options.sample else list(FAULTS)


def list_jobs(options: argparse.Namespace, faults: Sequence[Fault]) -> list[Job]:
    if options.tolerant or options.variant:
        examples = options.examples or TOLERANT_EXAMPLES
        names = [variant.name for variant in TOLERANT_VARIANTS][: options.sample]
        return [
            partial(score_tolerant_variant, name, seed, examples)
            for seed in range(options.seed, options.seed + options.seeds)
            for name in options.variant or names
        ]
    scoring_options = ScoringOptions(
        examples=options.examples or EXAMPLES,
        seed=options.seed,
        quick=options.quick,
        without=tuple(options.without),
    )
    return [partial(score_fault, fault.name, scoring_options) for fault in faults]


def run_jobs(jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Run the jobs in worker processes; yield each result as soon as it is there."""
    context = get_context("spawn")  # a fork would copy threads, and is not possible on every system
    with ProcessPoolExecutor(workers, mp_context=context, initializer=os.chdir, initargs=(ROOT,)) as pool:
        for future in as_completed([pool.submit(job) for job in jobs]):
            yield future.result()
