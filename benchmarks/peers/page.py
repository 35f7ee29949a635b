"""`./ci/bench peers`: which contender finds which seeded fault, written into docs/peers.md.

./ci/setup/peers.sh installs Schemathesis and Specmatic in .venv-peers; Specmatic needs Java 17.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.peers.contenders import (
    CONTENDERS,
    SCHEMATHESIS_S,
    ContenderRun,
    choose_faults,
    judge_service,
    why_unavailable,
)
from ci.support.cli import command
from ci.support.command_line import CommandParser
from fixtures.core.errors import UserError, sort_by_similarity
from fixtures.core.project import BUILD, DOCS, ROOT
from fixtures.core.topology import PROVIDERS
from fixtures.faults import Fault

PAGE = DOCS / "peers.md"
TEMPLATE = ROOT / "benchmarks" / "templates" / "peers.md"
RIGHT = "-"
Runs = Mapping[str, Mapping[str, ContenderRun]]


def run_contender(name: str, faults: Sequence[Fault], limit_s: float) -> dict[str, ContenderRun]:
    """A contender at each right service, and at each fault of the services that it calls right."""
    judge = CONTENDERS[name]
    right = {}
    for provider in PROVIDERS:
        right[f"{RIGHT}{provider}"] = judge_service(judge, provider, RIGHT, limit_s)
        print(f"{name}: right {provider}: {right[f'{RIGHT}{provider}']}", flush=True)
    runs = dict(right)
    for fault in faults:
        if right[f"{RIGHT}{fault.service}"].red is False:
            runs[fault.name] = judge_service(judge, fault.service, fault.name, limit_s)
            print(f"{name}: {fault.name}: {runs[fault.name]}", flush=True)
    return runs


def format_cell(fault: Fault, runs: Mapping[str, ContenderRun]) -> str:
    if fault.name not in runs:
        return "cannot tell"
    word = {True: "**caught**", False: "missed", None: "no answer"}[runs[fault.name].red]
    return f"{word}, {runs[fault.name].seconds:.1f} s"


def format_row(name: str, runs: Mapping[str, ContenderRun], faults: Sequence[Fault]) -> str:
    right = [runs[f"{RIGHT}{provider}"] for provider in PROVIDERS]
    faulty = [runs[fault.name] for fault in faults if fault.name in runs]
    caught = sum(run.red is True for run in faulty)
    alarms = sum(run.red is True for run in right)
    unfinished = sum(run.red is None for run in right)
    seconds = f"{statistics.median(run.seconds for run in faulty):.1f}" if faulty else "-"
    requests = f"{statistics.median(run.requests for run in faulty):.0f}" if faulty else "-"
    note = f" ({unfinished} without an answer)" if unfinished else ""
    counts = f"{caught} of {len(faults)} | {alarms} of {len(right)}{note}"
    right_seconds = statistics.median(run.seconds for run in right)
    return f"| {name} | {counts} | {seconds} | {requests} | {right_seconds:.1f} |"


def format_page(runs: Runs, faults: Sequence[Fault], absent: Mapping[str, str], limit_s: float) -> str:
    """The whole page: what each contender found, what it cost, and each fault."""
    contenders = [format_row(name, by_service, faults) for name, by_service in runs.items()]
    contenders += [f"| {name} | did not run: {why} | - | - | - | - |" for name, why in absent.items()]
    rows = []
    for fault in faults:
        cells = " | ".join(format_cell(fault, by_service) for by_service in runs.values())
        rows.append(f"| `{fault.name}` | {fault.service} | {cells} |")
    return TEMPLATE.read_text(encoding="utf-8").format(
        limit_s=limit_s,
        budget_s=SCHEMATHESIS_S,
        contenders="\n".join(contenders),
        names=" | ".join(runs),
        ruler="---|" * len(runs),
        faults="\n".join(rows),
    )


def file_of(name: str) -> Path:
    """The file with the runs of a contender, so that each contender can run by itself."""
    return BUILD / "peers" / f"{name}.json"


@command("bench peers")
def main(_: CommandParser, options: argparse.Namespace) -> int:
    """Run the chosen contenders, and write the page of all that have run."""
    for name in options.contender or ():
        if name not in CONTENDERS:
            allowed = ", ".join(sort_by_similarity(name, CONTENDERS))
            raise UserError("unknown-contender", repr(name), f"allowed: {allowed}", "./ci/bench peers --help")
    faults = choose_faults(options.faults)
    for name in options.contender or CONTENDERS:
        if why_unavailable(name) is None:
            runs_json = {
                key: asdict(run) for key, run in run_contender(name, faults, options.limit_s).items()
            }
            file_of(name).parent.mkdir(parents=True, exist_ok=True)
            file_of(name).write_text(json.dumps(runs_json, indent=1), encoding="utf-8")
    runs = {}
    for name in CONTENDERS:
        if file_of(name).exists():
            runs_json = json.loads(file_of(name).read_text(encoding="utf-8"))
            runs[name] = {key: ContenderRun(**run) for key, run in runs_json.items()}
    absent = {name: why_unavailable(name) or "left out" for name in CONTENDERS if name not in runs}
    PAGE.write_text(format_page(runs, faults, absent, options.limit_s), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0
