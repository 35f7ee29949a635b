"""A release with one wrong service is no-go, and two models that differ are never a go."""

from dataclasses import replace
from typing import Any

import pytest

from fixtures.core import catalogue
from fixtures.release.order import analysis, plan, service_probe
from fixtures.release.order.analysis import Analysis
from fixtures.release.order.end_to_end_runs import PathRuns
from fixtures.release.order.impact import NO_DAMAGE
from fixtures.release.order.pairwise_model import PairTable, PairwiseModel
from fixtures.release.order.path_model import PathModel
from fixtures.release.order.release_file import Release
from fixtures.release.order.state_space import Disagreement, StateSpace
from fixtures.services import load

pytestmark = pytest.mark.aside
# One decision of each service that its new version takes differently.
UNDONE = {
    "events-proxy": "copy",
    "directory-events-api": "refuse",
    "directory-responses": "refuse",
    "directory-errors-listener": "fails_on",
    "subscribers-errors": "refuse",
    "subscribers-postponed": "refuse",
    "directory-messages": "parts",
    "go-sender": "readable_protocols",
}


def table_with(planned: Release, name: str, monkeypatch: pytest.MonkeyPatch) -> PairTable:
    """Pairwise results with one decision of a new version undone."""
    decision = UNDONE[name]

    def load_faulty(service_name: str, version: str) -> Any:
        service: Any = load(service_name, version)
        if (service_name, version) != (name, "after"):
            return service
        return replace(service, **{decision: getattr(load(name, "before"), decision)})

    monkeypatch.setattr(service_probe, "load", load_faulty)
    return service_probe.judge_reference_pairs(planned, catalogue.load_catalogue())


@pytest.mark.parametrize("name", UNDONE)
def test_a_new_version_that_decides_like_the_old_one_is_no_go(
    name: str, planned: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_with(planned, name, monkeypatch)
    answer = analysis.build_answer(analysis.analyse_release(planned, table, None))
    assert answer["verdict"] == "no-go"
    assert answer["orders"]["safe"] == 0
    assert answer["suggestion"] is None


def test_models_that_differ_on_the_way_are_noticed(
    planned: Release, table: PairTable, path_runs: PathRuns
) -> None:
    blind = replace(
        path_runs, runs={path: replace(run, damage=frozenset()) for path, run in path_runs.runs.items()}
    )
    space = StateSpace(planned, [PathModel(planned, blind), PairwiseModel(planned, table)])
    plan.judge_plan(space, planned.plan)
    # On the plan itself there is nothing to overlook, but for the way back of the last step.
    assert {disagreement.live for disagreement in space.disagreements}
    assert all(disagreement.composed and not disagreement.end_to_end for disagreement in space.disagreements)


def test_models_that_disagree_are_both_shown_and_never_a_go(analysed: Analysis) -> None:
    live = analysed.space.start.state.live
    differing = Disagreement(live, NO_DAMAGE, frozenset({("v1-delivered", "lost")}))
    changed = replace(analysed, space=replace(analysed.space, disagreements=[differing]))
    answer = analysis.build_answer(changed)
    assert (answer["verdict"], answer["reasons"][0].partition(":")[0]) == ("undecided", "judges-disagree")
    (disagreement,) = answer["disagreements"]
    assert disagreement["only"] == {"end_to_end": [], "composed": [["v1-delivered", "lost"]]}
    assert set(disagreement["live"]) == set(analysed.release.names)
