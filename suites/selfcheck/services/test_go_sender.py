"""go-sender asks FCM as each protocol wants, and reports every answer, for every subscriber, always."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.services.events import (
    Alert,
    CallAnswer,
    CallFailure,
    CallReturned,
    RecordFound,
    RemoveFromContainer,
    ServiceCall,
    Started,
    Tick,
)
from suites.selfcheck.services.driver import APP, NOW, ServiceUnderTest, make_id

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
NESTED = b'{"error":' * 500 + b"{}" + b"}" * 500


def make_record(count: int = 1, /, **members: Any) -> str:
    listed = [{"subscriber_id": make_id(n), "token": f"token-{n}"} for n in range(count)]
    envelope = {"message_id": make_id(7), "firebase_app": APP, "spam": True, "created_at": NOW}
    parts = {"legacy": {"data": {"n": 1}}, "v1": {"data": {"n": "1"}}}
    return json.dumps(envelope | {"recipients": listed} | parts | members)


def send_record(sender: ServiceUnderTest, text: str) -> list[ServiceCall]:
    """Let the sender find a record, and list its calls to FCM."""
    removal, *calls = sender.handle_event(RecordFound(text, NOW))
    assert removal == RemoveFromContainer()
    return [call for call in calls if isinstance(call, ServiceCall)]


def collect_reports(
    sender: ServiceUnderTest, calls: Sequence[ServiceCall], *answers: CallAnswer | CallFailure
) -> list[dict[str, Any]]:
    """Let FCM answer, and list the reports that events-proxy gets."""
    for call, answer in zip(calls, answers, strict=True):
        assert sender.handle_event(CallReturned(call, answer)) == []
    reports: list[dict[str, Any]] = []
    while effects := sender.handle_event(Tick(NOW)):
        (batch,) = effects
        assert isinstance(batch, ServiceCall)
        assert (batch.to, batch.path) == ("events-proxy", "/v1/reports")
        schemas.validate(batch.body, "report-batches.schema.json#/$defs/sent")
        reports += batch.body["reports"]
        sender.handle_event(CallReturned(batch, CallAnswer(202, b'{"accepted":1}')))
    return reports


def test_legacy_sends_one_multicast_for_a_thousand_tokens() -> None:
    sender = ServiceUnderTest("go-sender", "before")
    calls = send_record(sender, make_record(2500))
    assert [len(call.body["registration_ids"]) for call in calls] == [1000, 1000, 500]
    assert {(call.method, call.path, call.headers["Authorization"]) for call in calls} == {
        ("POST", "/fcm/send", "key=embedded")
    }
    assert calls[0].body["data"] == {"n": 1}
    answers = [make_multicast([{"message_id": "1"}] * len(call.body["registration_ids"])) for call in calls]
    reports = collect_reports(sender, calls, *answers)
    assert [report["token"] for report in reports] == [f"token-{n}" for n in range(2500)]
    assert len({report["report_id"] for report in reports}) == 2500


def make_multicast(results: Any, **members: Any) -> CallAnswer:
    return CallAnswer(200, json.dumps({"multicast_id": 2**62, "results": results} | members).encode())


def test_legacy_results_are_read_by_position() -> None:
    sender = ServiceUnderTest("go-sender", "before")
    results = [{"error": "NotRegistered"}, {"message_id": "1", "registration_id": "new"}, {"message_id": "2"}]
    reports = collect_reports(sender, send_record(sender, make_record(3)), make_multicast(results))
    assert [report["response"] for report in reports] == results
    assert all("protocol" not in report for report in reports)
    assert {report["spam"] for report in reports} == {True}


@pytest.mark.parametrize(
    "answer",
    [
        make_multicast([{"message_id": "1"}]),
        make_multicast([{"message_id": "1"}] * 3),
        make_multicast([{"message_id": "1"}, "NotRegistered"]),
        make_multicast(None),
        CallAnswer(200, b"[1]"),
        CallAnswer(404, b"<TITLE>Not Found</TITLE>"),
        CallAnswer(200, NESTED),
        CallAnswer(500, b""),
    ],
    ids=["too-few", "too-many", "no-object", "null", "list", "page", "deep", "empty"],
)
def test_a_legacy_answer_that_does_not_fit_is_reported_as_text_for_each(answer: CallAnswer) -> None:
    sender = ServiceUnderTest("go-sender", "before")
    reports = collect_reports(sender, send_record(sender, make_record(2)), answer)
    assert [report["response"] for report in reports] == [answer.text()] * 2
    assert {report["http_status"] for report in reports} == {answer.status}


def test_v1_sends_one_request_for_each_token() -> None:
    sender = ServiceUnderTest("go-sender")
    calls = send_record(sender, make_record(2))
    assert [call.body for call in calls] == [
        {"message": {"data": {"n": "1"}, "token": f"token-{n}"}} for n in range(2)
    ]
    assert {call.path for call in calls} == {f"/v1/projects/{APP}/messages:send"}
    assert calls[0].headers["X-GOOG-API-FORMAT-VERSION"] == "2"
    gone = {"error": {"code": 404, "status": "NOT_FOUND"}}
    reports = collect_reports(
        sender, calls, CallAnswer(404, json.dumps(gone).encode()), CallAnswer(200, b'{"name":"x"}')
    )
    assert [(report["http_status"], report["response"]) for report in reports] == [
        (404, gone),
        (200, {"name": "x"}),
    ]
    assert {report["protocol"] for report in reports} == {"fcm_v1"}


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>502</html>", b"[]", b'"text"', b'{"name":', b'{"n":NaN}', b"\xff", NESTED],
    ids=["empty", "page", "list", "text", "cut", "nan", "octets", "deep"],
)
def test_a_v1_answer_that_is_no_object_is_reported_as_text(body: bytes) -> None:
    sender = ServiceUnderTest("go-sender")
    (report,) = collect_reports(sender, send_record(sender, make_record()), CallAnswer(502, body))
    assert report["response"] == body.decode("utf-8", "replace")


@pytest.mark.parametrize("version", ["before", "after"])
def test_an_answer_of_any_size_makes_reports_that_a_queue_takes(version: str) -> None:
    sender = ServiceUnderTest("go-sender", version)
    long = json.dumps({"error": "x" * 1_000_000}).encode()
    (report,) = collect_reports(sender, send_record(sender, make_record()), CallAnswer(502, long))
    assert report["response"] == long.decode()[:10_000]


@pytest.mark.parametrize("version", ["before", "after"])
@pytest.mark.parametrize("header", ["120", DATE, " 1 ", "soon", None])
def test_retry_after_is_passed_on_as_received(version: str, header: str | None) -> None:
    sender = ServiceUnderTest("go-sender", version)
    answer = CallAnswer(503, b"", {} if header is None else {"RETRY-AFTER": header})
    (report,) = collect_reports(sender, send_record(sender, make_record()), answer)
    assert report["retry_after"] == header


@pytest.mark.parametrize("version", ["before", "after"])
@pytest.mark.parametrize(
    ("answer", "http_status"),
    [
        (CallFailure("timed out"), 504),
        (CallFailure("refused"), 503),
        (CallFailure("broken off"), 502),
        (CallAnswer(999, b""), 502),
    ],
    ids=["timed-out", "refused", "broken-off", "no-status"],
)
def test_no_answer_is_reported_too(version: str, answer: Any, http_status: int) -> None:
    sender = ServiceUnderTest("go-sender", version)
    calls = send_record(sender, make_record(2))
    reports = collect_reports(sender, calls, *[answer] * len(calls))
    answers = [(report["http_status"], report["retry_after"], report["response"]) for report in reports]
    assert answers == [(http_status, None, "")] * 2


@pytest.mark.parametrize("version", ["before", "after"])
def test_the_same_attempt_makes_the_same_report(version: str) -> None:
    ids = []
    for members in ({}, {"attempt": 1}, {"attempt": 2}, {"message_id": make_id(8)}):
        sender = ServiceUnderTest("go-sender", version)
        (report,) = collect_reports(
            sender, send_record(sender, make_record(**members)), CallFailure("refused")
        )
        ids.append(report["report_id"])
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(("version", "part"), [("before", "legacy"), ("after", "v1")])
def test_a_record_in_the_format_of_another_sender_stays_in_the_container(version: str, part: str) -> None:
    sender = ServiceUnderTest("go-sender", version)
    (effect,) = sender.handle_event(RecordFound(make_record(**{part: None}), NOW))
    assert isinstance(effect, Alert)
    assert f"has no `{part}`" in effect.reason
    assert sender.handle_event(Started()) == sender.handle_event(Tick(NOW)) == []


UNREADABLE = {
    "empty": "",
    "list": "[]",
    "lone surrogate": "\ud800",
    "id": make_record(message_id=1),
    "no recipients": make_record(recipients=[]),
    "no token": make_record(recipients=[{"subscriber_id": make_id(1), "token": ""}]),
    "twice": make_record(recipients=[{"subscriber_id": make_id(1), "token": "t"}] * 2),
    "attempt": make_record(attempt=0),
    "spam": make_record(spam=1),
}


@pytest.mark.parametrize("why", UNREADABLE)
def test_an_unreadable_record_stays_in_the_container(why: str) -> None:
    (effect,) = ServiceUnderTest("go-sender").handle_event(RecordFound(UNREADABLE[why], NOW))
    assert isinstance(effect, Alert)


def test_unanswered_requests_are_sent_again_after_a_restart_by_either_version() -> None:
    sender = ServiceUnderTest("go-sender", "before")
    send_record(sender, make_record(2))
    sender.service = ServiceUnderTest("go-sender", "after").service
    (call,) = sender.handle_event(Started())
    assert isinstance(call, ServiceCall)
    reports = collect_reports(
        sender, [call], make_multicast([{"error": "NotRegistered"}, {"message_id": "1"}])
    )
    assert [report["response"] for report in reports] == [{"error": "NotRegistered"}, {"message_id": "1"}]
    assert sender.handle_event(Started()) == []


def test_a_request_in_a_protocol_that_the_old_sender_does_not_speak_waits_for_the_new_one() -> None:
    sender = ServiceUnderTest("go-sender", "after")
    (call,) = send_record(sender, make_record())
    sender.service = ServiceUnderTest("go-sender", "before").service
    (alert,) = sender.handle_event(Started())
    assert isinstance(alert, Alert)
    sender.service = ServiceUnderTest("go-sender", "after").service
    assert [effect for effect in sender.handle_event(Started()) if isinstance(effect, ServiceCall)] == [call]


def test_nothing_is_taken_while_too_many_reports_wait() -> None:
    sender = ServiceUnderTest("go-sender")
    sender.service = replace(sender.service, most_unreported=1)
    (call,) = send_record(sender, make_record())
    sender.handle_event(CallReturned(call, CallAnswer(200, b'{"name":"x"}')))
    (effect,) = sender.handle_event(RecordFound(make_record(), NOW))
    assert isinstance(effect, Alert)
    (batch,) = sender.handle_event(Tick(NOW))
    assert isinstance(batch, ServiceCall)
    (alert,) = sender.handle_event(CallReturned(batch, CallAnswer(503, b"full")))
    assert alert == Alert("events-proxy does not take 1 reports: 503 full")
    assert sender.handle_event(Tick(NOW)) == [batch]
