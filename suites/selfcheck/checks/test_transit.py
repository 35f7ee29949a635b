"""What a service that passes things on may do to them, and what is found in what it may not do."""

import json
from typing import Any

import pytest

from fixtures.checks.transit import (
    QueueTransit,
    Transit,
    every_event_is_handed_over,
    every_report_is_forwarded,
)
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.harm import LOST, WRONG, Harm
from fixtures.core.payloads import BatchEntry

CASE = load_catalogue().cases[0]
REPORT = {"report_id": "r1", "event_id": "e1", "more": None, **example_report(CASE)}
ENTRY = BatchEntry(REPORT, CASE)
SAME: dict[str, Any] = {"accepted": [ENTRY], "arrived": [REPORT]}
EMPTY: dict[str, Any] = {"left_in_queue": 0, "dead_letters": []}
WITHOUT_NULL = {name: value for name, value in REPORT.items() if name != "more"}
BURIED = json.dumps(REPORT)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="as it was"),
        pytest.param({"arrived": [REPORT, REPORT]}, id="twice"),
        pytest.param({"arrived": [{**REPORT, "by": "x"}, 5]}, id="with a member of its own"),
    ],
)
def test_what_may_happen_on_the_way(changed: dict[str, Any]) -> None:
    assert not list(every_report_is_forwarded(Transit(**SAME | changed)))
    assert not list(every_event_is_handed_over(QueueTransit(**EMPTY, **SAME | changed)))


@pytest.mark.parametrize(
    ("changed", "rule", "title", "harm"),
    [
        ({"arrived": []}, "lost-report", "loses a report that it accepted", LOST),
        ({"arrived": [WITHOUT_NULL]}, "changed-report", "changes more", WRONG),
        ({"arrived": [REPORT, {**REPORT, "http_status": 1}]}, "changed-report", "changes http_status", WRONG),
        ({"refusals": ["500"]}, "refused-report", "refuses reports", LOST),
    ],
)
def test_what_may_not_happen_to_a_report(changed: dict[str, Any], rule: str, title: str, harm: Harm) -> None:
    (finding,) = every_report_is_forwarded(Transit(**SAME | {"situation": "in a test"} | changed))
    assert (finding.rule, finding.title) == (f"forwarding.{rule}", f"{title} in a test")
    assert (finding.harm, finding.rank) == (harm, "promise")


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({"arrived": []}, {"lost-event"}),
        ({"arrived": [{**REPORT, "event_id": "E1"}]}, {"lost-event"}),
        ({"arrived": [WITHOUT_NULL]}, {"changed-event"}),
        ({"left_in_queue": 1}, {"left-in-queue"}),
        ({"dead_letters": [BURIED]}, {"buried-event"}),
        ({"poison": ["["]}, {"unburied-poison"}),
        ({"poison": ["["], "dead_letters": [BURIED]}, {"buried-event", "unburied-poison"}),
        ({"poison": ["["], "dead_letters": ["["]}, set()),
    ],
)
def test_what_may_not_happen_to_an_event(changed: dict[str, Any], rules: set[str]) -> None:
    findings = list(every_event_is_handed_over(QueueTransit(**EMPTY | SAME | changed)))
    assert {finding.rule for finding in findings} == {f"handover.{rule}" for rule in rules}
