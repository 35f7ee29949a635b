"""What a deep run covers is counted within limits, and what it finds becomes examples of every gate."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import payloads
from fixtures.core.catalogue import REPORT_SCHEMAS, Case, example_report, load_catalogue
from fixtures.core.outcome import Outcome, ProviderAnswer
from fixtures.core.payloads import IdFactory
from fixtures.generation import recordings, schema_coverage
from fixtures.scenarios.coverage import corpus, coverage, features
from fixtures.scenarios.coverage.coverage import MAX_KINDS, MAX_POINTS, CoverageSummary
from fixtures.scenarios.coverage.recorder import BehaviourRecorder, covered_keywords
from suites.selfcheck.sample_answers import draw_answers

CASES = load_catalogue().cases
ACCEPTED = Outcome(ProviderAnswer(202, {"accepted": 1}, "", "application/json"))


# --- behaviours and keywords


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_traits_do_not_depend_on_the_subscriber(case: Case) -> None:
    first, second = (payloads.address(example_report(case), IdFactory()) for _ in range(2))
    assert first != second
    assert features.payload_traits(first) == features.payload_traits(second)


def test_most_examples_of_cases_differ_in_their_traits() -> None:
    reports = {case: payloads.address(example_report(case), IdFactory()) for case in CASES}
    distinct = {(case.protocol, features.payload_traits(report)) for case, report in reports.items()}
    assert len(distinct) > len(CASES) * 3 / 4


@pytest.mark.parametrize("protocol", REPORT_SCHEMAS)
def test_covered_and_uncovered_keywords_are_disjoint(protocol: str) -> None:
    file, case = REPORT_SCHEMAS[protocol], next(case for case in CASES if case.protocol == protocol)
    reports = [payloads.address(answer, IdFactory()) for answer in draw_answers(case)[:20]]
    covered = {name for report in reports for name in schema_coverage.covered(file, "", report)}
    assert covered < set(schema_coverage.coverable(file))
    names = schema_coverage.uncovered(file, "", reports)
    assert not {name.removesuffix(": nothing reaches it") for name in names} & covered
    assert all(covered_keywords(protocol, report) for report in reports)


def test_a_repeated_batch_has_no_new_behaviour(tmp_path: Path) -> None:
    recorder = BehaviourRecorder(tmp_path)
    for _ in range(2):
        batch = payloads.address_all([example_report(CASES[0])], IdFactory())
        recorder.record("subscribers-errors", batch, ACCEPTED)
        recorder.flush()
    (file,) = tmp_path.iterdir()
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert (first["reports"], second["reports"]) == (1, 1)
    assert (len(first["behaviours"]) > 3, len(first["cells"])) == (True, 1)
    assert (second["behaviours"], second["cells"]) == ([], [])


# --- the sum of all records


def record(reports: int, *behaviours: int) -> dict[str, Any]:
    return {"reports": reports, "behaviours": list(behaviours), "cells": []}


def summarize(*records: Mapping[str, Any]) -> CoverageSummary:
    """The sum of records, one each second."""
    summary = CoverageSummary()
    for second, row in enumerate(records, start=1):
        summary.add_record(row, second)
    return summary


SATURATION = {
    "nothing was explored": ([], "Nothing was explored"),
    "all is new": ([record(100, *range(n, n + 50)) for n in range(0, 500, 50)], "still find much"),
    "a little is new": ([record(1000, n) for n in range(10)], "still find little"),
    "nothing is new": ([record(1000, 7) for _ in range(10)], "still find hardly anything"),
}


@pytest.mark.parametrize(("records", "text"), SATURATION.values(), ids=SATURATION)
def test_the_end_of_the_curve_is_described(records: list[dict[str, Any]], text: str) -> None:
    summary = summarize(*records)
    _, description = summary.saturation()
    assert text in description
    assert text in coverage.draw_curve(summary.curve, description)


def test_the_summary_does_not_grow_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "MAX_BEHAVIOURS", 50)
    summary = summarize(*[record(10, n) for n in range(3000)])
    summary.add_findings({"provider": "p", "title": f"answers {n}"} for n in range(1000))
    assert (summary.reports, summary.behaviours) == (30_000, 50)
    assert len(summary.curve) <= MAX_POINTS
    assert summary.curve[-1] == (3000, 30_000, 50)
    assert (len(summary.findings), summary.left_out) == (MAX_KINDS, 1000 - MAX_KINDS)
    assert "no more can be" in summary.saturation()[1]


def test_keywords_reached_at_some_provider_or_at_none_are_named() -> None:
    case = CASES[0]
    summary = summarize({**record(1), "cells": [["subscribers-errors", case.id, {"0": 3}]]})
    result = summary.coverage(load_catalogue())
    keywords = schema_coverage.coverable(REPORT_SCHEMAS[case.protocol])
    assert (result["reached"], result["not_everywhere"]) == (1, 1)
    assert result["cases"][case.id]["not_everywhere"] == [keywords[0]]
    assert result["cases"][case.id]["never"] == list(keywords[1:])
    assert keywords[0] not in result["never_by_any_case"]
    assert keywords[1] in result["never_by_any_case"]


# --- from findings to examples


def finding(sent: Any) -> dict[str, Any]:
    return {"provider": "subscribers-errors", "title": "does it wrong", "sent": sent}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_example_has_the_case_of_its_finding(case: Case, tmp_path: Path) -> None:
    report = payloads.address(example_report(case), IdFactory())
    (line,) = corpus.recording_lines([finding([report])])
    assert report["token"] not in line
    assert report["subscriber_id"] not in line
    file = tmp_path / "found.ndjson"
    file.write_text(f"{line}\n", encoding="utf-8")
    (answer,) = recordings.read_answers(file)
    assert load_catalogue().decide(answer) is case
    assert answer["retry_after"] == report["retry_after"]


def test_findings_without_an_answer_make_no_example() -> None:
    without_answers: list[Any] = [None, [{}], "not json", [{"http_status": 200}]]
    assert corpus.recording_lines(map(finding, without_answers)) == []


def test_an_example_is_added_once(tmp_path: Path) -> None:
    reports = [payloads.address(example_report(case), IdFactory()) for case in CASES[:3]]
    source, target = tmp_path / "found.ndjson", tmp_path / "known.ndjson"
    lines = corpus.recording_lines([finding(reports)])
    source.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert [corpus.append_new(source, target), corpus.append_new(source, target)] == [3, 0]
    assert target.read_text() == source.read_text()
