"""Beside Schemathesis, where it is installed: payloads a second, what they reach, seconds to a fault."""

from __future__ import annotations

import functools
import itertools
import json
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import check_loop
from benchmarks.bench.parts import REPORT, Generation
from benchmarks.bench.rows import COUNT, SECONDS, Aim, Row, paired
from benchmarks.peers import contenders
from fixtures.core import payloads
from fixtures.core.catalogue import load
from fixtures.core.payloads import Identities
from fixtures.core.project import ROOT
from fixtures.faults import Fault
from fixtures.generation import runner, schema_coverage, strategies

DOCUMENT = ROOT / "docs" / "openapi" / "directory-events-api.json"
SPEED_AIM = Aim("ratio", 10)
NO_LESS = Aim("ratio", 1)
REPORTS = 2000
"""So many reports of each are looked at."""
FAULTS_TRIED = 4
LIMIT_S = 120.0

Reports = Sequence[Mapping[str, Any]]


def is_here() -> bool:
    """Whether Schemathesis is installed; if not, it is said."""
    why = contenders.unavailable("Schemathesis")
    if why:
        print(f"  left out: Schemathesis: {why}")
    return not why


def drawn_by_them(seed: int, reports: int) -> dict[str, Any]:
    """Reports that Schemathesis draws for our document: how many a second, and the reports themselves."""
    script = str(Path(__file__).with_name("schemathesis_draws.py"))
    command = [str(contenders.OWN / "bin" / "python"), script, str(DOCUMENT), str(seed), str(reports)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  our own
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def generation(rounds: int) -> Iterator[Row]:
    """Answers a second, beside Schemathesis's own generator on the same schema."""
    if is_here():
        seeds = itertools.count()
        mixed = Generation(runner.batches_of(strategies.mixed(load().cases)))
        bound = ("Schemathesis's generator", lambda: float(drawn_by_them(next(seeds), 0)["a_second"]))
        yield paired("generation beside a peer", "payloads/s", mixed, bound, rounds, SPEED_AIM)


def variety(rounds: int) -> Iterator[Row]:
    """What as many reports of each reach: cases, orders of details, and places and limits of the schema."""
    if is_here():
        ours = [reached(drawn_by_us(seed, REPORTS)) for seed in range(rounds)]
        theirs = [reached(drawn_by_them(seed, REPORTS)["reports"]) for seed in range(rounds)]
        for name in ours[0]:
            mine, others = iter([len(one[name]) for one in ours]), iter([len(one[name]) for one in theirs])
            bound = (f"Schemathesis, {REPORTS} reports each", others.__next__)
            yield paired(f"variety: {name}", COUNT, mine.__next__, bound, rounds, NO_LESS)


def drawn_by_us(seed: int, reports: int) -> Reports:
    """Reports that our strategies draw of all cases."""
    answers = itertools.chain.from_iterable(
        answer for number in itertools.count() for answer in check_loop.drawn(1000 * seed + number, 40)
    )
    some = list(itertools.islice(answers, reports))
    return [entry.payload for entry in payloads.reports(some, Identities())]


def reached(reports: Reports) -> dict[str, Collection[Any]]:
    """What some reports reach."""
    decided = {case.id for report in reports if (case := load().decide(report))}
    stressed = {place for report in reports for place in schema_coverage.stressed(REPORT, "", report)}
    return {"cases": decided, "orders of details": set(map(order_of_details, reports)), "keywords": stressed}


def order_of_details(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Of which known kinds the details of a report are, in their order; `?` for what is none."""
    response = report.get("response")
    error = response.get("error") if isinstance(response, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    return tuple(map(kind_of, details)) if isinstance(details, list) else ()


def kind_of(detail: Any) -> str:
    """What a detail says it is, if that is known."""
    kind = detail.get("@type") if isinstance(detail, dict) else None
    return kind if isinstance(kind, str) and kind in known_kinds() else "?"


@functools.cache
def known_kinds() -> frozenset[str]:
    """The kinds of details that the catalogue's examples have."""
    errors = [
        case.example["response"].get("error")
        for case in load().cases
        if isinstance(case.example["response"], dict)
    ]
    lists = [error["details"] for error in errors if isinstance(error, dict) and "details" in error]
    return frozenset(detail["@type"] for details in lists for detail in details if "@type" in detail)


def faults(rounds: int) -> Iterator[Row]:
    """Seconds to a seeded fault, from the command to its end, beside Schemathesis on the same service."""
    if is_here():
        for fault in contenders.chosen(FAULTS_TRIED):
            yield _fault_row(fault, rounds)


def _fault_row(fault: Fault, rounds: int) -> Row:
    found: list[bool | None] = []

    def seconds_of(name: str) -> float:
        ran = contenders.run(contenders.CONTENDERS[name], fault.service, fault.name, LIMIT_S)
        if name == "Schemathesis":
            found.append(ran.red)
        elif not ran.red:
            raise RuntimeError(f"{fault.name} at {fault.service} was not found")
        return ran.seconds

    bound = ("", lambda: seconds_of("Schemathesis"))
    row = paired(f"finding a fault: {fault.name}", SECONDS, lambda: seconds_of("fcm-compat"), bound, rounds)
    said = "which finds it" if all(found) else "which does not find it"
    return Row(**{**vars(row), "bound": f"Schemathesis, {said}"})
