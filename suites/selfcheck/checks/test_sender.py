"""The check of a sender's reports finds what is wrong with one, and nothing else."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from fixtures.checks.sender import (
    FcmReply,
    SentPush,
    each_push_is_reported_as_answered,
    nothing_else_is_reported,
    requests_are_accepted,
)
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.harm import LIVE, LOST
from fixtures.core.times import format_time, parse_time

PUSHED_AT = parse_time("2026-01-01T00:00:00Z")
IDENTITY = {
    "firebase_app": "04a4177e-d2a0-4372-bd59-0a417597e5a3",
    "message_id": "5b1f0a52-0e1c-4c6c-8a53-7a1d52f0a001",
    "subscriber_id": "5b1f0a52-0e1c-4c6c-8a53-7a1d52f0a002",
    "token": "Token",
    "spam": False,
}
DEAD, DELIVERED, BUSY = (
    example_report(load_catalogue()[case]) for case in ("v1-UNREGISTERED", "v1-delivered", "v1-bare-5xx")
)
LIMITED = {**BUSY, "retry_after": "7200"}


def push_of(*replies: FcmReply, case: str | None = None) -> SentPush:
    return SentPush(case=case, protocol="fcm_v1", identity=IDENTITY, replies=replies, pushed_at=PUSHED_AT)


def reply_of(answer: Mapping[str, Any], **members: Any) -> FcmReply:
    return FcmReply(protocol="fcm_v1", answer=answer, **members)


def report_of(answer: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    report_id = "5b1f0a52-0e1c-4c6c-8a53-7a1d52f0a003"
    return {"report_id": report_id, **IDENTITY, "sent_at": format_time(PUSHED_AT), **answer, **members}


def find_rules(push: SentPush, *reports: dict[str, Any], pushes: Sequence[SentPush] = ()) -> list[str]:
    observed_at = PUSHED_AT + timedelta(seconds=5)
    findings = each_push_is_reported_as_answered(push, reports, pushes, (), observed_at)
    return [finding.rule.removeprefix("sender.") for finding in findings]


OTHER_TOKEN = {"token": "token"}
BROKEN = {**DELIVERED, "http_status": 502, "response": ""}
TEXT = {**DEAD, "response": "<html>Not Found</html>"}
RIGHT = {
    "as answered": (reply_of(DEAD), [report_of(DEAD)]),
    "the same twice": (reply_of(DEAD), [report_of(DEAD), report_of(DEAD)]),
    "with a member of its own": (reply_of(DEAD), [report_of(DEAD, attempt=2)]),
    "a text without its last line end": (
        reply_of({**TEXT, "response": "Not Found\n"}),
        [report_of({**TEXT, "response": "Not Found"})],
    ),
    "no answer": (reply_of(DELIVERED, is_whole=False), [report_of(BROKEN)]),
    "a late answer that was awaited": (reply_of(DELIVERED, is_late=True), [report_of(DELIVERED)]),
    "a late answer that was not": (reply_of(DELIVERED, is_late=True), [report_of(BROKEN)]),
}
WRONG = {
    "no report": (reply_of(DEAD), [], "lost-report"),
    "another id": (reply_of(DEAD), [report_of(DEAD), report_of(DEAD, report_id="x")], "reported-once"),
    "another answer later": (reply_of(DEAD), [report_of(DEAD), report_of(BUSY)], "reported-once"),
    "another token": (reply_of(DEAD), [report_of(DEAD, **OTHER_TOKEN)], "other-subscriber"),
    "delivered without an answer": (
        reply_of(DEAD, is_whole=False),
        [report_of(DELIVERED)],
        "unanswered",
    ),
    "dead without an answer": (reply_of(DEAD, is_whole=False), [report_of(DEAD)], "unanswered"),
    "a page as UNREGISTERED": (reply_of(TEXT), [report_of(DEAD)], "outcome"),
    "a body as text": (reply_of(DEAD), [report_of(DEAD, response=str(DEAD["response"]))], "outcome"),
    "not marked": (reply_of(DEAD), [report_of(DEAD, protocol="legacy")], "outcome"),
    "a shorter wait": (reply_of(LIMITED), [report_of(LIMITED, retry_after="60")], "wait-too-short"),
    "no wait": (reply_of(LIMITED), [report_of(LIMITED, retry_after=None)], "wait-too-short"),
    "a longer wait": (reply_of(BUSY), [report_of(BUSY, retry_after="80000")], "wait-too-long"),
    "another status": (reply_of(BUSY), [report_of(BUSY, http_status=500)], "answer"),
    "an early time": (reply_of(DEAD), [report_of(DEAD, sent_at="2025-12-31T22:00:00Z")], "sent-at"),
    "a late time": (reply_of(DEAD), [report_of(DEAD, sent_at="2026-01-01T02:00:00Z")], "sent-at"),
    "another kind": (reply_of(DEAD), [report_of(DEAD, spam=True)], "shape"),
    "an unreadable time": (reply_of(DEAD), [report_of(DEAD, sent_at="today")], "shape"),
    "another protocol": (FcmReply(protocol="legacy", answer=DEAD), [report_of(DEAD)], "unsent"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_report_has_no_finding(name: str) -> None:
    reply, reports = RIGHT[name]
    assert find_rules(push_of(reply), *reports) == []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_report_has_one_finding(name: str) -> None:
    reply, reports, rule = WRONG[name]
    assert find_rules(push_of(reply), *reports) == [rule]


def test_any_answer_may_be_reported_if_fcm_was_asked_again() -> None:
    push = push_of(reply_of(BUSY), reply_of(DELIVERED))
    assert find_rules(push, report_of(BUSY)) == find_rules(push, report_of(DELIVERED)) == []
    assert find_rules(push, report_of(DEAD)) == ["outcome"]


def test_a_push_that_was_not_sent_is_no_lost_report() -> None:
    assert find_rules(push_of()) == ["unsent"]
    assert find_rules(push_of(reply_of(DEAD), case="v1-delivered"), report_of(DEAD)) == ["unsent"]


def test_the_answer_about_a_neighbour_is_named_so() -> None:
    other = push_of(reply_of(DEAD))
    assert find_rules(push_of(reply_of(DELIVERED)), report_of(DEAD), pushes=[other]) == ["other-subscriber"]


def test_what_a_finding_says() -> None:
    push = push_of(reply_of(TEXT), case=None)
    (finding,) = each_push_is_reported_as_answered(push, [report_of(DEAD)], (), (), PUSHED_AT)
    assert finding.title == "reports unsubscribe where FCM answered alert"
    assert "FCM answered" in finding.expected
    assert "<html>Not Found</html>" in finding.expected
    assert finding.got["response"] == DEAD["response"]
    assert (finding.harm, finding.rank) == (LIVE, "promise")
    (lost,) = each_push_is_reported_as_answered(push, [], (), (), PUSHED_AT)
    assert lost.harm == LOST


def test_what_is_about_no_push() -> None:
    push, leftovers = push_of(reply_of(DEAD)), {"messages:regular": 1}
    stranger = report_of(DEAD, subscriber_id="5b1f0a52-0e1c-4c6c-8a53-7a1d52f0a009")
    assert list(nothing_else_is_reported("fcm_v1", [report_of(DEAD)], [push], {})) == []
    findings = nothing_else_is_reported("fcm_v1", [report_of(DEAD), stranger, None], [push], leftovers)
    assert [finding.rule for finding in findings] == ["sender.other-subscriber", "sender.leftover"]
    assert list(requests_are_accepted("fcm_v1", [])) == []
    assert [finding.rule for finding in requests_are_accepted("fcm_v1", [{}])] == ["sender.batch"]
