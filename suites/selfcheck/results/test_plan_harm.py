"""The report holds back the step with which the harm begins, and calls only safe steps safe."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.findings import Finding
from fixtures.core.topology import FLOW, SENDER_VERSIONS, VERSION_MIXES, get_version_number
from fixtures.release.order import analysis, plan, release_file, service_probe
from fixtures.release.order.analysis import Analysis
from fixtures.release.order.orders import is_safe
from fixtures.release.order.release_file import MessageEdge
from fixtures.release.order.state_space import BEFORE, Safety
from fixtures.results.report.headline import format_reason, list_next_steps
from fixtures.results.report.impact import FindingKind, group_findings
from fixtures.results.report.model import ReportRun
from fixtures.results.report.plan_harm import PlanHarm
from fixtures.results.rollout_answer import describe_rollback
from suites.selfcheck.results.sample_reports import build_rollout_answer, build_run, with_plan
from suites.selfcheck.results.sample_runs import good_run

PLAN = release_file.read_release().plan
CASES = {"legacy": "legacy-Unavailable", "fcm_v1": "v1-UNAVAILABLE"}
SENDER = "go-sender"


def harmful(provider: str, protocol: str, rule: str = "effects.subscriber") -> dict[str, Any]:
    """A finding: a live user is unsubscribed."""
    got = {"live-user-unsubscribed": 1} if rule.startswith("rollout") else {"status": "unsubscribed"}
    case = CASES[protocol]
    return Finding(
        rule=rule,
        provider=provider,
        case=case,
        title=f"unsubscribes at {case}",
        sent=[],
        expected="x",
        got=got,
    ).to_json()


def kinds_of(*findings: dict[str, Any]) -> tuple[FindingKind, ...]:
    return group_findings(findings)


@pytest.fixture(scope="module")
def analysed() -> Analysis:
    release = release_file.read_release()
    return analysis.analyse_release(
        release, service_probe.judge_reference_pairs(release, load_catalogue()), None
    )


def analyse_with_harm(analysed: Analysis, service: str, protocol: str) -> Analysis:
    """The release if the new version of a service harms users: by what it reads, or writes if it is first."""
    release = analysed.release
    writes = release.ordered_edges[0].writer == service
    kind = CASES[protocol], "live-user-unsubscribed"

    def does_harm(edge: MessageEdge, shape: str, version: str) -> bool:
        if writes:
            return edge.writer == service and (shape, version) == ("after", SENDER_VERSIONS[protocol])
        return (edge.reader, version) == (service, "after") and shape.startswith(SENDER_VERSIONS[protocol])

    rows = {
        (name, shape, version): replace(row, damage=row.damage | {kind})
        if does_harm(release.edge(name), shape, version)
        else row
        for (name, shape, version), row in analysed.table.rows.items()
    }
    return analysis.analyse_release(release, replace(analysed.table, rows=rows), None)


@pytest.fixture(scope="module")
def answer(analysed: Analysis) -> Mapping[str, Any]:
    return analysis.build_answer(analysed)


@pytest.mark.parametrize("protocol", CASES)
@pytest.mark.parametrize("service", FLOW)
def test_a_fault_holds_back_the_step_that_brings_its_harm(
    service: str, protocol: str, answer: Mapping[str, Any], analysed: Analysis
) -> None:
    harm = PlanHarm.from_findings(kinds_of(harmful(service, protocol)), answer)
    if (service, protocol) == (SENDER, "legacy"):  # only the version before the release speaks it
        assert harm.present
        assert not harm.steps
        return
    (held,) = harm.steps
    assert held.name == (service if protocol == "legacy" else SENDER)
    done_steps = PLAN[: PLAN.index(held.name) + 1]
    assert service in done_steps
    assert protocol == "legacy" or SENDER in done_steps
    assert harm.safe_meanwhile is not None
    assert not {held.name} & set(harm.safe_meanwhile)
    with_harm = analyse_with_harm(analysed, service, protocol).space
    assert is_safe(with_harm, done_steps[:-1])
    assert not is_safe(with_harm, done_steps)
    assert is_safe(with_harm, harm.safe_meanwhile)


@pytest.mark.parametrize("step", PLAN)
def test_a_step_is_taken_back_safely_whatever_else_is_released(
    step: str, answer: Mapping[str, Any], analysed: Analysis
) -> None:
    names, position = analysed.release.names, PLAN.index(step)
    row = answer["steps"][position]
    if step not in names:
        assert not row["taken_back"]
        assert describe_rollback(answer, step).startswith("go back as the rollout says")
        return
    for last in range(position, len(PLAN)):
        state = plan.state_after(analysed.space, PLAN[: last + 1]).state
        for text in row["taken_back"]:
            stop, _, service = text.rpartition(" ")
            if service in PLAN[: last + 1]:
                drained = stop.startswith("stop")
                safety, state = analysed.space.roll_back(state, names.index(service), drained=drained)
                assert safety is Safety.SAFE, (step, PLAN[last], service)
        assert state.live[names.index(step)] == BEFORE


@pytest.mark.parametrize("held", list(itertools.combinations(PLAN, 2)))
def test_the_steps_called_safe_are_safe_whatever_is_held_back(
    held: tuple[str, str], answer: Mapping[str, Any], analysed: Analysis
) -> None:
    findings = [harmful(step, "legacy", "rollout.step") for step in held]
    harm = PlanHarm.from_findings(kinds_of(*findings), answer)
    assert {step.name for step in harm.steps} == set(held)
    assert harm.safe_meanwhile is not None
    assert is_safe(analysed.space, harm.safe_meanwhile)


def test_every_step_is_harmful_from_the_first_one_on(answer: Mapping[str, Any]) -> None:
    harm = PlanHarm.from_findings(kinds_of(harmful("subscribers-errors", "legacy")), answer)
    position = PLAN.index("subscribers-errors")
    assert [harm.is_harmful_after(step) for step in PLAN] == [
        number >= position for number in range(len(PLAN))
    ]


def test_what_is_wrong_end_to_end_holds_back_all_that_may_be_at_fault(answer: Mapping[str, Any]) -> None:
    for mix, first in (("all-after-legacy", PLAN[0]), ("all-before-legacy", None), ("all-after-v1", SENDER)):
        protocol = VERSION_MIXES[mix].protocols[0]
        harm = PlanHarm.from_findings(kinds_of(harmful(mix, protocol, "chain.subscriber")), answer)
        assert [step.name for step in harm.steps] == ([first] if first else [])
        assert bool(harm.present) == (first is None)
    without_case = {**harmful("all-after-v1", "fcm_v1", "chain.subscriber"), "case": None}
    assert [step.name for step in PlanHarm.from_findings(kinds_of(without_case), answer).steps] == [SENDER]
    echo = kinds_of(harmful("subscribers-errors", "fcm_v1"), harmful("all-after-v1", "fcm_v1"))
    assert [step.name for step in PlanHarm.from_findings(echo, answer).steps] == [SENDER]
    service = harmful("subscribers-errors", "legacy")
    life = {**harmful("all-after-legacy", "legacy", "chain.subscriber"), "case": None}
    harm = PlanHarm.from_findings(kinds_of(service, life), answer)
    assert [step.name for step in harm.steps] == ["subscribers-errors"]
    other_protocol = {**life, "provider": "all-after-v1"}
    harm = PlanHarm.from_findings(kinds_of(service, other_protocol), answer)
    assert [step.name for step in harm.steps] == ["subscribers-errors", SENDER]
    before = harmful("all-before-legacy", "legacy", "chain.subscriber")  # no new service takes part
    assert PlanHarm.from_findings(kinds_of(service, before), answer).present


def test_the_plan_is_told_to_be_at_fault_where_it_is(answer: Mapping[str, Any]) -> None:
    unsafe = {**answer, "verdict": "no-go"}
    harm = PlanHarm.from_findings(kinds_of(harmful("clean records", "legacy", "rollout.step")), unsafe)
    assert [step.name for step in harm.steps] == ["clean records"]
    assert harm.safe_meanwhile is None


def run_with(
    findings: Sequence[dict[str, Any]], answer: Mapping[str, Any] | None, run: ReportRun
) -> ReportRun:
    return replace(
        run, verdict={**run.verdict, "verdict": "no-go", "findings": list(findings), "rollout": answer}
    )


def test_the_first_advice_names_the_step_the_harm_and_the_sender(
    tmp_path: Any, answer: Mapping[str, Any]
) -> None:
    run = with_plan(build_run(tmp_path, good_run()), None)
    legacy = run_with([harmful("subscribers-errors", "legacy")], answer, run)
    culprit = f"subscribers-errors {get_version_number('subscribers-errors', 'after')}"
    old, new = (f"{SENDER} {get_version_number(SENDER, version)}" for version in ("before", "after"))
    assert format_reason([legacy]) == f"with {culprit}, 1 kind of live users would be unsubscribed"
    first, safe, back, *_ = list_next_steps([legacy])
    assert first == (
        f"Hold back step 2, {culprit}: from there on, 1 kind of live users would be unsubscribed, "
        f"seen at subscribers-errors, under {old}."
    )
    assert safe == (
        "Safe meanwhile, in this order: directory-events-api, directory-errors-listener, "
        "subscribers-postponed, directory-responses, directory-messages, events-proxy, clean records."
    )
    assert back == (
        "If subscribers-errors is released already: take back what is released of these: first go-sender "
        "(stop, and wait until nothing is in transit), then subscribers-errors."
    )
    v1 = run_with([harmful("subscribers-errors", "fcm_v1")], answer, run)
    assert format_reason([v1]).startswith(f"with {culprit}, ")
    assert list_next_steps([v1])[0].startswith(f"Hold back step 9, {new}: ")
    without_case = run_with([{**harmful(SENDER, "fcm_v1"), "case": None}], answer, run)
    assert list_next_steps([without_case])[0].startswith(f"Hold back step 9, {new}: ")
    assert list_next_steps([without_case])[2] == (
        "If go-sender is released already: stop, wait until nothing is in transit, then take back go-sender."
    )
    unordered = run_with([harmful("subscribers-errors", "legacy")], None, run)
    assert "Take no other step meanwhile: no safe order" in " ".join(list_next_steps([unordered]))
    present = run_with([harmful(SENDER, "legacy")], answer, run)
    assert list_next_steps([present])[0].startswith(f"Mend {old} at once: it is live before the release")


def test_what_a_service_shows_by_itself_is_said_before_what_is_seen_end_to_end(
    tmp_path: Any, answer: Mapping[str, Any]
) -> None:
    findings = [harmful("all-after-legacy", "legacy", "chain.subscriber")] * 2
    findings.append({**harmful("directory-messages", "legacy"), "case": None})
    run = run_with(findings, answer, with_plan(build_run(tmp_path, good_run()), None))
    first, second, safe, back, evidence, again = list_next_steps([run])
    messages = f"directory-messages {get_version_number('directory-messages', 'after')}"
    assert format_reason([run]) == f"with {messages}, 2 kinds of live users would be unsubscribed"
    assert first.startswith(f"Hold back step 6, {messages}: ")
    assert second.startswith("Hold back step 1, directory-events-api ")
    assert ", seen only end to end, where any new service may be at fault, under " in second
    assert "directory-messages" not in safe
    assert "directory-events-api" not in safe
    assert back.startswith("If directory-messages is released already: ")
    assert back.endswith(", then directory-messages. Once it is released again, take again: clean records.")
    assert evidence.startswith("Give what was found at directory-messages (1 page) ")
    assert again.endswith(": what was found end to end (1 page) may come from the same fault.")
    three = run_with([*findings, harmful(SENDER, "fcm_v1")], answer, run)
    assert "directory-events-api" in (third := list_next_steps([three])[2])
    assert third.endswith(", too: its harm is seen only end to end, where any new service may be at fault.")
    alone = run_with(findings[:2], answer, run)
    assert format_reason([alone]).startswith("with the new versions together, ")
    assert "Look at what was found end to end (1 page): any new service may be at fault." in list_next_steps(
        [alone]
    )


def test_a_wrong_plan_is_changed_first(tmp_path: Any) -> None:
    unsafe = build_rollout_answer("go-sender: it hurts")
    run = with_plan(build_run(tmp_path, good_run()), unsafe)
    finding = harmful("go-sender", "fcm_v1", "rollout.step")
    first, held, *_ = list_next_steps([run_with([finding], unsafe, run)])
    assert first == f"Change the plan. The nearest safe order: {', '.join(unsafe['suggestion'])}."
    assert held.startswith("Hold back step 3, go-sender")
    assert held.endswith("would be unsubscribed, by the states that the plan passes.")
