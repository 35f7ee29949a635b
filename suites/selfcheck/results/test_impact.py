"""The effect on users follows from what a finding expected and what it got, whatever the check."""

from typing import Any

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.findings import Finding
from fixtures.results.report.impact import (
    BROKEN,
    DEAD,
    DRIFT,
    EFFECTS,
    LIVE,
    LOST,
    WRONG,
    Effect,
    classify_finding,
    count_kinds,
    group_findings,
)

pytestmark = pytest.mark.aside  # how it looks is not what the gate judges

UNSUBSCRIBES, POSTPONES = "v1-UNREGISTERED", "v1-QUOTA_EXCEEDED"
GONE, ALIVE = '{"status":"unsubscribed"}', '{"status":"active"}'


def make_finding(check: str, case: str | None, expected: str, got: Any, title: str = "t") -> dict[str, Any]:
    return Finding(
        check=check,
        provider="subscribers-errors",
        case=case,
        title=title,
        sent=[],
        expected=expected,
        got=got,
    ).to_json()


@pytest.mark.parametrize(
    ("finding", "effect"),
    [
        pytest.param(
            make_finding("effects", POSTPONES, "x", {"status": "unsubscribed"}), LIVE, id="a live user"
        ),
        pytest.param(
            make_finding("effects", POSTPONES, "x", "unsubscribe"), LIVE, id="the action unsubscribes"
        ),
        pytest.param(
            make_finding("effects", UNSUBSCRIBES, "x", {"status": "active"}), DEAD, id="a dead user"
        ),
        pytest.param(make_finding("effects", UNSUBSCRIBES, "x", "alert"), DEAD, id="the action alerts"),
        pytest.param(
            make_finding("effects", POSTPONES, "x", {"status": "active"}), WRONG, id="not postponed"
        ),
        pytest.param(
            make_finding("effects", POSTPONES, "x", {"status": 404, "body": ""}), LOST, id="a report lost"
        ),
        pytest.param(make_finding("effects", POSTPONES, "x", None), LOST, id="a subscriber lost"),
        pytest.param(
            make_finding("effects", UNSUBSCRIBES, "x", {"forwarded_to": ["directory-responses"]}),
            DEAD,
            id="not reported",
        ),
        pytest.param(
            make_finding("effects", POSTPONES, "x", {"forwarded_to": ["directory-responses"]}),
            LOST,
            id="not sent",
        ),
        pytest.param(
            make_finding("effects", "v1-delivered", "x", {"forwarded_to": ["directory-errors-listener"]}),
            LOST,
            id="not kept",
        ),
        pytest.param(make_finding("effects", POSTPONES, "x", {"code": "X"}), WRONG, id="another code"),
        pytest.param(
            make_finding("redelivery", UNSUBSCRIBES, ALIVE, {"status": "unsubscribed"}), LIVE, id="again"
        ),
        pytest.param(
            make_finding("redelivery", UNSUBSCRIBES, GONE, {"status": "active"}), DEAD, id="resubscribed"
        ),
        pytest.param(
            make_finding("agreement", POSTPONES, GONE, {"status": "postponed"}), LIVE, id="the other one"
        ),
        pytest.param(make_finding("answers", None, "202", {"status": 500, "body": ""}), BROKEN, id="a crash"),
        pytest.param(
            make_finding("answers", None, "202", {"status": 400, "body": ""}), LOST, id="a batch refused"
        ),
        pytest.param(make_finding("answers", None, "400", {"status": 202}), WRONG, id="nonsense accepted"),
        pytest.param(make_finding("answers", None, "{}", {"stored": 1}), LOST, id="counted too few"),
        pytest.param(
            make_finding("answers", None, "x", {}, "answers in another shape"),
            BROKEN,
            id="an unreadable answer",
        ),
        pytest.param(make_finding("contract", None, "x", {"status": 202}), DRIFT, id="a contract"),
        pytest.param(make_finding("pact", POSTPONES, "x", {"status": 500}), DRIFT, id="a pact"),
        pytest.param(
            make_finding("chain", POSTPONES, "x", ["postpone", "unsubscribe"]), LIVE, id="a push too many"
        ),
        pytest.param(make_finding("chain", UNSUBSCRIBES, "x", []), DEAD, id="a push without action"),
        pytest.param(
            make_finding("chain", UNSUBSCRIBES, "x", {"reports": 0}), LOST, id="a push without a report"
        ),
        pytest.param(make_finding("chain", None, ALIVE, {"status": "unsubscribed"}), LIVE, id="a bystander"),
        pytest.param(
            make_finding("life", None, "active", {"status": "unsubscribed"}), LIVE, id="a life cut short"
        ),
        pytest.param(
            make_finding("life", None, "unsubscribed", {"status": "active"}), DEAD, id="a life too long"
        ),
        pytest.param(
            make_finding("rollout", None, "x", {"stuck": [], "dead-device-kept": []}), DEAD, id="a step"
        ),
        pytest.param(make_finding("rollout", None, "x", "no-go"), WRONG, id="a step after a bad one"),
        pytest.param(make_finding("a check of tomorrow", None, "x", "y"), WRONG, id="anything else"),
    ],
)
def test_a_finding_has_its_effect_on_users(finding: dict[str, Any], effect: Effect) -> None:
    assert classify_finding(finding, load_catalogue()) is effect


def test_the_worst_for_users_comes_first() -> None:
    kinds = group_findings(
        [
            make_finding("a", None, "x", "y", "odd"),
            make_finding("effects", UNSUBSCRIBES, "x", "alert", "answers alert"),
            make_finding("effects", UNSUBSCRIBES, "x", {"status": "active"}, "leaves active"),
            make_finding("effects", POSTPONES, "x", "unsubscribe", "answers unsubscribe"),
        ],
        load_catalogue(),
    )
    assert [kind.title for kind in kinds] == ["answers unsubscribe", "leaves active", "answers alert", "odd"]


def test_the_smallest_finding_speaks_for_its_kind() -> None:
    long, short = ({**make_finding("a", None, "x", "y"), "sent": [{}] * number} for number in (9, 1))
    (kind,) = group_findings([long, short, long], load_catalogue())
    assert (kind.smallest, len(kind.findings)) == (short, 3)


def test_a_case_counts_once_however_often_it_was_seen() -> None:
    findings = [make_finding("effects", POSTPONES, "x", "unsubscribe", title) for title in ("one", "two")]
    assert (
        count_kinds(LIVE, group_findings(findings, load_catalogue()))
        == "1 kind of live users would be unsubscribed"
    )
    other = make_finding("effects", "v1-INTERNAL", "x", "unsubscribe", "three")
    assert (
        count_kinds(LIVE, group_findings([*findings, other], load_catalogue()))
        == "2 kinds of live users would be unsubscribed"
    )


def test_kinds_of_like_titles_have_pages_of_their_own() -> None:
    kinds = group_findings(
        [make_finding("a", None, "x", "y", title) for title in ("A b", "a-b", "a  B", "\ud800")],
        load_catalogue(),
    )
    assert len({kind.slug for kind in kinds}) == 4


def test_every_effect_has_words_and_a_severity() -> None:
    assert len({effect.category for effect in EFFECTS}) == len(EFFECTS)
    assert {effect.severity for effect in EFFECTS} <= {"blocker", "critical", "normal"}
    assert EFFECTS[0].severity == "blocker"
