"""Harm that the versions before the release do already, beside harm that begins with a step."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fixtures.core.topology import get_version_number
from fixtures.release.order import analysis
from fixtures.results.report.headline import format_reason, list_next_steps
from fixtures.results.report.plan_harm import PlanHarm, find_plan_harm
from suites.selfcheck.results.sample_reports import build_run, with_plan
from suites.selfcheck.results.sample_runs import good_run
from suites.selfcheck.results.test_advice_on_faults import analyse_references
from suites.selfcheck.results.test_plan_harm import CASES, PLAN, SENDER, harmful, kinds_of, run_with

URL = "http://127.0.0.1:1"
COMMAND = "command go-sender"


@pytest.fixture(scope="module")
def answer() -> Mapping[str, Any]:
    return analysis.build_answer(analyse_references())


@pytest.mark.parametrize(
    ("service", "version", "target", "expected"),
    [
        pytest.param("events-proxy", "before", URL, [None], id="an old version"),
        pytest.param("events-proxy", "after", URL, ["events-proxy"], id="a new version"),
        pytest.param(SENDER, "before", COMMAND, [None], id="the old sender"),
        pytest.param(SENDER, "after", COMMAND, [SENDER], id="a new sender that speaks both protocols"),
        pytest.param(SENDER, "unstated", COMMAND, [None, SENDER], id="a sender without a version"),
        pytest.param(SENDER, "after", "embedded", [None], id="the reference senders"),
    ],
)
def test_the_version_of_a_deployment_says_when_its_harm_begins(
    tmp_path: Any, answer: Mapping[str, Any], service: str, version: str, target: str, expected: list[Any]
) -> None:
    run = run_with([harmful(service, "legacy")], answer, build_run(tmp_path, good_run()))
    number = version if version == "unstated" else get_version_number(service, version)
    versions = {**run.verdict["versions"], service: {"version": number, "target": target}}
    harm = find_plan_harm([replace(run, verdict={**run.verdict, "versions": versions})])
    assert [*([None] if harm.present else []), *(step.name for step in harm.steps)] == expected
    assert harm.safe_meanwhile is not None
    assert not {*expected} & {*harm.safe_meanwhile}


def test_what_both_senders_do_is_mended_and_holds_back_the_new_one(answer: Mapping[str, Any]) -> None:
    same = [{**harmful(SENDER, protocol), "title": "forgets a report"} for protocol in CASES]
    harm = PlanHarm.from_findings(kinds_of(*same), answer)
    assert len(harm.present) == 1
    assert [step.name for step in harm.steps] == [SENDER]
    assert harm.safe_meanwhile == PLAN[:-1]


def test_harm_of_the_old_versions_holds_back_no_step(tmp_path: Any, answer: Mapping[str, Any]) -> None:
    mixes = ("all-before-legacy", "all-after-legacy", "mixed")
    end_to_end = [harmful(mix, "legacy", "chain.subscriber") for mix in mixes]
    run = with_plan(build_run(tmp_path, good_run()), None)
    unknown = run_with(end_to_end, answer, run)
    harm = "it is live before the release, and 1 kind of live users would be unsubscribed."
    assert format_reason([unknown]).startswith("with one of the old versions, ")
    assert list_next_steps([unknown])[0] == f"Mend one of the old versions at once: {harm}"
    # go-sender shows by itself that reports get lost, which is less than what comes of it.
    lost = {**harmful(SENDER, "legacy"), "effect": "reports-lost"}
    first, safe, *_ = list_next_steps([run_with([*end_to_end, lost], answer, run)])
    old = f"{SENDER} {get_version_number(SENDER, 'before')}"
    assert first == f"Mend {old} at once: {harm}"
    assert safe == f"Safe meanwhile, in this order: {', '.join(PLAN)}."
    worse_when_new = [harmful("all-after-legacy", "legacy", "chain.subscriber"), lost]
    assert list_next_steps([run_with(worse_when_new, answer, run)])[1].startswith("Hold back step 1, ")
