"""directory-messages writes records that senders can read; subscribers-postponed holds back as body."""

import json
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.services.events import Tick
from suites.selfcheck.services.driver import (
    APP,
    DEVICE,
    NOW,
    ServiceUnderTest,
    make_event,
    make_id,
    subscribers_errors,
)

MESSAGE = {
    "notification": {"title": "Hello", "body": "World"},
    "data": {"text": "a", "number": 1.5, "yes": True},
    "ttl_s": 60,
    "priority": "high",
    "collapse_key": "k",
}
LEGACY = {name: MESSAGE[name] for name in ("notification", "data", "priority", "collapse_key")} | {
    "time_to_live": 60
}
V1 = {
    "notification": MESSAGE["notification"],
    "data": {"text": "a", "number": "1.5", "yes": "true"},
    "android": {"ttl": "60s", "priority": "HIGH", "collapse_key": "k"},
}
SCHEMA = "message-request.schema.json"


def make_request(count: int = 1, /, **members: Any) -> dict[str, Any]:
    listed = [{"subscriber_id": make_id(n), "token": f"token-{n}"} for n in range(count)]
    return {"firebase_app": APP, "spam": False, "message": MESSAGE, "subscribers": listed} | members


def list_records(messages: ServiceUnderTest) -> list[dict[str, Any]]:
    return [forward.body for _, forward in messages.store.list_forwards()]


@pytest.mark.parametrize(
    ("version", "parts"), [("before", {"legacy": LEGACY}), ("after", {"legacy": LEGACY, "v1": V1})]
)
def test_a_record_has_the_shapes_that_the_version_knows(version: str, parts: dict[str, Any]) -> None:
    messages = ServiceUnderTest("directory-messages", version)
    body = make_request(2, future=1)
    schemas.validate(body, SCHEMA)
    reply = messages.answer("POST", "/v1/messages", body)
    schemas.validate(reply.body, "provider-answers.schema.json#/$defs/message")
    assert (reply.status, reply.body["accepted"]) == (202, 2)
    (record,) = list_records(messages)
    schemas.validate(record, "container-record.schema.json")
    envelope = {"message_id": reply.body["message_id"], "attempt": 1, "created_at": NOW}
    request_members = {"firebase_app": APP, "spam": False, "recipients": body["subscribers"]}
    assert record == envelope | request_members | parts


@pytest.mark.parametrize("member", ["notification", "data"])
def test_a_record_says_nothing_that_the_message_does_not(member: str) -> None:
    messages = ServiceUnderTest("directory-messages")
    messages.answer("POST", "/v1/messages", make_request(message={member: MESSAGE[member]}))
    (record,) = list_records(messages)
    assert (record["legacy"], record["v1"]) == ({member: LEGACY[member]}, {member: V1[member]})


def test_a_message_to_many_becomes_records_for_a_thousand_each() -> None:
    messages = ServiceUnderTest("directory-messages")
    assert messages.answer("POST", "/v1/messages", make_request(2001)).body["accepted"] == 2001
    assert [len(record["recipients"]) for record in list_records(messages)] == [1000, 1000, 1]
    assert len({record["message_id"] for record in list_records(messages)}) == 1


def test_the_same_attempt_is_sent_once() -> None:
    messages = ServiceUnderTest("directory-messages")
    for attempt in (1, 1, 2):
        body = make_request(message_id=make_id(5), attempt=attempt)
        assert messages.answer("POST", "/v1/messages", body).body == {
            "message_id": make_id(5),
            "accepted": 1,
        }
    assert [record["attempt"] for record in list_records(messages)] == [1, 2]


def test_messages_without_an_identity_are_told_apart() -> None:
    messages = ServiceUnderTest("directory-messages")
    ids = {messages.answer("POST", "/v1/messages", make_request()).body["message_id"] for _ in range(3)}
    assert len(ids) == len(list_records(messages)) == 3


@pytest.mark.parametrize(
    "members",
    [
        {"firebase_app": "app"},
        {"spam": 0},
        {"message": None},
        {"message": {"notification": "Hello"}},
        {"message": {"notification": {"title": 1}}},
        {"message": {"data": {"a": None}}},
        {"message": {"data": {"a": {}}}},
        {"message": {"ttl_s": -1}},
        {"message": {"ttl_s": 2_419_201}},
        {"message": {"priority": "urgent"}},
        {"message": {"collapse_key": 1}},
        {"message_id": "m"},
        {"attempt": 0},
        {"attempt": True},
        {"subscribers": []},
        {"subscribers": [{"subscriber_id": make_id(1), "token": ""}]},
        {"subscribers": [{"subscriber_id": "1", "token": "t"}]},
        {"subscribers": [7]},
    ],
    ids=lambda members: json.dumps(members)[:60],
)
def test_a_wrong_message_is_refused_and_nothing_is_sent(members: dict[str, Any]) -> None:
    messages = ServiceUnderTest("directory-messages")
    body = make_request(**members)
    assert not schemas.is_valid(body, SCHEMA)
    reply = messages.answer("POST", "/v1/messages", body)
    assert (reply.status, reply.content_type) == (400, "application/problem+json")
    assert list_records(messages) == []


def test_a_subscriber_gets_a_message_once() -> None:
    twice = [{"subscriber_id": DEVICE, "token": "a"}, {"subscriber_id": DEVICE.lower(), "token": "b"}]
    reply = ServiceUnderTest("directory-messages").answer(
        "POST", "/v1/messages", make_request(subscribers=twice)
    )
    assert (reply.status, "subscribers[1]" in reply.body["detail"]) == (400, True)


def test_too_many_subscribers_are_refused() -> None:
    assert (
        ServiceUnderTest("directory-messages").answer("POST", "/v1/messages", make_request(10_001)).status
        == 413
    )


# subscribers-postponed


def postpone(
    provider: ServiceUnderTest, until: Any, reason: Any = "Unavailable", subscriber_id: str = DEVICE
) -> int:
    return provider.answer("PUT", f"/v1/postponed/{subscriber_id}", {"until": until, "reason": reason}).status


def find_until(provider: ServiceUnderTest) -> str:
    reply = provider.answer("GET", f"/v1/postponed/{DEVICE}")
    schemas.validate(reply.body, "postponement.schema.json#/$defs/shown")
    assert reply.body["subscriber_id"] == DEVICE
    return str(reply.body["until"])


@pytest.mark.parametrize("version", ["before", "after"])
def test_a_postponement_never_shortens(version: str) -> None:
    provider = ServiceUnderTest("subscribers-postponed", version)
    for until, expected in [
        ("2026-01-01T00:01:00Z", "2026-01-01T00:01:00Z"),
        ("2026-01-01T00:00:59.999Z", "2026-01-01T00:01:00Z"),
        ("2026-01-01T00:01:00.5Z", "2026-01-01T00:01:00.5Z"),
    ]:
        assert postpone(provider, until) == 204
        assert find_until(provider) == expected


def test_a_postponement_never_prolongs_another() -> None:
    # The subscriber was held back for long, subscribed again, and is held back for a short time since.
    provider = ServiceUnderTest("subscribers-postponed")
    for until in ("2026-01-01T01:00:00Z", "2026-01-01T00:00:10Z"):
        assert postpone(provider, until) == 204
    for now in ("2026-01-01T00:00:10Z", "2026-01-01T01:00:00Z"):
        provider.handle_event(Tick(now))
        (*_, (_, forward)) = provider.store.list_forwards()
        assert [item["until"] for item in forward.body["resumed"]] == [now]
    assert provider.answer("GET", f"/v1/postponed/{DEVICE}").status == 404


@pytest.mark.parametrize(("version", "status"), [("before", 422), ("after", 204)])
def test_only_before_the_release_a_new_reason_is_refused(version: str, status: int) -> None:
    provider = ServiceUnderTest("subscribers-postponed", version)
    assert postpone(provider, "2026-01-01T00:00:00Z", "QUOTA_EXCEEDED") == status
    assert provider.answer("GET", f"/v1/postponed/{DEVICE}").status == (404 if status == 422 else 200)


@pytest.mark.parametrize(
    ("until", "reason", "subscriber_id"),
    [
        ("tomorrow", "Unavailable", DEVICE),
        (None, "Unavailable", DEVICE),
        (NOW, "", DEVICE),
        (NOW, None, DEVICE),
        (NOW, "Unavailable", "no-uuid"),
    ],
)
def test_a_wrong_postponement_is_refused(until: Any, reason: Any, subscriber_id: str) -> None:
    assert postpone(ServiceUnderTest("subscribers-postponed"), until, reason, subscriber_id) == 400


def test_who_is_due_is_shown_and_let_go_at_the_next_tick() -> None:
    provider = ServiceUnderTest("subscribers-postponed")
    for number, second in [(1, "02"), (2, "01"), (3, "03")]:
        assert postpone(provider, f"2026-01-01T00:00:{second}Z", subscriber_id=make_id(number)) == 204
    reply = provider.answer("GET", "/v1/postponed/due", at=("2026-01-01T00:00:02Z",))
    schemas.validate(reply.body, "postponement.schema.json#/$defs/due")
    assert [item["subscriber_id"] for item in reply.body["due"]] == [make_id(2), make_id(1)]
    assert provider.handle_event(Tick("2026-01-01T00:00:00.999Z")) == []
    provider.handle_event(Tick("2026-01-01T00:00:02Z"))
    ((_, forward),) = provider.store.list_forwards()
    schemas.validate(forward.body, "postponement.schema.json#/$defs/resumed")
    assert (forward.to, forward.method, forward.path) == ("subscribers-errors", "POST", "/v1/resumed")
    assert [item["subscriber_id"] for item in forward.body["resumed"]] == [make_id(2), make_id(1)]
    remaining = provider.answer("GET", "/v1/postponed/due", at=("2027-01-01T00:00:00Z",)).body["due"]
    assert [item["subscriber_id"] for item in remaining] == [make_id(3)]
    assert provider.answer("GET", "/v1/postponed/due").status == 400


@pytest.mark.parametrize("fraction", ["", ".73", ".730", ".730000001", ".000", ".0004"])
def test_a_wait_ends_whatever_the_last_digit_of_its_moment_is(fraction: str) -> None:
    provider = subscribers_errors()
    busy = {"protocol": "fcm_v1", "http_status": 503, "response": "", "retry_after": "60"}
    assert provider.post_errors(make_event(1, sent_at=f"2024-05-01T10:00:00{fraction}Z", **busy)) == [
        "postpone"
    ]
    ((_, forward),) = provider.store.list_forwards()
    resumed = {"subscriber_id": DEVICE, "until": forward.body["until"]}
    assert forward.body["until"] == provider.find_device()["postponed_until"]
    assert provider.answer("POST", "/v1/resumed", {"resumed": [resumed]}).status == 204
    assert provider.find_device()["status"] == "active"


def test_only_who_is_still_held_for_that_long_becomes_active() -> None:
    provider = subscribers_errors()
    busy = {"protocol": "fcm_v1", "http_status": 503, "response": "", "retry_after": "60"}
    assert provider.post_errors(make_event(1, **busy)) == ["postpone"]
    for resumed_until, status in [("2024-05-01T10:00:59Z", "postponed"), ("2024-05-01T10:01:00Z", "active")]:
        body = {
            "resumed": [7, {"subscriber_id": DEVICE, "until": resumed_until}, {"subscriber_id": make_id(9)}]
        }
        assert provider.answer("POST", "/v1/resumed", body).status == 204
        assert provider.find_device()["status"] == status
    assert provider.find_device()["postponed_until"] is None
    assert provider.post_errors(make_event(2, **busy), make_event(3)) == ["postpone", "unsubscribe"]
    resumed = {"subscriber_id": DEVICE, "until": "2027-01-01T00:00:00Z"}
    assert provider.answer("POST", "/v1/resumed", {"resumed": [resumed]}).status == 204
    assert provider.find_device()["status"] == "unsubscribed"


def test_a_postponement_can_be_set_up_for_a_test() -> None:
    provider = ServiceUnderTest("subscribers-postponed")
    params = {"subscriber_id": DEVICE, "until": NOW, "reason": "any"}
    for state, action, status in [
        ("a subscriber is postponed", "setup", 200),
        ("a subscriber is postponed", "teardown", 404),
        ("a subscriber is postponed", "setup", 200),
        ("no such postponement", "setup", 404),
    ]:
        assert provider.change_state(state, action, **params).status == 200
        assert provider.answer("GET", f"/v1/postponed/{DEVICE}").status == status
    assert provider.change_state("a subscriber is postponed").status == 400
