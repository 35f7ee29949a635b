"""A postponement ends at its time: not before, and not never."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from fixtures.checks.postponements import (
    PostponementLook,
    Postponements,
    every_due_subscriber_comes_back,
    no_postponement_ends_early,
)

ID = "00000000-0000-4000-8000-000000000001"
SHORT, LONG = "2026-01-01T00:00:10Z", "2026-01-01T00:00:30Z"
BEGAN, MIDDLE, END = (datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC) for second in (0, 10, 30))


def build_request(until: str) -> dict[str, str]:
    return {"subscriber_id": ID, "until": until, "reason": "R"}


def build_look(at: datetime, until: str | None) -> PostponementLook:
    return PostponementLook(subscriber_id=ID, at=at, until=until)


def resumed(at: datetime, until: Any) -> tuple[datetime, Any]:
    return at, {"subscriber_id": ID.upper(), "until": until}


RIGHT: Mapping[str, Any] = {
    "accepted": [build_request(LONG), build_request(SHORT)],
    "looks": [build_look(BEGAN, LONG), build_look(MIDDLE, LONG), build_look(END, None)],
    "resumed": [resumed(END, LONG)],
}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="one end for all"),
        pytest.param({"resumed": [resumed(MIDDLE, SHORT), resumed(END, LONG)]}, id="an end for each"),
        pytest.param({"resumed": [resumed(END, LONG)] * 2}, id="twice"),
        pytest.param({"looks": [build_look(END, LONG)]}, id="still shown at the end"),
        pytest.param({"accepted": [], "resumed": []}, id="nothing was asked for"),
    ],
)
def test_what_is_right(changed: Mapping[str, Any]) -> None:
    assert find_rules(changed) == []


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({"looks": [build_look(MIDDLE, SHORT)]}, ["shortened"]),
        ({"looks": [build_look(MIDDLE, "soon")]}, ["shortened"]),
        ({"looks": [build_look(MIDDLE, None)]}, ["lost"]),
        ({"resumed": [resumed(MIDDLE, LONG)]}, ["shortened"]),
        ({"resumed": [resumed(MIDDLE, SHORT)]}, ["not-resumed"]),
        ({"resumed": [resumed(END, None), (END, 5)]}, ["not-resumed"]),
        ({"refusals": [(build_request(LONG), "422")]}, ["refused"]),
    ],
)
def test_what_is_wrong(changed: Mapping[str, Any], rules: list[str]) -> None:
    assert find_rules(changed) == rules


def find_rules(changed: Mapping[str, Any]) -> list[str]:
    postponements = Postponements(**{**RIGHT, **changed})
    findings = chain(
        no_postponement_ends_early(postponements), every_due_subscriber_comes_back(postponements)
    )
    return [finding.rule.removeprefix("postponing.") for finding in findings]
