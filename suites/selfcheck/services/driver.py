"""What the self-checks of services share: one service with a memory, and reports by number."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fixtures.services import load
from fixtures.services.events import Effect, News
from fixtures.services.http_messages import Reply, Request
from fixtures.services.store import SqliteStore
from fixtures.services.transactions import answer, hear

DEVICE = "00000000-0000-4000-8000-00000000000A"
APP = "04a4177e-d2a0-4372-bd59-0a417597e5a3"
NOW = "2026-01-01T00:00:00Z"


def identity(number: int) -> str:
    return str(UUID(int=number))


def report(number: int = 1, **members: Any) -> dict[str, Any]:
    return {
        "report_id": identity(number),
        "firebase_app": APP,
        "message_id": identity(1),
        "subscriber_id": DEVICE,
        "token": "token",
        "spam": False,
        "sent_at": "2024-05-01T10:00:00Z",
        "http_status": 200,
        "retry_after": None,
        "response": {"error": "NotRegistered"},
    } | members


def event(number: int = 1, **members: Any) -> dict[str, Any]:
    return report(number) | {"event_id": identity(1000 + number), "code": "any"} | members


class Provider:
    """A service with a memory of its own."""

    def __init__(self, name: str, version: str = "after") -> None:
        """Start with nothing known."""
        self.service = load(name, version)
        self.store = SqliteStore()

    def ask(self, method: str, path: str, body: Any = None, **query: tuple[str, ...]) -> Reply:
        """Answer one request."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return answer(self.service, Request(method, path, query, content, NOW), self.store)

    def hear(self, news: News) -> list[Effect]:
        """Bring news to a service that calls others."""
        exchange: Any = self.service
        return hear(exchange, news, self.store)

    def state(self, name: str, action: str = "setup", **params: Any) -> Reply:
        """Change a provider state."""
        asked = {"state": name, "params": params, "action": action}
        return self.ask("POST", "/_pact/provider-states", asked)

    def actions(self, *events: Any) -> list[str]:
        """React to events, and name the actions."""
        reply = self.ask("POST", "/v1/errors", {"errors": events})
        assert reply.status == 200, reply
        return [result["action"] for result in reply.body["results"]]

    def device(self) -> Mapping[str, Any]:
        """Show the device."""
        found: Mapping[str, Any] = self.ask("GET", "/v1/subscribers", id=(DEVICE,)).body["subscribers"][0]
        return found


def errors(version: str = "after") -> Provider:
    """subscribers-errors with one active device."""
    provider = Provider("subscribers-errors", version)
    device = {"subscriber_id": DEVICE, "token": "token", "token_since": "2024-01-01T00:00:00Z"}
    assert provider.state("subscribers exist", subscribers=[device | {"firebase_app": APP}]).status == 200
    return provider
