"""The harm of a finding follows from what it expected and what it got, whatever the check."""

from typing import Any

import pytest

from fixtures.core.findings import Finding
from fixtures.core.harm import BROKEN, DEAD, DRIFT, HARMS, LIVE, LOST, ONLY_WORDS, WRONG, Harm

UNSUBSCRIBES, POSTPONES = "v1-UNREGISTERED", "v1-QUOTA_EXCEEDED"
GONE, ALIVE = '{"status":"unsubscribed"}', '{"status":"active"}'


def make_finding(rule: str, case: str | None, expected: str, got: Any, title: str = "t") -> Finding:
    return Finding(
        rule=rule, provider="subscribers-errors", case=case, title=title, sent=[], expected=expected, got=got
    )


@pytest.mark.parametrize(
    ("finding", "harm"),
    [
        pytest.param(
            make_finding("effects.subscriber", POSTPONES, "x", {"status": "unsubscribed"}),
            LIVE,
            id="a live user",
        ),
        pytest.param(
            make_finding("effects.subscriber", POSTPONES, "x", "unsubscribe"),
            LIVE,
            id="the action unsubscribes",
        ),
        pytest.param(
            make_finding("effects.subscriber", UNSUBSCRIBES, "x", {"status": "active"}),
            DEAD,
            id="a dead user",
        ),
        pytest.param(
            make_finding("effects.subscriber", UNSUBSCRIBES, "x", "alert"), DEAD, id="the action alerts"
        ),
        pytest.param(
            make_finding("effects.subscriber", POSTPONES, "x", {"status": "active"}),
            WRONG,
            id="not postponed",
        ),
        pytest.param(
            make_finding("effects.subscriber", POSTPONES, "x", {"status": 404, "body": ""}),
            LOST,
            id="a report lost",
        ),
        pytest.param(make_finding("effects.subscriber", POSTPONES, "x", None), LOST, id="a subscriber lost"),
        pytest.param(
            make_finding("effects.subscriber", UNSUBSCRIBES, "x", {"forwarded_to": ["directory-responses"]}),
            DEAD,
            id="not reported",
        ),
        pytest.param(
            make_finding("effects.subscriber", POSTPONES, "x", {"forwarded_to": ["directory-responses"]}),
            LOST,
            id="not sent",
        ),
        pytest.param(
            make_finding(
                "effects.subscriber", "v1-delivered", "x", {"forwarded_to": ["directory-errors-listener"]}
            ),
            LOST,
            id="not kept",
        ),
        pytest.param(
            make_finding("effects.subscriber", POSTPONES, "x", {"code": "X"}), WRONG, id="another code"
        ),
        pytest.param(
            make_finding("redelivery.effect", UNSUBSCRIBES, ALIVE, {"status": "unsubscribed"}),
            LIVE,
            id="again",
        ),
        pytest.param(
            make_finding("redelivery.effect", UNSUBSCRIBES, GONE, {"status": "active"}),
            DEAD,
            id="resubscribed",
        ),
        pytest.param(
            make_finding("agreement.effect", POSTPONES, GONE, {"status": "postponed"}),
            LIVE,
            id="the other one",
        ),
        pytest.param(
            make_finding("answers.status", None, "202", {"status": 500, "body": ""}), BROKEN, id="a crash"
        ),
        pytest.param(
            make_finding("answers.status", None, "202", {"status": 400, "body": ""}),
            LOST,
            id="a batch refused",
        ),
        pytest.param(
            make_finding("answers.status", None, "400", {"status": 202}), WRONG, id="nonsense accepted"
        ),
        pytest.param(make_finding("answers.status", None, "{}", {"stored": 1}), LOST, id="counted too few"),
        pytest.param(
            make_finding("answers.status", None, "x", {}, "answers in another shape"),
            BROKEN,
            id="an unreadable answer",
        ),
        pytest.param(make_finding("contract.mismatch", None, "x", {"status": 202}), DRIFT, id="a contract"),
        pytest.param(make_finding("pact.interaction", POSTPONES, "x", {"status": 500}), DRIFT, id="a pact"),
        pytest.param(
            make_finding("chain.subscriber", POSTPONES, "x", ["postpone", "unsubscribe"]),
            LIVE,
            id="a push too many",
        ),
        pytest.param(
            make_finding("chain.subscriber", UNSUBSCRIBES, "x", []), DEAD, id="a push without action"
        ),
        pytest.param(
            make_finding("chain.subscriber", UNSUBSCRIBES, "x", {"reports": 0}),
            LOST,
            id="a push without a report",
        ),
        pytest.param(
            make_finding("chain.subscriber", None, ALIVE, {"status": "unsubscribed"}), LIVE, id="a bystander"
        ),
        pytest.param(
            make_finding("life.subscriber", None, "active", {"status": "unsubscribed"}),
            LIVE,
            id="a life cut short",
        ),
        pytest.param(
            make_finding("life.subscriber", None, "unsubscribed", {"status": "active"}),
            DEAD,
            id="a life too long",
        ),
        pytest.param(
            make_finding("rollout.step", None, "x", {"stuck": [], "dead-device-kept": []}), DEAD, id="a step"
        ),
        pytest.param(make_finding("rollout.step", None, "x", "no-go"), WRONG, id="a step after a bad one"),
        pytest.param(make_finding("life.token", None, "x", "y"), WRONG, id="anything else"),
        pytest.param(make_finding("effects.action", POSTPONES, "x", "unsubscribe"), ONLY_WORDS, id="a word"),
    ],
)
def test_a_finding_has_its_effect_on_users(finding: Finding, harm: Harm) -> None:
    assert finding.harm is harm


def test_every_harm_has_words_and_a_severity() -> None:
    assert len({harm.category for harm in HARMS}) == len(HARMS)
    assert {harm.severity for harm in HARMS} <= {"blocker", "critical", "normal", "trivial"}
    assert HARMS[0].severity == "blocker"
