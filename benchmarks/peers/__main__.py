"""`python -m benchmarks.peers`: who finds which fault, and who calls right wrong: docs/peers.md, README.md.

Schemathesis and Specmatic are installed by ./ci/setup/peers.sh, in .venv-peers; Specmatic needs Java 17.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.pages import put
from benchmarks.peers.contenders import CONTENDERS, SCHEMATHESIS_S, Run, chosen, run, unavailable
from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS
from fixtures.faults import Fault

PAGE = ROOT / "docs" / "peers.md"
MARKS = "<!-- peers: measured by python -m benchmarks.peers -->", "<!-- peers: end -->"
RIGHT = "-"
INTRODUCTION = """\
# Side by side with peers

Written by `python -m benchmarks.peers`, after `./ci/setup/peers.sh`. Each contender gets the URL of one
reference service, right or with one seeded fault, and {limit_s:.0f} s at most. Whoever is red on the right
service, or does not finish, cannot tell its faults: they do not count as caught. Our own line is the
compat suite of that provider, `--examples 3`, until its first finding. Seconds and requests are medians, on
two cores shared with other work.
"""
NOTES = """\
Schemathesis gets all its phases and checks to the first failure, seed 1, a budget of {budget_s} s, and need
not refuse negative data: a tolerant reader is no fault. Specmatic runs its default tests, with `--lenient`:
without it, it refuses our documents before any request. Pact has an interaction for each code that a careful
team knows ([by hand](../benchmarks/peers/handwritten.py)), verified with provider states. The faults are
ours, and our suite was made for them: peers find other faults as well, which this table does not show.
"""

Runs = Mapping[str, Mapping[str, Run]]


def runs_of(name: str, faults: Sequence[Fault], limit_s: float) -> dict[str, Run]:
    """A contender on each right service, and on each fault of those that it can tell from a wrong one."""
    judge = CONTENDERS[name]
    right = {}
    for provider in PROVIDERS:
        right[f"{RIGHT}{provider}"] = run(judge, provider, RIGHT, limit_s)
        print(f"{name}: right {provider}: {right[f'{RIGHT}{provider}']}", flush=True)
    found = dict(right)
    for fault in faults:
        if right[f"{RIGHT}{fault.service}"].red is False:
            found[fault.name] = run(judge, fault.service, fault.name, limit_s)
            print(f"{name}: {fault.name}: {found[fault.name]}", flush=True)
    return found


def cell(fault: Fault, found: Mapping[str, Run]) -> str:
    """What a contender says of a fault, and after how many seconds."""
    if fault.name not in found:
        return "cannot tell"
    said = {True: "**caught**", False: "missed", None: "no answer"}[found[fault.name].red]
    return f"{said}, {found[fault.name].seconds:.1f} s"


def row(name: str, found: Mapping[str, Run], faults: Sequence[Fault]) -> str:
    """A line of the table: what a contender found and what it cost."""
    right = [found[f"{RIGHT}{provider}"] for provider in PROVIDERS]
    wrong = [found[fault.name] for fault in faults if fault.name in found]
    caught = sum(one.red is True for one in wrong)
    alarms = sum(one.red is True for one in right)
    silent = sum(one.red is None for one in right)
    seconds = statistics.median(one.seconds for one in wrong) if wrong else None
    requests = statistics.median(one.requests for one in wrong) if wrong else None
    told = "-" if seconds is None else f"{seconds:.1f}"
    sent = "-" if requests is None else f"{requests:.0f}"
    whole = f"{statistics.median(one.seconds for one in right):.1f}"
    unfinished = f" ({silent} without an answer)" if silent else ""
    counts = f"{caught} of {len(faults)} | {alarms} of {len(right)}{unfinished}"
    return f"| {name} | {counts} | {told} | {sent} | {whole} |"


def table(runs: Runs, faults: Sequence[Fault], absent: Mapping[str, str]) -> str:
    """What each contender found, and what it cost."""
    lines = [
        "| contender | faults caught | false alarms | seconds | requests | seconds, right service |",
        "|---|---:|---:|---:|---:|---:|",
        *(row(name, found, faults) for name, found in runs.items()),
        *(f"| {name} | did not run: {why} | - | - | - | - |" for name, why in absent.items()),
    ]
    return "\n".join(lines)


def page(runs: Runs, faults: Sequence[Fault], absent: Mapping[str, str], limit_s: float) -> str:
    """The whole page."""
    lines = [
        INTRODUCTION.format(limit_s=limit_s),
        table(runs, faults, absent),
        "",
        f"| fault | service | {' | '.join(runs)} |",
        f"|---|---|{'---|' * len(runs)}",
        *(
            f"| `{fault.name}` | {fault.service} | "
            + " | ".join(cell(fault, found) for found in runs.values())
            + " |"
            for fault in faults
        ),
        "",
        NOTES.format(budget_s=SCHEMATHESIS_S),
    ]
    return "\n".join(lines)


def kept(name: str) -> Path:
    """Where the runs of a contender are kept, so that each may run by itself."""
    return ROOT / "build" / "peers" / f"{name}.json"


def keep(name: str, found: Mapping[str, Run]) -> None:
    """Keep the runs of a contender."""
    kept(name).parent.mkdir(parents=True, exist_ok=True)
    rows = {one: asdict(each) for one, each in found.items()}
    kept(name).write_text(json.dumps(rows, indent=1), encoding="utf-8")


def main() -> int:
    """Run the contenders that are asked for, and write the page of all whose runs are kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument(
        "--contender", choices=list(CONTENDERS), action="append", help="only this; repeatable"
    )
    parser.add_argument("--limit-s", type=float, default=120, help="at most this long for each service")
    parser.add_argument("--faults", type=int, default=40, help="how many, a balanced choice (default 40)")
    asked = parser.parse_args()
    faults = chosen(asked.faults)
    for name in asked.contender or CONTENDERS:
        if unavailable(name) is None:
            keep(name, runs_of(name, faults, asked.limit_s))
    runs = {
        name: {one: Run(**each) for one, each in json.loads(kept(name).read_text(encoding="utf-8")).items()}
        for name in CONTENDERS
        if kept(name).exists()
    }
    absent = {name: unavailable(name) or "left out of this run" for name in CONTENDERS if name not in runs}
    PAGE.write_text(page(runs, faults, absent, asked.limit_s), encoding="utf-8")
    put(ROOT / "README.md", table(runs, faults, absent), *MARKS)
    print(f"written: {PAGE.relative_to(ROOT)} and the table of README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
