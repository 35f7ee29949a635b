"""The order that is planned: every step of it is safe, and so is the way back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fixtures.checks.rollout import constraints_are_kept, step_is_safe
from fixtures.release.order import release_file
from suites.types import RaiseIfFound

STEPS = [step.name for step in release_file.read().plan]


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_safe(raise_if_found: RaiseIfFound, step: str, answered: Mapping[str, Any]) -> None:
    (found,) = (one for one in answered["steps"] if one["step"] == step)
    assert found["verdict"] != "undecided", found["unknown"]
    raise_if_found(step_is_safe(found))


@pytest.mark.parametrize("step", STEPS)
def test_the_way_back_is_open_after(step: str, answered: Mapping[str, Any]) -> None:
    (found,) = (one for one in answered["steps"] if one["step"] == step)
    assert found["way_back"]["state"] != "closed"
    services = [one["step"] for one in answered["steps"][: STEPS.index(step) + 1] if one["before"]]
    assert sorted(back.rpartition(" ")[2] for back in found["way_back"]["steps"]) == sorted(services)


def test_the_answer_goes_into_the_ledger(
    raise_if_found: RaiseIfFound, answered: Mapping[str, Any], record_property: Callable[[str, object], None]
) -> None:
    record_property("rollout", json.dumps(answered))
    raise_if_found(constraints_are_kept(answered["reasons"]))
    assert not answered["disagreements"]
