"""Drives one service with a store of its own, and makes reports and error events by number."""

import json
from typing import Any
from uuid import UUID

from fixtures.services import load, routing
from fixtures.services.events import Effect, Event
from fixtures.services.http_messages import Reply, Request
from fixtures.services.store import Store

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


class ServiceUnderTest:
    def __init__(self, name: str, version: str = "after") -> None:
        self.service: Any = load(name, version)
        self.store = Store()

    def request(self, method: str, path: str, body: Any = None, **query: tuple[str, ...]) -> Reply:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = Request(method, path, query, content, NOW)
        return routing.answer_request(self.service, request, self.store)

    def handle_event(self, event: Event) -> list[Effect]:
        return routing.handle_event(self.service, event, self.store)

    def change_state(self, state: str, action: str = "setup", **params: Any) -> Reply:
        body = {"state": state, "params": params, "action": action}
        return self.request("POST", "/_pact/provider-states", body)

    def post_errors(self, *events: Any) -> list[str]:
        """Post error events to subscribers-errors, and return the actions."""
        reply = self.request("POST", "/v1/errors", {"errors": events})
        assert reply.status == 200, reply
        return [result["action"] for result in reply.body["results"]]

    def find_device(self) -> Any:
        return self.request("GET", "/v1/subscribers", id=(DEVICE,)).body["subscribers"][0]


def subscribers_errors(version: str = "after") -> ServiceUnderTest:
    """subscribers-errors with one active device."""
    service = ServiceUnderTest("subscribers-errors", version)
    device = {"subscriber_id": DEVICE, "token": "token", "token_since": "2024-01-01T00:00:00Z"}
    reply = service.change_state("subscribers exist", subscribers=[device | {"firebase_app": APP}])
    assert reply.status == 200, reply
    return service
