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


def print_endpoints(platform: HttpPlatform, *, as_json: bool) -> None:
    endpoints = list_endpoints(platform)
    if as_json:
        for endpoint in endpoints:
            print(json.dumps({**endpoint, "pid": os.getpid()}), flush=True)
        return
    print(TABLE_ROW.format(service="service", version="version", number="number", url="url"))
    for endpoint in endpoints:
        print(TABLE_ROW.format(**endpoint))
    print()
    for title, command in example_commands(platform).items():
        print(f"{title}:\n  {command}")
    print("A line for each report follows; Ctrl-C stops.", flush=True)


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


def example_commands(platform: HttpPlatform) -> dict[str, str]:
    """Shell commands that push to a dead device, as far as the services for it have a URL."""
    case = "legacy-NotRegistered" if platform.versions["go-sender"] == "before" else "v1-UNREGISTERED"
    firebase_app, subscriber_id = platform.firebase_apps[0], str(uuid.uuid4())
    device = {"subscriber_id": subscriber_id, "token": f"case/{case}/{subscriber_id[:8]}"}
    subscriber = device | {"token_since": "2020-01-01T00:00:00Z", "firebase_app": firebase_app}
    state = {"state": "subscribers exist", "params": {"subscribers": [subscriber]}, "action": "setup"}
    message = {"message": {"notification": {"title": "Hello"}}, "subscribers": [device]}
    push = {"firebase_app": firebase_app, "spam": False, **message}
    errors = platform.service_urls.get("subscribers-errors")
    messages = platform.service_urls.get("directory-messages")
    commands = {}
    if errors:
        commands["Create a subscriber"] = curl(f"{errors}/_pact/provider-states", state)
    if messages:
        title = "Push to the subscriber; the token says what FCM answers (./ci/serve fcm --cases)"
        commands[title] = curl(f"{messages}/v1/messages", push)
    if errors:
        commands["Show the subscriber"] = curl(f"{errors}/v1/subscribers?id={subscriber_id}")
    return commands


def curl(url: str, body: Mapping[str, Any] | None = None) -> str:
    command = f"curl -s {shlex.quote(url)}"
    if body is None:
        return command
    return f"{command} -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"
