"""`./ci/deep`: explores until a budget of time is spent, and reports what it covered and found.

Exits 0 if it found nothing, 1 if it found something, 2 if it could not run. It never gives a verdict. With
`./ci/deep --add build/deep/found.ndjson`, what was found becomes explicit examples of every gate.
"""

import argparse
import json
import re
import resource
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ci.support import cli
from ci.support.cli import Answer, command
from ci.support.command_line import CommandParser
from ci.support.deployments import read_target_options, select_deployments
from ci.support.exit_codes import ExitCode
from ci.support.exploration import Exploration, ExplorationConfig, explore
from fixtures.core import schemas
from fixtures.core.catalogue import load_catalogue
from fixtures.core.errors import UserError
from fixtures.core.findings import Finding, describe_finding
from fixtures.core.project import ROOT
from fixtures.faults import runtime
from fixtures.generation import recordings
from fixtures.results.report.templating import render_text
from fixtures.scenarios.coverage import corpus
from fixtures.scenarios.coverage.coverage import MAX_KINDS, MAX_POINTS, draw_curve
from fixtures.scenarios.coverage.recorder import MAX_BEHAVIOURS

MAX_PRINTED = 8
MAX_PROBLEMS = 50


@command(
    "deep",
    crashed="deep-crashed: nothing can be said",
    interrupted="interrupted: nothing was explored yet",
)
def main(parser: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit 0 nothing found, 1 found, 2 could not run, 64 wrong usage, 70 a crash of the command."""
    if options.profile != "deep":
        problem = "allowed: deep"
        raise UserError("unknown-profile", repr(options.profile), problem, "./ci/deep --budget 30m")
    if options.add:
        return add_examples(cli.resolve_path(options.caller_folder, options.add))
    seconds = parse_budget(options.budget)
    cli.require_positive(parser, options, "examples", "workers", "reports", "rounds")
    select_deployments(options)
    runtime.find_variant(options.variant)
    config = ExplorationConfig(
        folder=cli.resolve_build_folder(options) / "deep",
        seconds=seconds,
        workers=options.workers,
        run=read_target_options(options),
        reports=options.reports,
        rounds=options.rounds,
        only=options.only,
    )
    return run(config)


def parse_budget(budget: str | None) -> int:
    """The seconds of a budget such as 30m."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", budget or "")
    if match is None:
        slug, value = ("no-budget", "--budget is missing") if budget is None else ("bad-budget", repr(budget))
        allowed = "allowed: a number and s, m or h, such as 30m"
        raise UserError(slug, value, allowed, "./ci/deep --budget 30m")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


def run(config: ExplorationConfig) -> Answer:
    """Explore, write the result and print a summary. A finding decides the exit code before any problem."""
    shutil.rmtree(config.folder, ignore_errors=True)
    config.folder.mkdir(parents=True)
    exploration = explore(config)
    result = create_result(exploration)
    write_result(config.folder, result)
    print_result(config.folder, result)
    exit_code = ExitCode.UNDECIDED if exploration.problems or not result["reports"] else ExitCode.GO
    return Answer(ExitCode.NO_GO if result["findings"] else exit_code, result)


def create_result(exploration: Exploration) -> dict[str, Any]:
    """The content of deep.json. `memory_mb` has the peaks of this process and of its largest child."""
    coverage = exploration.coverage
    rate, summary = coverage.saturation()
    scale = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, other systems kilobytes
    kinds = {"command": resource.RUSAGE_SELF, "greatest_process": resource.RUSAGE_CHILDREN}
    peaks = {name: resource.getrusage(kind).ru_maxrss * scale for name, kind in kinds.items()}
    return {
        "seed": exploration.config.run.seed,
        "rounds": exploration.rounds,
        "tests": exploration.tests,
        "reports": coverage.reports,
        "behaviours": coverage.behaviours,
        "new_in_a_thousand": rate,
        "words": summary,
        "curve": [list(point) for point in coverage.curve],
        "coverage": coverage.coverage(load_catalogue()),
        "findings": list(coverage.findings.values()),
        "findings_left_out": coverage.left_out,
        "trouble": exploration.problems[:MAX_PROBLEMS],
        "versions": exploration.versions,
        "duration_s": round(exploration.elapsed_s, 1),
        "memory_mb": {name: round(peak / 1e6, 1) for name, peak in peaks.items()},
        "limits": {"behaviours": MAX_BEHAVIOURS, "points": MAX_POINTS, "kinds_of_findings": MAX_KINDS},
    }


def write_result(folder: Path, result: Mapping[str, Any]) -> None:
    """Write deep.json, curve.svg and, if answers were found, found.ndjson."""
    schemas.validate(result, "deep.schema.json")
    (folder / "deep.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (folder / "curve.svg").write_text(draw_curve(result["curve"], result["words"]), encoding="utf-8")
    lines = corpus.recording_lines(result["findings"])
    if lines:
        (folder / "found.ndjson").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def print_result(folder: Path, result: Mapping[str, Any]) -> None:
    """Print what was found and covered, and what this says about more time; never a verdict."""
    findings, problems = result["findings"], result["trouble"]
    described = [(describe_finding(Finding.from_json(row)), row) for row in findings[:MAX_PRINTED]]
    print(render_text(cli.TEMPLATES / "deep.txt.jinja", folder=folder, described=described, **result), end="")
    for problem in problems[:MAX_PRINTED]:
        print(problem, file=sys.stderr)
    examples = folder / "found.ndjson"
    if examples.exists():
        print(f"found: {examples}; next: ./ci/deep --add {examples}")
    elif findings:
        print("found, but no single answer shows it: the commands above repeat it")
    elif not problems and result["reports"]:
        print("nothing was found; this is no verdict, ./ci/gate gives one")
    else:
        print("could not run: this says nothing, and is no verdict")


def add_examples(file: Path) -> Answer:
    """Add the answers of a file to the explicit examples of the project."""
    count = corpus.append_new(file, recordings.FOUND_FILE)
    path = recordings.FOUND_FILE.relative_to(ROOT)
    print(f"{count} answers added to {path}: commit it, and every gate judges them first, at every provider")
    print("next: ./ci/gate")
    return Answer(ExitCode.GO, {"added": count, "file": str(path)})
