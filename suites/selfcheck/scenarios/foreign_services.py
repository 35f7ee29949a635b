"""Reference services, or faulty ones, behind a wire of their own, as the services of another push platform.

Each is a process that works until it is ended. Its translations are written by hand, one direction at a time.
"""

import argparse
import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from fixtures.core.loopback_server import LoopbackHandler, LoopbackServer, run_server
from fixtures.core.times import format_time, parse_time
from fixtures.faults.runtime import find_variant
from fixtures.platform import redis_container
from fixtures.platform.isolated_service import create_peer
from fixtures.platform.over_http.service_host import ServiceHost
from fixtures.scenarios.sender.senders import list_container_keys
from fixtures.services import load
from fixtures.services.asgi import current_time
from fixtures.services.events import QueueMessage
from fixtures.services.http_environment import HttpEnvironment
from fixtures.services.http_server import bind_port, uvicorn_config
from fixtures.services.http_server import run_server as run_uvicorn
from fixtures.services.infrastructure import Container, MemoryContainer, Queue
from suites.selfcheck.scenarios.reference_deployment import open_queue

REPORT = {
    "id": "report_id",
    "user": "subscriber_id",
    "address": "token",
    "app": "firebase_app",
    "push": "message_id",
    "bulk": "spam",
}


def write_callback(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report in the wire of the platform."""
    fcm = {
        "code": report["http_status"],
        "text": json.dumps(report["response"]),
        "wait": report["retry_after"],
    }
    common = {name: report[ours] for name, ours in REPORT.items()}
    sent_ms = round(parse_time(report["sent_at"]).timestamp() * 1000)
    return {**common, "sent_ms": sent_ms, "api": report.get("protocol", "legacy"), "fcm": fcm}


def read_callback(callback: Mapping[str, Any]) -> dict[str, Any]:
    fcm, sent_at = callback["fcm"], datetime.fromtimestamp(callback["sent_ms"] / 1000, UTC)
    report = {ours: callback[name] for name, ours in REPORT.items()}
    report |= {"http_status": fcm["code"], "response": json.loads(fcm["text"]), "retry_after": fcm["wait"]}
    protocol = {} if callback["api"] == "legacy" else {"protocol": callback["api"]}
    return {**report, "sent_at": format_time(sent_at), **protocol}


def write_error(event: Mapping[str, Any]) -> dict[str, Any]:
    return {**write_callback(event), "event": event["event_id"], "why": event["code"]}


def read_error(error: Mapping[str, Any]) -> dict[str, Any]:
    return {**read_callback(error), "event_id": error["event"], "code": error["why"]}


def read_push(push: Mapping[str, Any]) -> dict[str, Any]:
    subscribers = [{"subscriber_id": row["who"], "token": row["where"]} for row in push["to"]]
    return {
        "message_id": push["uid"], "firebase_app": push["app"], "spam": push["bulk"],
        "message": push["content"], "subscribers": subscribers,
    }  # fmt: skip


def read_request(name: str, method: str, path: str, body: Any) -> tuple[str, str, Any]:
    """A request of the platform, in our wire."""
    match name:
        case "events-proxy":
            return "POST", "/v1/reports", {"reports": [read_callback(body)]}
        case "directory-messages":
            return "POST", "/v1/messages", read_push(body)
        case _ if method == "GET":
            return "GET", f"/v1/postponed/{path.rpartition('/')[2]}", None
    until = format_time(datetime.fromtimestamp(body["until_ms"] / 1000, UTC))
    return "PUT", f"/v1/postponed/{body['user']}", {"until": until, "reason": body["why"]}


def write_calls(name: str, body: Any) -> list[tuple[str, str, Any]]:
    """The calls of the platform that say what one call in our wire says."""
    match name:
        case "events-proxy" | "go-sender":
            return [("POST", "/hooks", {"hooks": [write_callback(row) for row in body["reports"]]})]
        case "directory-errors-listener":
            return [
                ("PUT", f"/users/{row['subscriber_id']}/error", write_error(row)) for row in body["errors"]
            ]
    rows = [
        {"user": row["subscriber_id"], "ended_ms": round(parse_time(row["until"]).timestamp() * 1000)}
        for row in body["resumed"]
    ]
    return [("POST", "/released", rows)]


def ask(url: str, method: str, path: str, body: Any) -> tuple[int, bytes]:
    """The status and the body of an answer. Raises OSError or HTTPException if there is none."""
    with contextlib.closing(HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()


class FrontHandler(LoopbackHandler):
    """Takes requests of the platform for a service that speaks our wire."""

    service: str
    url: str

    def answer(self) -> None:
        body = json.loads(self.read_body() or b"null")
        status, content = ask(self.url, *read_request(self.service, self.command, self.path, body))
        if self.command == "GET" and status == HTTPStatus.OK:
            until = parse_time(json.loads(content)["until"]).timestamp()
            content = json.dumps({"hold": {"ends_ms": round(until * 1000)}}).encode()
        self.respond(status, {"Content-Type": "application/json"}, content)

    do_GET = do_POST = do_PUT = answer  # noqa: N815  as http.server calls them


class PeerHandler(LoopbackHandler):
    """Takes calls of a service that speaks our wire, and makes those of the platform."""

    service: str
    url: str

    def answer(self) -> None:
        body = json.loads(self.read_body())
        try:
            answers = [ask(self.url, *call) for call in write_calls(self.service, body)]
        except (OSError, HTTPException):
            self.close_connection = True
            return
        status, content = max(answers)
        if status < HTTPStatus.MULTIPLE_CHOICES:
            ids = ("event_id", "subscriber_id")
            results = [
                {**{name: row[name] for name in ids}, "action": "alert"} for row in body.get("errors", ())
            ]
            reports = body.get("reports", ())
            content = json.dumps({"results": results, "accepted": len(reports), "rejected": []}).encode()
            status = {"events-proxy": 202, "go-sender": 202, "subscribers-postponed": 204}.get(
                self.service, 200
            )
        self.respond(
            status, {"Content-Type": "application/json"}, b"" if status == HTTPStatus.NO_CONTENT else content
        )

    do_POST = answer  # noqa: N815  as http.server calls it


class PlatformQueue:
    """The queue of a listener: its messages are events of the platform."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.send, self.delete, self.change_visibility = queue.send, queue.delete, queue.change_visibility
        self.count = queue.count

    def receive(self, most: int, visibility_s: float) -> tuple[QueueMessage, ...]:
        return tuple(
            replace(message, body=read_body(message.body))
            for message in self.queue.receive(most, visibility_s)
        )


def read_body(text: str) -> str:
    try:
        return json.dumps(read_error(json.loads(text)))
    except (ValueError, TypeError, KeyError):
        return text


class PlatformContainer:
    """The container of the platform: one record a user for directory-messages, one a message for a sender."""

    def __init__(self, url: str, service: str) -> None:
        self.server, self.is_for_one = redis_container.connect(url), service == "directory-messages"

    def push(self, key: str, record: str) -> None:
        content = json.loads(record)
        common = {"uid": content["message_id"], "app": content["firebase_app"], "bulk": content["spam"]}
        common |= {
            "old": content.get("legacy"),
            "new": content.get("v1"),
            "attempt": content.get("attempt", 1),
        }
        rows = [{"who": row["subscriber_id"], "where": row["token"]} for row in content["recipients"]]
        for part in rows if self.is_for_one else [{"to": rows}]:
            self.server.rpush(own_list(key), json.dumps({**common, **part}))

    def peek(self, key: str) -> str | None:
        return self._read(self.server.lindex(own_list(key), 0))

    def pop(self, key: str) -> str | None:
        return self._read(self.server.lpop(own_list(key)))

    def count(self, key: str) -> int:
        return int(self.server.llen(own_list(key)))

    def _read(self, content: bytes | None) -> str | None:
        if content is None:
            return None
        push = json.loads(content)
        record = {
            "message_id": push["uid"], "firebase_app": push["app"], "spam": push["bulk"],
            "legacy": push["old"], "v1": push["new"], "attempt": push.get("attempt", 1),
            "created_at": "2026-01-01T00:00:00Z",
            "recipients": [{"subscriber_id": row["who"], "token": row["where"]} for row in push["to"]],
        }  # fmt: skip
        return json.dumps(record)


def own_list(key: str) -> str:
    _, app, kind = key.split(":")
    return f"pushes.{app}.{'bulk' if kind == 'spam' else 'now'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("name", "store", "port"):
        parser.add_argument(name)
    for option in ("--peer", "--fcm", "--redis", "--queue", "--dead-letters", "--variant"):
        parser.add_argument(option, default="")
    options = parser.parse_args()
    variant, name = find_variant(options.variant), options.name
    service = (variant.load if variant else load)(name, "after")
    inner = bind_port(0)
    members = {"service": name, "url": f"http://127.0.0.1:{inner.getsockname()[1]}"}
    front = LoopbackServer(("127.0.0.1", int(options.port)), type("Front", (FrontHandler,), members))
    peer_members = {"service": name, "url": options.peer}
    peer = LoopbackServer(("127.0.0.1", 0), type("Peer", (PeerHandler,), peer_members))
    container: Container = PlatformContainer(options.redis, name) if options.redis else MemoryContainer()
    with run_server(front), run_server(peer) as peer_url:
        peer_name = "events-proxy" if name == "go-sender" else create_peer(name).name
        environment = HttpEnvironment(
            urls={peer_name: peer_url, "fcm": options.fcm}, container=container,
            queue=PlatformQueue(open_queue(options.queue)), dead_letters=open_queue(options.dead_letters),
            alert=lambda _name, _reason: None, timeout_s=1 if name == "go-sender" else 10,
        )  # fmt: skip
        keys = list_container_keys() if name == "go-sender" else ()
        host = ServiceHost(service, environment, Path(options.store), keys, current_time)
        application = host.application(lambda _request, _reply: None)
        run_uvicorn(uvicorn.Server(uvicorn_config(application)), [inner], with_parent=False)


if __name__ == "__main__":
    main()
