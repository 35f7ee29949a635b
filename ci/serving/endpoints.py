"""Prints the URLs of a platform, and commands for a push by hand."""

from __future__ import annotations

import json
import os
import shlex
import uuid
from collections.abc import Mapping
from typing import Any

from fixtures.core import topology
from fixtures.platform.over_http.config import FCM
from fixtures.platform.over_http.platform import HttpPlatform

TABLE_ROW = "{service:26} {version:10} {number:10} {url}"
USERS_OF = {
    "redis": {"directory-messages", "go-sender"},
    "queue": {"directory-events-api", "directory-errors-listener"},
}


def list_endpoints(platform: HttpPlatform) -> list[dict[str, str]]:
    """Everything that has a URL, with its version and version number."""
    endpoints = []
    for name, url in platform.urls.items():
        version = number = ""
        if name in platform.hosts:
            version = platform.versions[name]
            number = topology.get_version_number(name, version)
        elif name in platform.service_urls and name not in platform.local_urls:
            version = "elsewhere"
        elif name != FCM and not USERS_OF.get(name, set()) & set(platform.hosts):
            continue
        endpoints.append({"service": name, "version": version, "number": number, "url": url})
    return endpoints


def print_json(platform: HttpPlatform) -> None:
    for endpoint in list_endpoints(platform):
        print(json.dumps({**endpoint, "pid": os.getpid()}), flush=True)


def print_table(platform: HttpPlatform) -> None:
    print(TABLE_ROW.format(service="service", version="version", number="number", url="url"))
    for endpoint in list_endpoints(platform):
        print(TABLE_ROW.format(**endpoint))
    print()
    for title, command in example_commands(platform).items():
        print(f"{title}:\n  {command}")
    print("A line for each report follows; Ctrl-C stops.", flush=True)


def example_commands(platform: HttpPlatform) -> dict[str, str]:
    """Shell commands that push to a dead device, as far as the services for it have a URL."""
    case = "legacy-NotRegistered" if platform.versions["go-sender"] == "before" else "v1-UNREGISTERED"
    firebase_app, subscriber_id = platform.firebase_apps[0], str(uuid.uuid4())
    device = {"subscriber_id": subscriber_id, "token": f"case/{case}/{subscriber_id[:8]}"}
    subscriber = device | {"token_since": "2020-01-01T00:00:00Z", "firebase_app": firebase_app}
    state = {"state": "subscribers exist", "params": {"subscribers": [subscriber]}, "action": "setup"}
    push = {
        "firebase_app": firebase_app,
        "spam": False,
        "message": {"notification": {"title": "Hello"}},
        "subscribers": [device],
    }
    errors = platform.service_urls.get("subscribers-errors")
    messages = platform.service_urls.get("directory-messages")
    commands = {}
    if errors:
        commands["Create a subscriber"] = curl(f"{errors}/_pact/provider-states", state)
    if messages:
        title = "Push to the subscriber; the token says what FCM answers (./ci/serve fcm --cases)"
        commands[title] = curl(f"{messages}/v1/messages", push)
    if errors:
        url = f"{errors}/v1/subscribers?id={subscriber_id}"
        commands["Show the subscriber"] = f"curl -s {shlex.quote(url)}"
    return commands


def curl(url: str, body: Mapping[str, Any]) -> str:
    data = shlex.quote(json.dumps(body))
    return f"curl -s {shlex.quote(url)} -H 'Content-Type: application/json' -d {data}"
