"""Plans that are wrong in one way each are no-go at the right step, for the right reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from fixtures.release.order import orders, plan, release_file
from fixtures.release.order.analysis import Analysis, build_answer
from fixtures.release.order.plan import Timelines
from fixtures.release.order.presentation import draw_constraints
from fixtures.release.order.state_space import Safety

PLAN = list(release_file.read_release().plan)


def moved(step: str, index: int) -> list[str]:
    """The plan with one step at another index."""
    rest = [name for name in PLAN if name != step]
    return [*rest[:index], step, *rest[index:]]


@dataclass(frozen=True)
class WrongPlan:
    """A wrong plan: the step that does damage, where, what the counterexample shows, the step at fault."""

    plan: Sequence[str]
    step: str
    edge: str
    reader: str
    kind: str
    event: str
    at_fault: str = "go-sender"


LAST = len(PLAN) - 1
WRONG = {
    "go-sender-first": WrongPlan(
        moved("go-sender", 0), "go-sender", "records", "after", "stuck", "has no `v1`"
    ),
    "clean-up-left-out": WrongPlan(
        [name for name in PLAN if name != "clean records"],
        "go-sender", "records", "after", "stuck", "still in the container",
    ),
    "clean-up-before-directory-messages": WrongPlan(
        moved("clean records", PLAN.index("directory-messages")),
        "go-sender", "records", "after", "dead-device-kept", "still in the container",
        at_fault="clean records",
    ),
    "clean-up-first": WrongPlan(
        moved("clean records", 0), "go-sender", "records", "after", "stuck", "has no `v1`",
        at_fault="clean records",
    ),
    "clean-up-after-go-sender": WrongPlan(
        moved("clean records", LAST), "go-sender", "records", "after", "stuck", "has no `v1`"
    ),
    "subscribers-errors-last": WrongPlan(
        moved("subscribers-errors", LAST), "go-sender", "errors", "before", "dead-device-kept", "answers 500"
    ),
    "listener-after-go-sender": WrongPlan(
        moved("directory-errors-listener", LAST),
        "go-sender", "events", "before", "stuck", "response.error is not a string",
    ),
    "events-proxy-after-go-sender": WrongPlan(
        moved("events-proxy", LAST),
        "go-sender", "errors", "after", "dead-device-kept", "events-proxy 1.12.5.0",
    ),
    "directory-events-api-after-go-sender": WrongPlan(
        moved("directory-events-api", LAST),
        "go-sender", "forwarded reports", "before", "stuck", "unknown member `protocol`",
    ),
    "directory-responses-after-go-sender": WrongPlan(
        moved("directory-responses", LAST), "go-sender", "responses", "before", "stuck", "answers 422"
    ),
    "subscribers-postponed-after-go-sender": WrongPlan(
        moved("subscribers-postponed", LAST), "go-sender", "postponements", "before", "stuck", "is not listed"
    ),
    "directory-messages-last": WrongPlan(
        moved("directory-messages", LAST), "go-sender", "records", "after", "dead-device-kept", "has no `v1`",
        at_fault="clean records",
    ),
    "the-whole-plan-backwards": WrongPlan(
        PLAN[::-1], "go-sender", "records", "after", "dead-device-kept", "has no `v1`"
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong_plan", WRONG.values(), ids=WRONG)
def test_a_wrong_plan_is_no_go_with_the_right_counterexample(
    wrong_plan: WrongPlan, analysed: Analysis
) -> None:
    judged_steps = plan.judge_plan(analysed.space, wrong_plan.plan)
    first = next(step for step in judged_steps if step.safety is Safety.UNSAFE)
    assert first.step == wrong_plan.step
    violations = [v for v in first.violations if (v[0], v[2]) == (wrong_plan.edge, wrong_plan.reader)]
    assert violations, first.violations
    kinds = {kind for violation in violations for _, kind in analysed.table.rows[violation].damage}
    assert wrong_plan.kind in kinds
    timeline = Timelines(analysed.space, analysed.table, analysed.path_runs).explain_plan(
        wrong_plan.plan, violations[0]
    )
    assert any(wrong_plan.event in event for event in timeline), timeline
    assert sum(event.startswith("deploy ") for event in timeline) <= len(PLAN)


@pytest.mark.parametrize("wrong_plan", WRONG.values(), ids=WRONG)
def test_the_step_that_comes_too_early_is_at_fault(wrong_plan: WrongPlan, analysed: Analysis) -> None:
    changed = replace(
        analysed,
        release=replace(analysed.release, plan=tuple(wrong_plan.plan)),
        judged_steps=tuple(plan.judge_plan(analysed.space, wrong_plan.plan)),
    )
    answer = build_answer(changed)
    step = next(step for step in answer["steps"] if step["verdict"] == "no-go")
    damage = next(damage for damage in step["damage"] if damage["edge"] == wrong_plan.edge)
    cause = damage["cause"]
    assert (cause["step"], step["step"]) == (wrong_plan.at_fault, wrong_plan.step)
    reason = f"{cause['step']} comes before {cause['too_early_for']}: {damage['text']}"
    assert reason in answer["reasons"]
    broken = {(rule["first"], rule["then"]) for rule in answer["constraints"] if not rule["kept"]}
    assert (cause["too_early_for"], cause["step"]) in broken
    assert draw_constraints(answer).count("broken</text>") == len(broken)
    assert "{" not in "".join(answer["reasons"])


@pytest.mark.parametrize("wrong_plan", WRONG.values(), ids=WRONG)
def test_the_plan_that_is_suggested_instead_is_safe_and_near(
    wrong_plan: WrongPlan, analysed: Analysis
) -> None:
    suggested = orders.find_nearest_plan(analysed.space, wrong_plan.plan)
    assert suggested is not None
    assert orders.is_safe(analysed.space, suggested)
    assert set(suggested) == set(PLAN)


def test_a_plan_that_is_safe_is_its_own_nearest(analysed: Analysis) -> None:
    assert orders.is_safe(analysed.space, analysed.release.plan)
    assert {step.safety for step in plan.judge_plan(analysed.space, analysed.release.plan)} == {Safety.SAFE}
