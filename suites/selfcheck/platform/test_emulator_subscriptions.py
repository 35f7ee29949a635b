"""Topic subscriptions by FCM v1 and by Instance ID, and device groups: results, errors, limits."""

from typing import Any
from urllib.parse import quote

import pytest

from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.fcm.messages import FcmAnswer
from fixtures.platform.fcm.subscriptions import MAX_TOPICS
from suites.selfcheck.platform.emulator_client import BEARER, KEY, TOO_LONG, request, send_legacy, send_v1

GROUP_PATH = "/fcm/notification"
OWNER = {**KEY, "project_id": "1"}
OAUTH = {**BEARER, "access_token_auth": "true"}


def subscriptions_path(token: str, topic: str = "") -> str:
    path = f"/v1/projects/demo/registrations/{quote(token, safe='')}/topicSubscriptions"
    return f"{path}/{quote(topic, safe='')}" if topic else path


def ask(emulator: Emulator, method: str, path: str, **query: str) -> FcmAnswer:
    """A request about subscriptions."""
    return request(emulator, method, path, b"", BEARER, query=query)


def batch(
    emulator: Emulator, operation: str, tokens: Any, to: str = "/topics/news", **headers: str
) -> FcmAnswer:
    body = {"to": to, "registration_tokens": tokens}
    return request(emulator, "POST", f"/iid/v1:batch{operation}", body, headers or OAUTH)


def test_a_subscription_lives_from_its_creation_to_its_deletion() -> None:
    emulator, path = Emulator(), subscriptions_path("a/b", "news%1")
    created = ask(emulator, "POST", subscriptions_path("a/b"), topic_name="news%1")
    assert (created.status, created.body) == (
        200,
        {
            "name": "projects/demo/registrations/a%2Fb/topicSubscriptions/news%1",
            "topicName": "news%1",
            "createTime": "1970-01-12T13:46:40.000000Z",
        },
    )
    second = ask(emulator, "POST", subscriptions_path("a/b"), topicName="news%1")
    assert (second.status, second.body["error"]["status"]) == (409, "ALREADY_EXISTS")
    assert ask(emulator, "GET", path).body == ask(emulator, "PATCH", path).body == created.body
    assert ask(emulator, "GET", subscriptions_path("a/b")).body == {"topicSubscriptions": [created.body]}
    assert ask(emulator, "DELETE", path).body == {}
    assert ask(emulator, "GET", subscriptions_path("a/b")).body == {}


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_missing_subscription_is_not_found(method: str) -> None:
    answer = ask(Emulator(), method, subscriptions_path("a", "news"))
    assert (answer.status, answer.body["error"]["status"]) == (404, "NOT_FOUND")


def test_a_missing_subscription_may_be_allowed() -> None:
    emulator, path = Emulator(), subscriptions_path("a", "news")
    assert ask(emulator, "DELETE", path, allow_missing="true").status == 200
    assert ask(emulator, "PATCH", path, allowMissing="true").body["topicName"] == "news"


def test_subscriptions_are_listed_by_pages() -> None:
    emulator, path = Emulator(), subscriptions_path("a")
    for topic in "abc":
        ask(emulator, "POST", path, topic_name=topic)
    first = ask(emulator, "GET", path, page_size="2").body
    last = ask(emulator, "GET", path, page_size="2", page_token=first["nextPageToken"]).body
    rows = first["topicSubscriptions"] + last["topicSubscriptions"]
    assert [row["topicName"] for row in rows] == ["a", "b", "c"]
    assert "nextPageToken" not in last


@pytest.mark.parametrize(
    ("token", "topic", "status"),
    [
        ("case/v1-UNREGISTERED/x", "news", 404),
        ("case/v1-bare-403/x", "news", 403),
        ("a", "bad topic", 400),
        ("a", "", 400),
        (TOO_LONG, "news", 400),
    ],
)
def test_v1_refuses_a_subscription(token: str, topic: str, status: int) -> None:
    answer = ask(Emulator(), "POST", subscriptions_path(token), topic_name=topic)
    assert answer.status == status
    assert "{" not in answer.body["error"]["message"]


def test_subscriptions_need_credentials() -> None:
    emulator = Emulator()
    assert request(emulator, "GET", subscriptions_path("a"), b"", {}).status == 401
    assert batch(emulator, "Add", ["a"], authorization="Bearer any").status == 401
    assert request(emulator, "GET", GROUP_PATH, b"", {"project_id": "1"}).status == 401


def test_a_batch_has_a_result_for_each_token() -> None:
    emulator = Emulator()
    tokens = [
        "a",
        "case/v1-UNREGISTERED/x",
        "",
        "case/v1-QUOTA_EXCEEDED/x",
        "case/v1-text-5xx/x",
        "case/v1-delivered/x",
    ]
    results = [
        {},
        *({"error": word} for word in ("NOT_FOUND", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INTERNAL")),
        {},
    ]
    assert batch(emulator, "Add", tokens).body == {"results": results}
    (row,) = ask(emulator, "GET", subscriptions_path("a")).body["topicSubscriptions"]
    assert row["topicName"] == "news"
    assert batch(emulator, "Remove", ["a", "never subscribed"], **KEY).body == {"results": [{}, {}]}
    assert ask(emulator, "GET", subscriptions_path("a")).body == {}


def test_a_rule_answers_requests_about_subscriptions_and_no_message() -> None:
    emulator, path = Emulator(), subscriptions_path("a")
    rules = [
        {"match": {"subscription": "a"}, "case": "v1-QUOTA_EXCEEDED", "times": 2},
        {"match": {"prefix": "slow", "target": "subscription"}, "delay": 0.5},
        {"match": {}, "case": "v1-INTERNAL"},
    ]
    assert request(emulator, "POST", "/_emulator/script", {"rules": rules}, {}).status == 200
    assert ask(emulator, "POST", path, topic_name="news").status == 429
    assert batch(emulator, "Add", ["a", "b"]).body == {"results": [{"error": "RESOURCE_EXHAUSTED"}, {}]}
    assert ask(emulator, "POST", path, topic_name="news").status == 200
    slow = ask(emulator, "POST", subscriptions_path("slow"), topic_name="news")
    assert (slow.status, slow.delay_s, slow.body["topicName"]) == (200, 0.5, "news")
    assert send_v1(emulator, {"token": "a"}).status == 500


def test_an_app_instance_has_at_most_2000_topics() -> None:
    emulator = Emulator()
    for number in range(MAX_TOPICS):
        batch(emulator, "Add", ["a"], f"/topics/{number}")
    assert batch(emulator, "Add", ["a", "b"]).body == {"results": [{"error": "TOO_MANY_TOPICS"}, {}]}
    answer = ask(emulator, "POST", subscriptions_path("a"), topic_name="news")
    assert (answer.status, answer.body["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize(
    ("tokens", "to"),
    [
        (["a"], "news"),
        (["a"], "/topics/a b"),
        ([], "/topics/a"),
        (["a"] * 1001, "/topics/a"),
        ([1], "/topics/a"),
    ],
)
def test_a_malformed_batch_is_refused(tokens: Any, to: str) -> None:
    answer = batch(Emulator(), "Add", tokens, to)
    assert (answer.status, answer.body) == (400, {"error": "INVALID_ARGUMENT"})


# --- device groups


def change(emulator: Emulator, operation: str, tokens: Any, **members: str) -> Any:
    body = {"operation": operation, "registration_ids": tokens, **members}
    return request(emulator, "POST", GROUP_PATH, body, OWNER).body


def test_a_group_gets_messages_until_its_last_token_is_removed() -> None:
    emulator = Emulator()
    key = change(emulator, "create", ["a", "case/legacy-NotRegistered/x"], notification_key_name="chris")[
        "notification_key"
    ]
    query = {"notification_key_name": "chris"}
    assert request(emulator, "GET", GROUP_PATH, b"", OWNER, query=query).body == {"notification_key": key}
    change(emulator, "add", ["b", "a"], notification_key=key)
    assert send_v1(emulator, {"token": key}).status == 200
    assert send_legacy(emulator, {"to": key}).body == {
        "success": 2,
        "failure": 1,
        "failed_registration_ids": ["case/legacy-NotRegistered/x"],
    }
    change(emulator, "remove", ["a", "b", "case/legacy-NotRegistered/x"], notification_key=key)
    assert change(emulator, "add", ["a"], notification_key=key) == {"error": "notification_key not found"}


def test_a_rule_answers_a_group() -> None:
    emulator = Emulator()
    key = change(emulator, "create", ["a", "b"], notification_key_name="chris")["notification_key"]
    cases = ("v1-UNREGISTERED", "legacy-NotRegistered")
    rules = [{"match": {"group": "chris"}, "case": case} for case in cases]
    assert request(emulator, "POST", "/_emulator/script", {"rules": rules}, {}).status == 200
    assert send_v1(emulator, {"token": key}).status == 404
    assert send_legacy(emulator, {"to": key}).body["failed_registration_ids"] == ["a", "b"]
    assert send_v1(emulator, {"token": "a"}).status == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"operation": "create", "registration_ids": []}, "no valid registration ids"),
        ({"operation": "create", "registration_ids": ["a"]}, "notification_key_name is missing"),
        (
            {"operation": "add", "registration_ids": ["a"], "notification_key": "b"},
            "notification_key not found",
        ),
        ("{", "The body is not JSON"),
    ],
)
def test_a_wrong_group_is_refused(body: Any, error: str) -> None:
    answer = request(Emulator(), "POST", GROUP_PATH, body, OWNER)
    assert answer.status == 400
    assert answer.body["error"].startswith(error)


def test_a_group_name_is_taken_once() -> None:
    emulator = Emulator()
    change(emulator, "create", ["a"], notification_key_name="chris")
    refusal = change(emulator, "create", ["a"], notification_key_name="chris")
    assert refusal == {"error": "notification_key already exists"}
    assert request(emulator, "POST", GROUP_PATH, {}, KEY).body == {"error": "project_id header is missing"}


def test_health_needs_no_credentials() -> None:
    answer = request(Emulator(), "GET", "/health", b"", {})
    assert (answer.status, answer.body) == (200, {"status": "ok"})
