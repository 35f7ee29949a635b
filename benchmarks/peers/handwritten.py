"""A Pact as a careful team writes it by hand: a few dozen interactions, one for each code that it knows.

Written from the documentation of FCM and of the providers, by the rules of docs.pact.io: exact where the
consumer needs a value, by type elsewhere. Interactions stand alone: a second delivery has no place in them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from fixtures.core.topology import PROVIDERS

JSON = {"Content-Type": ["application/json"]}
APP = "04a4177e-d2a0-4372-bd59-0a417597e5a3"
GOOGLE = "type.googleapis.com/google.firebase.fcm.v1."
REACTOR, EVENTS_API, RESPONSES = "subscribers-errors", "directory-events-api", "directory-responses"
INTEGER = {"combine": "AND", "matchers": [{"match": "integer"}]}

Answer = Mapping[str, Any]


def legacy(error: str) -> Answer:
    """The legacy endpoint's answer for one token."""
    return {"http_status": 200, "response": {"error": error}}


def v1(http_status: int, status: str, code: str, *details: Mapping[str, Any], message: str = "") -> Answer:
    """FCM v1's answer; `details` stand before its own detail."""
    fcm_error = {"@type": f"{GOOGLE}FcmError", "errorCode": code}
    error = {
        "code": http_status,
        "status": status,
        "message": message or status,
        "details": [*details, fcm_error],
    }
    return {"http_status": http_status, "response": {"error": error}, "protocol": "fcm_v1"}


BAD_TOKEN = {
    "@type": "type.googleapis.com/google.rpc.BadRequest",
    "fieldViolations": [{"field": "message.token", "description": "Invalid registration token"}],
}
HELP = {"@type": "type.googleapis.com/google.rpc.Help", "links": []}
NOT_OURS = {"error": {"code": 404, "status": "NOT_FOUND", "message": "No such project."}}

ANSWERS: dict[str, tuple[Answer, str]] = {
    "NotRegistered": (legacy("NotRegistered"), "unsubscribe"),
    "InvalidRegistration": (legacy("InvalidRegistration"), "unsubscribe"),
    "Unavailable": (legacy("Unavailable"), "postpone"),
    "InternalServerError": (legacy("InternalServerError"), "postpone"),
    "DeviceMessageRateExceeded": (legacy("DeviceMessageRateExceeded"), "postpone"),
    "MessageTooBig": (legacy("MessageTooBig"), "fix_message"),
    "InvalidTtl": (legacy("InvalidTtl"), "fix_message"),
    "MismatchSenderId": (legacy("MismatchSenderId"), "alert"),
    "an undocumented legacy code": (legacy("SomethingNew"), "alert"),
    "a page of the retired endpoint": ({"http_status": 404, "response": "<html>404</html>"}, "alert"),
    "UNREGISTERED": (v1(404, "NOT_FOUND", "UNREGISTERED"), "unsubscribe"),
    "UNREGISTERED behind another detail": (v1(404, "NOT_FOUND", "UNREGISTERED", HELP), "unsubscribe"),
    "SENDER_ID_MISMATCH": (v1(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), "alert"),
    "QUOTA_EXCEEDED": (v1(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), "postpone"),
    "UNAVAILABLE": (v1(503, "UNAVAILABLE", "UNAVAILABLE"), "postpone"),
    "INTERNAL": (v1(500, "INTERNAL", "INTERNAL"), "postpone"),
    "THIRD_PARTY_AUTH_ERROR": (v1(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), "alert"),
    "INVALID_ARGUMENT of the token": (
        v1(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", BAD_TOKEN),
        "unsubscribe",
    ),
    "INVALID_ARGUMENT of the payload": (v1(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"), "fix_message"),
    "an undocumented v1 code": (v1(400, "INVALID_ARGUMENT", "SOMETHING_NEW"), "alert"),
    "a 404 that is not about the token": (
        {"http_status": 404, "response": NOT_OURS, "protocol": "fcm_v1"},
        "alert",
    ),
}


def create_report(answer: Answer) -> dict[str, Any]:
    ids = {name: str(uuid.uuid4()) for name in ("report_id", "message_id", "subscriber_id")}
    envelope = {"firebase_app": APP, "token": uuid.uuid4().hex, "spam": False, "retry_after": None}
    return {**ids, **envelope, "sent_at": "2026-01-05T12:00:00.000Z", **answer}


def create_interaction(
    description: str,
    request: Mapping[str, Any],
    answer: Any,
    status: int = 200,
    *,
    state: tuple[str, Any] = ("reachable", {}),
    rules: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One interaction in Pact V4."""
    sent = dict(request)
    if "body" in sent:
        sent |= {"headers": JSON, "body": {"content": sent["body"], "contentType": "application/json"}}
    response: dict[str, Any] = {"status": status, "headers": JSON}
    response["body"] = {"content": answer, "contentType": "application/json"}
    response |= {"matchingRules": {"body": rules}} if rules else {}
    states = [{"name": state[0], "params": state[1]}]
    members = {"description": description, "pending": False, "providerStates": states}
    return {"type": "Synchronous/HTTP", **members, "request": sent, "response": response}


def list_reactor_interactions() -> Iterator[dict[str, Any]]:
    """What directory-errors-listener needs of subscribers-errors."""
    for name, (answer, action) in ANSWERS.items():
        event = {**create_report(answer), "event_id": str(uuid.uuid4()), "code": name}
        result = {"event_id": event["event_id"], "subscriber_id": event["subscriber_id"], "action": action}
        yield create_interaction(
            f"an error event: {name}",
            {"method": "POST", "path": "/v1/errors", "body": {"errors": [event]}},
            {"results": [result]},
            state=subscribed(event),
        )
    event = create_report(legacy("NotRegistered"))
    row = {"subscriber_id": event["subscriber_id"], "status": "active", "token": event["token"]}
    yield create_interaction(
        "a look at a subscriber",
        {"method": "GET", "path": "/v1/subscribers", "query": {"id": [event["subscriber_id"]]}},
        {"subscribers": [{**row, "postponed_until": None}]},
        state=subscribed(event),
    )


def subscribed(event: Mapping[str, Any]) -> tuple[str, Any]:
    """The state in which an event's subscriber is active."""
    row = {name: event[name] for name in ("subscriber_id", "token", "firebase_app")}
    return "subscribers exist", {"subscribers": [{**row, "token_since": "2026-01-04T12:00:00.000Z"}]}


def list_receiver_interactions(provider: str) -> Iterator[dict[str, Any]]:
    """What a provider of reports must do: accept each code, and reject a malformed report alone."""
    interface = PROVIDERS[provider]
    count, status = ("accepted", 202) if provider == EVENTS_API else ("stored", 201)
    for name, (answer, _) in ANSWERS.items():
        body = {interface.batch_member: [create_report(answer)]} | (
            {"bts": "bts-0"} if provider == EVENTS_API else {}
        )
        yield create_interaction(
            f"a report: {name}",
            {"method": "POST", "path": interface.path, "body": body},
            {count: 1, "rejected": []},
            status,
            rules={f"$.{count}": INTEGER},
        )
    good, bad = (
        [create_report(legacy("NotRegistered")) for _ in range(2)],
        create_report(legacy("NotRegistered")),
    )
    bad["token"] = 7
    body = {interface.batch_member: [good[0], bad, good[1]]}
    body |= {"bts": "bts-0"} if provider == EVENTS_API else {}
    rejected = [{"report_id": bad["report_id"], "reason": "malformed"}]
    yield create_interaction(
        "a malformed report between two good ones",
        {"method": "POST", "path": interface.path, "body": body},
        {count: 2, "rejected": rejected},
        status,
        rules={"$.rejected[0].reason": {"combine": "AND", "matchers": [{"match": "type"}]}},
    )
    yield from list_observations(provider)


def list_observations(provider: str) -> Iterator[dict[str, Any]]:
    """What a provider must show of a report, and of the counts."""
    kind = "a report exists" if provider == EVENTS_API else "a response exists"
    for name in ("NotRegistered", "UNREGISTERED"):
        report = create_report(ANSWERS[name][0])
        row = {"report_id": report["report_id"], "protocol": report.get("protocol", "legacy"), "code": name}
        path = f"{PROVIDERS[provider].path}/{report['report_id']}"
        state = (kind, {"report": report})
        yield create_interaction(f"a look at {name}", {"method": "GET", "path": path}, row, state=state)
    if provider == RESPONSES:
        report = {**create_report(legacy("NotRegistered")), "firebase_app": str(uuid.uuid4())}
        query = {"firebase_app": [report["firebase_app"]]}
        summary = {"method": "GET", "path": "/v1/responses/summary", "query": query}
        counts = {"counts": {"NotRegistered": 1}}
        yield create_interaction("the sums of an app", summary, counts, state=(kind, {"report": report}))


def pact_of(provider: str) -> str:
    """The pact with a provider, with new ids."""
    interactions = list(
        list_reactor_interactions() if provider == REACTOR else list_receiver_interactions(provider)
    )
    pact = {
        "consumer": {"name": "by-hand"},
        "provider": {"name": provider},
        "interactions": interactions,
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    return json.dumps(pact)
