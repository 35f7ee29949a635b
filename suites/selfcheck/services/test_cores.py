"""The reference services react to reports and events as the design says, without any server."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fixtures.services import NAMES, VERSIONS, fcm, load
from fixtures.services.decision import Decision
from suites.selfcheck.services.driver import (
    APP,
    DEVICE,
    ServiceUnderTest,
    make_event,
    make_id,
    make_report,
    subscribers_errors,
)

BATCHES = {
    "directory-events-api": "/v1/reports",
    "directory-responses": "/v1/responses",
    "subscribers-errors": "/v1/errors",
    "events-proxy": "/v1/reports",
}
GONE = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
V1_GONE = {"protocol": "fcm_v1", "http_status": 404, "response": {"error": {"code": 404, "details": [GONE]}}}
V1_BUSY = {"protocol": "fcm_v1", "http_status": 503, "response": {"error": {"code": 503}}}


def test_one_bad_report_never_costs_the_others() -> None:
    provider = ServiceUnderTest("directory-events-api")
    reports = [
        make_report(1),
        7,
        make_report(2, spam=0),
        make_report(3, **V1_GONE),
        make_report(4, protocol="fcm_v2"),
    ]
    reply = provider.answer("POST", "/v1/reports", {"reports": reports})
    assert (reply.status, reply.body["accepted"]) == (202, 2)
    assert [item["report_id"] for item in reply.body["rejected"]] == [None, make_id(2), make_id(4)]
    stored_report = provider.answer("GET", f"/v1/reports/{make_id(3)}").body
    assert (stored_report["protocol"], stored_report["code"]) == ("fcm_v1", "UNREGISTERED")
    assert list(stored_report["forwarded_to"]) == ["directory-responses", "directory-errors-listener"]


def test_a_redelivered_report_makes_no_second_event() -> None:
    provider = ServiceUnderTest("directory-events-api")
    delivered = make_report(2, response={"message_id": "1"}, future=1)
    for _ in range(2):
        body = {"bts": "bts-0", "reports": [make_report(), make_report(), delivered]}
        assert provider.answer("POST", "/v1/reports", body).body == {"accepted": 3, "rejected": []}
    sent = [forward for _, forward in provider.store.list_forwards()]
    assert [forward.to for forward in sent] == ["directory-responses", "directory-errors-listener"]
    assert sent[0].body == {"responses": [make_report(), delivered]}
    assert sent[1].body == make_report() | {"event_id": sent[1].body["event_id"], "code": "NotRegistered"}


@pytest.mark.parametrize(
    ("path", "member", "name", "refused"),
    [
        ("/v1/reports", "reports", "directory-events-api", 400),
        ("/v1/responses", "responses", "directory-responses", 422),
        ("/v1/errors", "errors", "subscribers-errors", 500),
    ],
)
def test_before_services_refuse_the_whole_batch(path: str, member: str, name: str, refused: int) -> None:
    provider = ServiceUnderTest(name, "before")
    reply = provider.answer("POST", path, {member: [make_event(1), make_event(2, **V1_GONE)]})
    assert (reply.status, reply.content_type) == (refused, "application/problem+json")
    assert provider.answer("POST", path, {member: [make_event(1)]}).status < 300
    assert provider.store.list_forwards() == [] or name == "directory-events-api"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"reports":NaN}', 400),
        (b"[" * 100_000, 400),
        (json.dumps({"reports": [0] * 501, "responses": [0] * 501, "errors": [0] * 501}).encode(), 413),
    ],
    ids=["empty", "not-utf-8", "list", "no-list", "nan", "deep", "too-many"],
)
def test_unreadable_bodies_are_refused(body: bytes, status: int) -> None:
    for (name, path), version in itertools.product(BATCHES.items(), VERSIONS):
        reply = ServiceUnderTest(name, version).answer("POST", path, body)
        assert (reply.status, reply.content_type) == (status, "application/problem+json"), (name, version)


def test_responses_are_kept_once_and_counted() -> None:
    provider = ServiceUnderTest("directory-responses")
    body = {
        "responses": [
            make_report(1),
            make_report(1),
            make_report(2, **V1_GONE),
            make_report(3, response={"error": []}),
            None,
        ]
    }
    reply = provider.answer("POST", "/v1/responses", body)
    assert (reply.status, reply.body["stored"], reply.body["duplicates"]) == (201, 3, 1)
    assert [item["report_id"] for item in reply.body["rejected"]] == [None]
    counted = provider.answer("GET", "/v1/responses/summary", firebase_app=(APP.upper(),))
    assert counted.body == {"counts": {"NotRegistered": 1, "UNREGISTERED": 1, "UNKNOWN": 1}}
    assert provider.answer("GET", "/v1/responses/summary").status == 400
    assert provider.answer("GET", f"/v1/responses/{make_id(3)}").body["outcome"] == "alert"
    assert provider.answer("GET", f"/v1/responses/{make_id(4)}").status == 404


@pytest.mark.parametrize("dead", [{}, V1_GONE], ids=["legacy", "v1"])
def test_a_dead_device_is_unsubscribed_and_stays_so(dead: dict[str, Any]) -> None:
    provider = subscribers_errors()
    batch = [
        make_event(1, **dead),
        make_event(1),
        make_event(2, event_id=make_id(1001)),
        5,
        make_event(3),
        make_event(4, **V1_BUSY),
    ]
    assert provider.post_errors(*batch) == [
        "unsubscribe",
        "duplicate",
        "duplicate",
        "alert",
        "unsubscribe",
        "stale",
    ]
    assert provider.post_errors(make_event(1), make_event(4)) == ["duplicate", "duplicate"]
    assert provider.post_errors(make_event(5, response={"message_id": "1"})) == ["keep"]
    assert provider.find_device()["status"] == "unsubscribed"


@pytest.mark.parametrize(
    ("later", "action"),
    [
        pytest.param({}, "unsubscribe", id="unsubscribe"),
        pytest.param({"response": {"message_id": "1"}}, "keep", id="keep"),
        pytest.param({"response": {"error": "Unavailable"}}, "stale", id="postpone"),
        pytest.param({"response": {"error": "InvalidTtl"}}, "stale", id="fix_message"),
        pytest.param(
            {"response": {"message_id": "1", "registration_id": "new"}}, "stale", id="replace_token"
        ),
        pytest.param({"response": {"error": "Tomorrow"}}, "stale", id="alert"),
    ],
)
def test_what_comes_after_an_unsubscribe_is_no_news(later: dict[str, Any], action: str) -> None:
    provider = subscribers_errors()
    assert provider.post_errors(make_event(1)) == ["unsubscribe"]
    assert provider.post_errors(make_event(2, **later)) == [action]
    assert (provider.find_device()["status"], provider.find_device()["postponed_until"]) == (
        "unsubscribed",
        None,
    )


def test_stale_events_change_nothing() -> None:
    provider = subscribers_errors()
    early = make_event(1, sent_at="2023-12-31T23:59:59.999999999Z")
    stranger = make_event(2, subscriber_id=make_id(9))
    assert provider.post_errors(early, stranger, make_event(3) | {"token": "old"}) == ["stale"] * 3
    assert provider.find_device()["status"] == "active"


def test_a_replaced_token_outdates_the_old_one() -> None:
    provider = subscribers_errors()
    new = make_event(1, response={"registration_id": "\ud800new"}, sent_at="2024-05-01T10:00:00.000000002Z")
    late = make_event(2, sent_at="2024-05-01T10:00:00.000000001Z") | {"token": "\ud800new"}
    assert provider.post_errors(new, make_event(3), late) == ["replace_token", "stale", "stale"]
    assert (provider.find_device()["token"], provider.find_device()["status"]) == ("\ud800new", "active")


def test_a_postponement_is_never_shortened() -> None:
    provider = subscribers_errors()
    longer = make_event(1, **V1_BUSY, retry_after="90", sent_at="2024-05-01T10:00:00.5Z")
    assert provider.post_errors(longer, make_event(2, **V1_BUSY)) == ["postpone", "postpone"]
    until = "2024-05-01T10:01:30.5Z"
    assert (provider.find_device()["status"], provider.find_device()["postponed_until"]) == (
        "postponed",
        until,
    )
    sent = [forward for _, forward in provider.store.list_forwards()]
    assert [forward.body for forward in sent] == [{"until": until, "reason": "HTTP_5XX"}] * 2
    assert {(forward.method, forward.path) for forward in sent} == {("PUT", f"/v1/postponed/{DEVICE}")}


def test_the_end_of_the_calendar_is_no_crash() -> None:
    provider = subscribers_errors()
    assert provider.post_errors(make_event(1, **V1_BUSY, sent_at="9999-12-31T23:59:59Z")) == ["postpone"]
    assert provider.find_device()["postponed_until"] == "9999-12-31T23:59:59.999Z"


def test_numbers_beyond_any_double_are_passed_on() -> None:
    provider = ServiceUnderTest("directory-events-api")
    body = json.dumps({"reports": [make_report(extra=0)]}).replace(
        '"extra": 0', '"extra": [1e999, ' + "9" * 5000 + "]"
    )
    assert provider.answer("POST", "/v1/reports", body.encode()).body["accepted"] == 1
    assert provider.store.list_forwards()[1][1].body["extra"] == [1.7976931348623157e308] * 2


def test_seen_events_outlive_the_set_up_of_their_subscriber() -> None:
    provider = subscribers_errors()
    provider.post_errors(make_event(1))
    device = {
        "subscriber_id": DEVICE,
        "token": "token",
        "token_since": "2024-01-01T00:00:00Z",
        "firebase_app": APP,
    }
    provider.change_state("subscribers exist", subscribers=[device])
    assert provider.post_errors(make_event(1)) == ["duplicate"]
    assert provider.find_device()["status"] == "active"
    provider.change_state("subscribers exist", "teardown", subscribers=[device])
    assert provider.answer("GET", "/v1/subscribers", id=(DEVICE,)).body == {"subscribers": []}


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_state_says_which_exist(name: str) -> None:
    reply = ServiceUnderTest(name).change_state("all is well")
    assert reply.status == 400
    assert '"reachable"' in reply.body["detail"]
    assert ServiceUnderTest(name).change_state("reachable").status == 200


@pytest.mark.parametrize(
    ("name", "kind"), [("directory-events-api", "report"), ("directory-responses", "response")]
)
def test_a_report_can_be_set_up_and_torn_down(name: str, kind: str) -> None:
    provider = ServiceUnderTest(name)
    path = f"/v1/{kind}s/{make_id(1)}"
    for state, action, status in [
        (f"a {kind} exists", "setup", 200),
        (f"a {kind} exists", "teardown", 404),
        (f"a {kind} exists", "setup", 200),
        (f"no {kind}s exist", "setup", 404),
    ]:
        assert provider.change_state(state, action, report=make_report()).status == 200
        assert provider.answer("GET", path).status == status
    assert provider.change_state(f"a {kind} exists").status == 400


def test_wrong_paths_and_methods_are_problems() -> None:
    provider = subscribers_errors()
    assert provider.answer("GET", "/v2").status == 404
    reply = provider.answer("DELETE", "/v1/errors")
    assert (reply.status, reply.allow) == (405, ("POST",))


def test_a_fault_replaces_one_decision() -> None:
    def alert_of_unregistered(report: Mapping[str, Any]) -> Decision:
        decision = fcm.decide(report)
        return replace(decision, outcome="alert") if decision.code == "UNREGISTERED" else decision

    provider = subscribers_errors()
    provider.service = replace(provider.service, decide=alert_of_unregistered)
    assert provider.post_errors(make_event(1, **V1_GONE), make_event(2)) == ["alert", "unsubscribe"]


@pytest.mark.parametrize(
    ("length", "outcome"), [(0, "keep"), (1, "replace_token"), (4096, "replace_token"), (4097, "keep")]
)
def test_a_token_has_one_to_4096_characters(length: int, outcome: str) -> None:
    report = make_report(response={"message_id": "1", "registration_id": "t" * length})
    assert fcm.decide(report).outcome == outcome


def test_a_crash_keeps_nothing() -> None:
    def crash(_report: Mapping[str, Any]) -> Decision:
        raise ZeroDivisionError

    provider = ServiceUnderTest("directory-events-api")
    provider.service = replace(provider.service, decide=crash)
    assert provider.answer("POST", "/v1/reports", {"reports": [make_report()]}).status == 500
    provider.service = load("directory-events-api", "after")
    assert provider.answer("GET", f"/v1/reports/{make_id(1)}").status == 404
