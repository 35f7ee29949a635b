"""Findings are grouped into kinds, the worst for users first."""

from typing import Any

from fixtures.core.findings import Finding
from fixtures.core.harm import LIVE
from fixtures.results.report.impact import count_kinds, group_findings

UNSUBSCRIBES, POSTPONES = "v1-UNREGISTERED", "v1-QUOTA_EXCEEDED"


def make_finding(rule: str, case: str | None, expected: str, got: Any, title: str = "t") -> dict[str, Any]:
    return Finding(
        rule=rule, provider="subscribers-errors", case=case, title=title, sent=[], expected=expected, got=got
    ).to_json()


def test_the_worst_for_users_comes_first() -> None:
    kinds = group_findings(
        [
            make_finding("life.token", None, "x", "y", "odd"),
            make_finding("effects.subscriber", UNSUBSCRIBES, "x", "alert", "answers alert"),
            make_finding("effects.subscriber", UNSUBSCRIBES, "x", {"status": "active"}, "leaves active"),
            make_finding("effects.subscriber", POSTPONES, "x", "unsubscribe", "answers unsubscribe"),
        ]
    )
    assert [kind.title for kind in kinds] == ["answers unsubscribe", "leaves active", "answers alert", "odd"]


def test_the_smallest_finding_speaks_for_its_kind() -> None:
    long, short = ({**make_finding("life.token", None, "x", "y"), "sent": [{}] * number} for number in (9, 1))
    (kind,) = group_findings([long, short, long])
    assert (kind.smallest, len(kind.findings)) == (short, 3)


def test_a_case_counts_once_however_often_it_was_seen() -> None:
    findings = [
        make_finding("effects.subscriber", POSTPONES, "x", "unsubscribe", title) for title in ("one", "two")
    ]
    assert count_kinds(LIVE, group_findings(findings)) == "1 kind of live users would be unsubscribed"
    other = make_finding("effects.subscriber", "v1-INTERNAL", "x", "unsubscribe", "three")
    assert (
        count_kinds(LIVE, group_findings([*findings, other])) == "2 kinds of live users would be unsubscribed"
    )


def test_kinds_of_like_titles_have_pages_of_their_own() -> None:
    kinds = group_findings(
        [make_finding("life.token", None, "x", "y", title) for title in ("A b", "a-b", "a  B", "\ud800")]
    )
    assert len({kind.slug for kind in kinds}) == 4
