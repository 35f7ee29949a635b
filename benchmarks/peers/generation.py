"""Generation beside Schemathesis, where it is installed: payloads a second, and what they reach."""

import functools
import itertools
import json
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measurement import COUNT, Aim, Measurement, measure_pairs
from benchmarks.measures import draw_batches, entries_per_second
from benchmarks.peers import contenders
from fixtures.core import payloads
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import IdFactory
from fixtures.core.project import DOCS
from fixtures.generation import runner, schema_coverage, strategies

REPORT = "response-report.schema.json"
DOCUMENT = DOCS / "openapi" / "directory-events-api.json"
REPORTS = 2000  # so many of each generator are compared

Reports = Sequence[Mapping[str, Any]]


def is_installed() -> bool:
    """Whether Schemathesis is installed; prints the reason if it is not."""
    reason = contenders.why_unavailable("Schemathesis")
    if reason:
        print(f"  left out: Schemathesis: {reason}")
    return not reason


def draw_by_schemathesis(seed: int, reports: int) -> dict[str, Any]:
    """What Schemathesis draws for our document: `a_second`, and so many `reports`."""
    script = str(Path(__file__).with_name("schemathesis_generator.py"))
    command = [str(contenders.OWN / "bin" / "python"), script, str(DOCUMENT), str(seed), str(reports)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  our own
    result_json: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return result_json


def draw_by_strategies(seed: int, reports: int) -> Reports:
    """Reports that our strategies draw for all cases."""
    answers = itertools.chain.from_iterable(
        answers for number in itertools.count() for answers in draw_batches(1000 * seed + number, 40)
    )
    first = list(itertools.islice(answers, reports))
    return [entry.payload for entry in payloads.address_all(first, IdFactory())]


def measure_speed(rounds: int) -> Iterator[Measurement]:
    """Answers a second, beside Schemathesis's own generator on the same schema."""
    if is_installed():
        seeds = itertools.count()
        ours = entries_per_second(runner.batches_of(strategies.answers_for_any(load_catalogue().cases)))
        bound = ("Schemathesis's generator", lambda: float(draw_by_schemathesis(next(seeds), 0)["a_second"]))
        name = "generation beside a peer"
        yield measure_pairs(
            name, unit="payloads/s", ours=ours, bound=bound, rounds=rounds, aim=Aim("ratio", 10)
        )


def measure_variety(rounds: int) -> Iterator[Measurement]:
    """What as many reports of each reach: cases, orders of details, and keywords of the schema."""
    if is_installed():
        ours = [list_reached(draw_by_strategies(seed, REPORTS)) for seed in range(rounds)]
        theirs = [list_reached(draw_by_schemathesis(seed, REPORTS)["reports"]) for seed in range(rounds)]
        for name in ours[0]:
            our_counts = iter([float(len(kinds[name])) for kinds in ours])
            their_counts = iter([float(len(kinds[name])) for kinds in theirs])
            yield measure_pairs(
                f"variety: {name}",
                unit=COUNT,
                ours=our_counts.__next__,
                bound=(f"Schemathesis, {REPORTS} reports each", their_counts.__next__),
                rounds=rounds,
                aim=Aim("ratio", 1),
            )


def list_reached(reports: Reports) -> dict[str, Collection[Any]]:
    """What these reports reach, by kind."""
    cases = {case.id for report in reports if (case := load_catalogue().decide(report))}
    keywords = {keyword for report in reports for keyword in schema_coverage.covered(REPORT, "", report)}
    return {"cases": cases, "orders of details": set(map(order_of_details, reports)), "keywords": keywords}


def order_of_details(report: Mapping[str, Any]) -> tuple[str, ...]:
    """The known types of a report's details, in their order; `?` stands for any other."""
    response = report.get("response")
    error = response.get("error") if isinstance(response, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    if not isinstance(details, list):
        return ()
    types = [detail.get("@type") if isinstance(detail, dict) else None for detail in details]
    return tuple(name if isinstance(name, str) and name in known_types() else "?" for name in types)


@functools.cache
def known_types() -> frozenset[str]:
    """The types of details that the catalogue's examples have."""
    errors = [
        case.example["response"].get("error")
        for case in load_catalogue().cases
        if isinstance(case.example["response"], dict)
    ]
    details = [error["details"] for error in errors if isinstance(error, dict) and "details" in error]
    return frozenset(detail["@type"] for listed in details for detail in listed if "@type" in detail)
