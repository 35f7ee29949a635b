"""Plans that are wrong in one way each: no-go at the right step and service, and for the right reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from fixtures.release.order import orders
from fixtures.release.order import plan as walk
from fixtures.release.order import release_file as release
from fixtures.release.order.analysis import Judged
from fixtures.release.order.counterexample import Timelines
from fixtures.release.order.release_file import Step
from fixtures.release.order.state_space import Safety

PLAN = [step.name for step in release.read().plan]


def moved(step: str, place: int) -> list[str]:
    """The plan with one step at another place."""
    rest = [name for name in PLAN if name != step]
    return [*rest[:place], step, *rest[place:]]


@dataclass(frozen=True)
class Wrong:
    """A wrong plan: the step that does damage, where, and what the counterexample must show."""

    plan: Sequence[str]
    step: str
    edge: str
    reader: str
    kind: str
    shown: str


LAST = len(PLAN) - 1
WRONG = {
    "go-sender-first": Wrong(
        moved("go-sender", 0), "go-sender", "records", "after", "stuck", "has no `v1`"
    ),
    "clean-up-left-out": Wrong(
        [name for name in PLAN if name != "clean records"],
        "go-sender", "records", "after", "stuck", "still in the container",
    ),
    "clean-up-before-directory-messages": Wrong(
        moved("clean records", PLAN.index("directory-messages")),
        "go-sender", "records", "after", "dead-device-kept", "still in the container",
    ),
    "clean-up-first": Wrong(
        moved("clean records", 0), "go-sender", "records", "after", "stuck", "has no `v1`"
    ),
    "clean-up-after-go-sender": Wrong(
        moved("clean records", LAST), "go-sender", "records", "after", "stuck", "has no `v1`"
    ),
    "subscribers-errors-last": Wrong(
        moved("subscribers-errors", LAST), "go-sender", "errors", "before", "dead-device-kept", "answers 500"
    ),
    "listener-after-go-sender": Wrong(
        moved("directory-errors-listener", LAST),
        "go-sender", "events", "before", "stuck", "response.error is not a string",
    ),
    "events-proxy-after-go-sender": Wrong(
        moved("events-proxy", LAST),
        "go-sender", "errors", "after", "dead-device-kept", "events-proxy 1.12.5.0",
    ),
    "directory-events-api-after-go-sender": Wrong(
        moved("directory-events-api", LAST),
        "go-sender", "forwarded reports", "before", "stuck", "unknown member `protocol`",
    ),
    "directory-responses-after-go-sender": Wrong(
        moved("directory-responses", LAST), "go-sender", "responses", "before", "stuck", "answers 422"
    ),
    "subscribers-postponed-after-go-sender": Wrong(
        moved("subscribers-postponed", LAST), "go-sender", "postponements", "before", "stuck", "is not listed"
    ),
    "directory-messages-last": Wrong(
        moved("directory-messages", LAST), "go-sender", "records", "after", "dead-device-kept", "has no `v1`"
    ),
    "the-whole-plan-backwards": Wrong(
        PLAN[::-1], "go-sender", "records", "after", "dead-device-kept", "has no `v1`"
    ),
}  # fmt: skip


def steps(names: Sequence[str]) -> list[Step]:
    """A plan by the names of its steps."""
    return [Step(name) for name in names]


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_plan_is_no_go_with_the_right_counterexample(wrong: Wrong, judged: Judged) -> None:
    walked = walk.walk(judged.space, steps(wrong.plan))
    first = next(one for one in walked if one.safety is Safety.UNSAFE)
    assert first.step.name == wrong.step
    hits = [hit for hit in first.hits if (hit[0], hit[2]) == (wrong.edge, wrong.reader)]
    assert hits, first.hits
    kinds = {kind for hit in hits for _, kind in judged.table.rows[hit].damage}
    assert wrong.kind in kinds
    told = Timelines(judged.space, judged.table, judged.fates).of_plan(steps(wrong.plan), hits[0])
    assert any(wrong.shown in event for event in told), told
    assert sum(event.startswith("deploy ") for event in told) <= len(PLAN)


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_the_plan_that_is_suggested_instead_is_safe_and_near(wrong: Wrong, judged: Judged) -> None:
    suggested = orders.nearest(judged.space, steps(wrong.plan))
    assert suggested is not None
    assert orders.is_safe(judged.space, suggested)
    assert {step.name for step in suggested} == set(PLAN)


def test_a_plan_that_is_safe_is_its_own_nearest(judged: Judged) -> None:
    assert orders.is_safe(judged.space, judged.release.plan)
    assert {one.safety for one in walk.walk(judged.space, judged.release.plan)} == {Safety.SAFE}
