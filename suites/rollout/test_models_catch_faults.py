"""A release with one wrong service is no-go, and two judges that see different things are never a go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.core import catalogue
from fixtures.release.order import (
    analysis as answer,
)
from fixtures.release.order import (
    pairwise as pairs,
)
from fixtures.release.order import (
    plan as walk,
)
from fixtures.release.order import (
    service_probe,
)
from fixtures.release.order.analysis import Judged
from fixtures.release.order.end_to_end_runs import Fates
from fixtures.release.order.impact import UNHURT
from fixtures.release.order.pairwise import Table
from fixtures.release.order.pairwise_model import Forms
from fixtures.release.order.path_model import Ways
from fixtures.release.order.release_file import Release
from fixtures.release.order.state_space import Disagreement, Space
from fixtures.services import load

pytestmark = pytest.mark.aside
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
"""One decision of each service, which its new version takes otherwise than the old one."""


def table_with(planned: Release, name: str, monkeypatch: pytest.MonkeyPatch) -> Table:
    """Pairwise results, with one decision of a new version as the old one took it."""
    decision = UNDONE[name]

    def faulty(asked: str, version: str) -> Any:
        service: Any = load(asked, version)
        if (asked, version) != (name, "after"):
            return service
        return replace(service, **{decision: getattr(load(name, "before"), decision)})

    monkeypatch.setattr(service_probe, "load", faulty)
    return pairs.of_references(planned, catalogue.load_catalogue())


@pytest.mark.parametrize("name", UNDONE)
def test_a_new_version_that_decides_like_the_old_one_is_no_go(
    name: str, planned: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = answer.answer(answer.judge(planned, table_with(planned, name, monkeypatch), None))
    assert found["verdict"] == "no-go"
    assert found["orders"]["safe"] == 0
    assert found["suggestion"] is None


def test_judges_that_see_different_things_on_the_way_are_noticed(
    planned: Release, table: Table, fates: Fates
) -> None:
    blind = replace(fates, runs={way: replace(run, damage=frozenset()) for way, run in fates.runs.items()})
    space = Space(planned, [Ways(planned, blind), Forms(planned, table)])
    walk.walk(space, planned.plan)
    # On the plan itself there is nothing to overlook, but for the way back of the last step.
    assert {found.live for found in space.disagreements}
    assert all(found.composed and not found.end_to_end for found in space.disagreements)


def test_judges_that_disagree_are_both_shown_and_never_a_go(judged: Judged) -> None:
    live = judged.space.live(0)
    differing = Disagreement(live, UNHURT, frozenset({("v1-delivered", "lost")}))
    doubted = replace(judged, space=replace(judged.space, disagreements=[differing]))
    found = answer.answer(doubted)
    assert (found["verdict"], found["reasons"][0].partition(":")[0]) == ("undecided", "judges-disagree")
    (shown,) = found["disagreements"]
    assert shown["only"] == {"end_to_end": [], "composed": [["v1-delivered", "lost"]]}
    assert set(shown["live"]) == set(judged.release.names)
