"""The order that is planned: every step of it is safe, and so is the way back."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fixtures.checks.rollout import constraints_are_kept, step_is_safe
from fixtures.release.order import release_file
from suites.types import RaiseIfFound

STEPS = release_file.read_release().plan


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_safe(raise_if_found: RaiseIfFound, step: str, answer: Mapping[str, Any]) -> None:
    (judged_step,) = (row for row in answer["steps"] if row["step"] == step)
    assert judged_step["verdict"] != "undecided", judged_step["unknown"]
    raise_if_found(step_is_safe(judged_step))


@pytest.mark.parametrize("step", STEPS)
def test_the_way_back_is_open_after(step: str, answer: Mapping[str, Any]) -> None:
    (judged_step,) = (row for row in answer["steps"] if row["step"] == step)
    assert judged_step["way_back"]["state"] != "closed"
    services = [row["step"] for row in answer["steps"][: STEPS.index(step) + 1] if row["before"]]
    assert sorted(back.rpartition(" ")[2] for back in judged_step["way_back"]["steps"]) == sorted(services)


def test_the_answer_goes_into_the_ledger(
    raise_if_found: RaiseIfFound, answer: Mapping[str, Any], record_property: Callable[[str, object], None]
) -> None:
    record_property("rollout", json.dumps(answer))
    raise_if_found(constraints_are_kept(answer["reasons"]))
    assert not answer["disagreements"]
