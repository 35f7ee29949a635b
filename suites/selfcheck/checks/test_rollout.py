"""The rollout checks report each damage of a step and each broken constraint."""

from collections.abc import Mapping
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.rollout import constraints_are_kept, step_is_safe

DAMAGE = {
    "service": "subscribers-errors",
    "edge": "errors",
    "kinds": ["lost"],
    "text": "loses an event",
    "cause": {"step": "go-sender", "too_early_for": None},
    "timeline": ["go-sender sends", "subscribers-errors crashes"],
}
OTHER = {
    **DAMAGE,
    "text": "stops",
    "kinds": ["stuck"],
    "timeline": [],
    "cause": {"step": "clean records", "too_early_for": "directory-messages"},
}
STEPS: Mapping[str, tuple[str, list[Any]]] = {
    "safe": ("go", []),
    "unknown": ("undecided", [DAMAGE]),
    "two damages": ("no-go", [DAMAGE, OTHER]),
    "an earlier step's": ("no-go", []),
}


@pytest.mark.parametrize(("verdict", "damage"), STEPS.values(), ids=STEPS)
def test_a_step_is_unsafe_for_each_damage(
    verdict: str, damage: list[Any], snapshot: SnapshotAssertion
) -> None:
    findings = step_is_safe({"step": "go-sender", "verdict": verdict, "damage": damage})
    assert [finding.to_json() for finding in findings] == snapshot


def test_each_constraint_that_is_not_kept_is_told(snapshot: SnapshotAssertion) -> None:
    reasons = ["stated-constraint: a before b", "damage: go-sender", "stated-constraint: b before c"]
    assert [finding.to_json() for finding in constraints_are_kept(reasons)] == snapshot
