"""A finding shows one answer where that fails alone, and the whole batch where it takes several answers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.findings import Finding, FindingsError
from fixtures.faults.base import ServiceChange
from fixtures.faults.batches import change_entries
from fixtures.faults.runtime import build_responder
from fixtures.generation import runner, strategies
from fixtures.generation.runner import Profile
from fixtures.generation.shrinking import IN_COMPANY
from fixtures.scenarios.provider import ProviderScenario
from fixtures.services import load
from fixtures.services.store import Store
from fixtures.targets.embedded import in_memory_target
from suites.types import Answers

PROVIDER = "directory-responses"
CASES = [load_catalogue()[name] for name in ("legacy-NotRegistered", "legacy-Unavailable", "v1-UNREGISTERED")]
DEAD, BUSY, DEAD_IN_V1 = CASES
ANSWERS = [example_report(case) for case in CASES]
BATCHES = runner.batches_of(strategies.answers_for_any(CASES), most=9)

OpenScenario = Callable[[ServiceChange], ProviderScenario]


@pytest.fixture
def open_scenario() -> Iterator[OpenScenario]:
    """Create a scenario at a provider in memory that is changed."""
    store = Store()

    def create(change: ServiceChange) -> ProviderScenario:
        respond = build_responder(change(load(PROVIDER, "after")), store)
        return ProviderScenario(in_memory_target(PROVIDER, "after", respond), lambda _: ())

    yield create
    store.close()


def lose_dead_device(entries: list[Any], beside: str = "") -> list[Any]:
    """Drop the reports of NotRegistered, if an answer with an error code is among the others."""
    errors = [entry["response"].get("error") for entry in entries]
    is_wrong = not beside or beside in errors
    pairs = zip(entries, errors, strict=True)
    return [entry for entry, error in pairs if not (is_wrong and error == "NotRegistered")]


def lose_beside_busy(entries: list[Any]) -> list[Any]:
    return lose_dead_device(entries, beside="Unavailable")


def explore(scenario: ProviderScenario) -> tuple[Finding, ...]:
    def judge(answers: Answers) -> None:
        scenario.assert_handled(scenario.entries(answers))

    with pytest.raises(FindingsError) as caught:
        runner.explore("company", BATCHES, judge, profile=Profile(0, 50))
    return caught.value.findings


def replay(scenario: ProviderScenario) -> tuple[Finding, ...]:
    with pytest.raises(FindingsError) as caught:
        scenario.assert_all_handled(ANSWERS)
    return caught.value.findings


def decide_all(finding: Finding) -> list[str]:
    cases = [load_catalogue().decide(report) for report in finding.sent]
    return sorted(case.id for case in cases if case)


@pytest.mark.parametrize(("judge", "other_cases"), [(explore, []), (replay, [DEAD_IN_V1.id])])
def test_a_report_that_is_lost_beside_another_shows_the_batch(
    open_scenario: OpenScenario, judge: Callable[..., Any], other_cases: list[str]
) -> None:
    findings = judge(open_scenario(change_entries(lose_beside_busy)))
    assert {finding.check for finding in findings} == {"answers", "effects"}
    for finding in findings:
        assert decide_all(finding) == sorted([DEAD.id, BUSY.id, *other_cases])
        assert finding.remark.startswith(IN_COMPANY)
        assert ("The finding is about entry" in finding.remark) is (finding.check == "effects")


@pytest.mark.parametrize("judge", [explore, replay])
def test_a_report_that_is_always_lost_shows_itself(
    open_scenario: OpenScenario, judge: Callable[..., Any]
) -> None:
    findings = judge(open_scenario(change_entries(lose_dead_device)))
    assert {finding.check for finding in findings} == {"answers", "effects"}
    assert {(finding.remark, *decide_all(finding)) for finding in findings} == {("", DEAD.id)}


def test_a_report_that_is_lost_beside_another_is_found_among_those_that_fail_alone(
    open_scenario: OpenScenario,
) -> None:
    def lose_also_v1(entries: list[Any]) -> list[Any]:
        return lose_beside_busy([entry for entry in entries if "protocol" not in entry])

    findings = replay(open_scenario(change_entries(lose_also_v1)))
    lost = {finding.case: finding for finding in findings if finding.check == "effects"}
    assert lost.keys() == {DEAD.id, DEAD_IN_V1.id}
    assert lost[DEAD_IN_V1.id].remark == ""
    assert lost[DEAD.id].remark.startswith(IN_COMPANY)
