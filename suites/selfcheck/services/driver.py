"""Drives one service with a store of its own, and makes reports and error events by number."""

import weakref
from typing import Any
from uuid import UUID

from fixtures.services import load
from fixtures.services.http_messages import Reply
from fixtures.services.routing import LocalService

DEVICE = "00000000-0000-4000-8000-00000000000A"
APP = "04a4177e-d2a0-4372-bd59-0a417597e5a3"
NOW = "2026-01-01T00:00:00Z"


def make_id(number: int) -> str:
    return str(UUID(int=number))


def make_report(number: int = 1, **members: Any) -> dict[str, Any]:
    return {
        "report_id": make_id(number),
        "firebase_app": APP,
        "message_id": make_id(1),
        "subscriber_id": DEVICE,
        "token": "token",
        "spam": False,
        "sent_at": "2024-05-01T10:00:00Z",
        "http_status": 200,
        "retry_after": None,
        "response": {"error": "NotRegistered"},
    } | members


def make_event(number: int = 1, **members: Any) -> dict[str, Any]:
    return make_report(number) | {"event_id": make_id(1000 + number), "code": "any"} | members


class ServiceUnderTest(LocalService):
    """A service whose store closes with it."""

    def __init__(self, name: str, version: str = "after") -> None:
        super().__init__(load(name, version), now=NOW)
        weakref.finalize(self, self.store.close)

    def change_state(self, state: str, action: str = "setup", **params: Any) -> Reply:
        body = {"state": state, "params": params, "action": action}
        return self.answer("POST", "/_pact/provider-states", body)

    def post_errors(self, *events: Any) -> list[str]:
        """Post error events to subscribers-errors, and return the actions."""
        reply = self.answer("POST", "/v1/errors", {"errors": events})
        assert reply.status == 200, reply
        return [result["action"] for result in reply.body["results"]]

    def find_device(self) -> Any:
        return self.answer("GET", "/v1/subscribers", id=(DEVICE,)).body["subscribers"][0]


def subscribers_errors(version: str = "after") -> ServiceUnderTest:
    """subscribers-errors with one active device."""
    service = ServiceUnderTest("subscribers-errors", version)
    device = {"subscriber_id": DEVICE, "token": "token", "token_since": "2024-01-01T00:00:00Z"}
    reply = service.change_state("subscribers exist", subscribers=[device | {"firebase_app": APP}])
    assert reply.status == 200, reply
    return service
