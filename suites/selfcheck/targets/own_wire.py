"""A push platform with a wire of its own: it takes one callback a device, and shows devices by user."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from suites.selfcheck.http_double import HttpAnswer, serve_answers
from suites.selfcheck.second_opinion import decisions, reports

SERVICE = "subscribers-errors"
JSON = {"Content-Type": "application/json"}

Device = dict[str, Any]
Decide = Callable[[Mapping[str, Any]], str]

TARGETS = """\
[environments.own.services.subscribers-errors]
url = "URL"
absent = "unsubscribed"
until_as = "epoch_ms"
values = { active = ["ok"], postponed = ["waiting"] }
JUDGE
[environments.own.services.subscribers-errors.deliver]
method = "POST"
path = "/callbacks"
status = [204]
[environments.own.services.subscribers-errors.deliver.body]
id = "{report.report_id}"
api = "{report.protocol}"
sent = "{report.sent_at|epoch_ms}"
device = "{report.token}"
fcm = { status = "{answer.status}", text = "{answer.body|json}", retry = "{answer.retry_after}" }
[environments.own.services.subscribers-errors.observe.http]
path = "/users/{subscriber_id}"
status = "device.state"
token = "device.token"
until = "device.retry_at"
[environments.own.services.subscribers-errors.states.http]
setup = { method = "PUT", path = "/devices", body = { user = "{subscriber_id}", token = "{token}", SINCE } }
teardown = { method = "DELETE", path = "/users/{subscriber_id}", status = [204] }
"""
SINCE = 'since = "{token_since|epoch_ms}"'


def decide_rightly(report: Mapping[str, Any]) -> str:
    return decisions.decide(dict(report)).outcome


@dataclass
class OwnPlatform:
    """The devices of a platform by token. It deletes a device whose app is gone."""

    decide: Decide = decide_rightly
    always_shows: Device | None = None
    devices: dict[str, Device] = field(default_factory=dict)
    handled: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def react(self, request: BaseHTTPRequestHandler, body: bytes) -> HttpAnswer:
        with self.lock:
            return self.route(request.command, unquote(request.path), json.loads(body or b"null"))

    def route(self, method: str, path: str, body: Any) -> HttpAnswer:
        name = path.rpartition("/")[2]
        match method, path.split("/")[1]:
            case "PUT", "devices":
                self.remove_user(body["user"])
                self.devices[body["token"]] = {**body, "state": "ok", "retry_at": None}
            case "DELETE", "users":
                self.remove_user(name)
            case "GET", "users":
                devices = (row for row in self.devices.values() if row["user"] == name)
                device = self.always_shows or next(devices, None)
                return (200 if device else 404), JSON, json.dumps({"device": device}).encode()
            case "POST", _:
                self.take(body)
        return 204, {}, b""

    def remove_user(self, user: str) -> None:
        self.devices = {token: row for token, row in self.devices.items() if row["user"] != user}

    def take(self, callback: Mapping[str, Any]) -> None:
        device = self.devices.get(callback["device"])
        if device is None or callback["sent"] < device["since"] or callback["id"] in self.handled:
            return
        self.handled.add(callback["id"])
        sent_at = datetime.fromtimestamp(callback["sent"] / 1000, UTC)
        report = {
            "report_id": callback["id"],
            "protocol": callback["api"],
            "http_status": callback["fcm"]["status"],
            "response": json.loads(callback["fcm"]["text"]),
            "retry_after": callback["fcm"]["retry"],
            "sent_at": reports.write_time(sent_at),
        }
        match self.decide(report):
            case "unsubscribe":
                del self.devices[device["token"]]
            case "postpone":
                until = round((sent_at + decisions.wait_of(report)).timestamp() * 1000)
                device |= {"state": "waiting", "retry_at": max(until, device["retry_at"] or 0)}
            case "replace_token":
                del self.devices[device["token"]]
                device["token"] = report["response"]["registration_id"]
                self.devices[device["token"]] = device


@contextmanager
def run_platform(
    folder: Path,
    *,
    decide: Decide = decide_rightly,
    judge: str = "",
    always_shows: Device | None = None,
    platform_class: type[OwnPlatform] = OwnPlatform,
) -> Iterator[Path]:
    """Serve a new platform, and yield a targets file for it. `judge` is a line of its table."""
    with serve_answers(platform_class(decide, always_shows).react) as server:
        file = folder / f"targets-{uuid.uuid4().hex}.toml"
        file.write_text(
            TARGETS.replace("URL", server.url).replace("SINCE", SINCE).replace("JUDGE", judge),
            encoding="utf-8",
        )
        yield file
