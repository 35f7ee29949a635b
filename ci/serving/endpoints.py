"""Where everything of a chain is, and how to push through it by hand."""

from __future__ import annotations

import json
import os
import shlex
import uuid
from collections.abc import Mapping
from typing import Any

from fixtures.core import topology
from fixtures.platform.over_http import HttpPlatform
from fixtures.platform.over_http.config import FCM

ROW = "{service:26} {version:10} {number:10} {url}"
USED_BY = {
    "redis": {"directory-messages", "go-sender"},
    "queue": {"directory-events-api", "directory-errors-listener"},
}


def described(system: HttpPlatform) -> list[dict[str, str]]:
    """Each place with its version and URL."""
    found = []
    for name, url in system.urls.items():
        version = system.versions.get(name, "")
        if name in system.hosts:
            number = topology.version_number(name, version)
            found.append({"service": name, "version": version, "number": number, "url": url})
        elif name in system.service_urls and name not in system.local_urls:
            found.append({"service": name, "version": "elsewhere", "number": "", "url": url})
        elif name == FCM or USED_BY.get(name, set()) & set(system.hosts):
            found.append({"service": name, "version": "", "number": "", "url": url})
    return found


def print_json(system: HttpPlatform) -> None:
    """Where everything is, one object a line."""
    for place in described(system):
        print(json.dumps({**place, "pid": os.getpid()}), flush=True)


def print_table(system: HttpPlatform) -> None:
    """Where everything is, and what to paste."""
    print(ROW.format(service="service", version="version", number="number", url="url"))
    for place in described(system):
        print(ROW.format(**place))
    print()
    for about, line in to_paste(system).items():
        print(f"{about}:\n  {line}")
    print("A line for each report follows; Ctrl-C stops.", flush=True)


def to_paste(system: HttpPlatform) -> dict[str, str]:
    """Commands that push to somebody whose device is gone, as far as the services for it are there."""
    case = "legacy-NotRegistered" if system.versions["go-sender"] == "before" else "v1-UNREGISTERED"
    subscriber_id = str(uuid.uuid4())
    device = {"subscriber_id": subscriber_id, "token": f"case/{case}/{subscriber_id[:8]}"}
    since = {"token_since": "2020-01-01T00:00:00Z", "firebase_app": system.firebase_apps[0]}
    state = {"state": "subscribers exist", "params": {"subscribers": [device | since]}, "action": "setup"}
    message = {"notification": {"title": "Hello"}}
    body = {
        "firebase_app": system.firebase_apps[0],
        "spam": False,
        "message": message,
        "subscribers": [device],
    }
    lines = {}
    if errors := system.service_urls.get("subscribers-errors"):
        lines["Subscribe somebody"] = curl(f"{errors}/_pact/provider-states", state)
    if messages := system.service_urls.get("directory-messages"):
        lines["Push to them; the token says what FCM answers (./ci/serve fcm --cases)"] = curl(
            f"{messages}/v1/messages", body
        )
    if errors:
        lines["Look at them"] = f"curl -s {shlex.quote(f'{errors}/v1/subscribers?id={subscriber_id}')}"
    return lines


def curl(url: str, body: Mapping[str, Any]) -> str:
    """A command that posts a body."""
    return (
        f"curl -s {shlex.quote(url)} -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"
    )
