"""Serves the eight services, or some of them, until Ctrl-C, and prints a line for each report that passes."""

import argparse
import contextlib
import json
import os
import shlex
import signal
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ci.serving.traffic_log import TrafficLog
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode
from fixtures.core import topology
from fixtures.core.topology import FLOW
from fixtures.platform.over_http.config import FCM, SERVABLE, PlatformConfig, PlatformError, require_known
from fixtures.platform.over_http.platform import HttpPlatform, run_platform
from fixtures.platform.redis_container import ContainerError, RedisUnavailable, normalize_app
from fixtures.platform.sqs import QueueError
from fixtures.services.command_line import port_number

PROG = "./ci/serve"
ALL = "all"
TABLE_ROW = "{service:26} {version:10} {number:10} {url}"
USERS_OF = {
    "redis": {"directory-messages", "go-sender"},
    "queue": {"directory-events-api", "directory-errors-listener"},
}


def serve(parser: CommandParser, options: argparse.Namespace) -> int:
    """Serve until a signal; 69 if a server cannot be reached, before anything is served."""
    under_nohup = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    numbers = (signal.SIGINT, signal.SIGTERM, *(() if under_nohup else (signal.SIGHUP,)))
    parent = os.getppid()
    log = TrafficLog(as_json=options.json_lines)
    try:
        with collect_signals(*numbers) as signals, run_platform(read_config(options, log)) as platform:
            print_endpoints(platform, as_json=options.json_lines)
            while not signals and (under_nohup or os.getppid() == parent):
                log.print_next(platform)
    except (RedisUnavailable, QueueError) as error:
        if error.slug.startswith("bad-"):
            parser.refuse(error)
        sys.stderr.write(f"{error}\n")
        return ExitCode.UNAVAILABLE
    except (PlatformError, ContainerError) as error:
        parser.refuse(error)
    return ExitCode.GO


@contextlib.contextmanager
def collect_signals(*numbers: int) -> Iterator[list[int]]:
    """Collect these signals until the block ends."""
    signals: list[int] = []
    handlers = {
        number: signal.signal(number, lambda number, _frame: signals.append(number)) for number in numbers
    }
    try:
        yield signals
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def read_config(options: argparse.Namespace, log: TrafficLog) -> PlatformConfig:
    """Read the options; PlatformError if they make no sense."""
    names = options.names or [ALL]
    for name in names:
        require_known("unknown-service", name, (*SERVABLE, ALL))
    served = set(SERVABLE if ALL in names else names)
    if "go-sender" in served:
        served.add(FCM)
    ports = dict(read_pair(text, "--port", "events-proxy=8080") for text in options.port)
    firebase_apps = options.firebase_app or [topology.read_firebase_app()]
    config = PlatformConfig(
        served=served,
        versions=read_versions(options.version),
        elsewhere=dict(read_pair(text, "--to", "events-proxy=http://127.0.0.1:8080") for text in options.to),
        ports={name: read_port(name, text) for name, text in ports.items()},
        redis_url=options.redis_url,
        sqs_endpoint=options.sqs_endpoint,
        queue_url=options.queue_url,
        firebase_apps=[normalize_app(app) for app in firebase_apps],
        on_request=log.put,
        on_alert=log.put,
        keep_history=False,
    )
    if not config.served_here:
        problem = "all of it is elsewhere; allowed: at least one name that --to does not give"
        raise PlatformError("nothing-to-serve", repr(" ".join(names)), problem, f"{PROG} events-proxy")
    for name in ports:
        require_known("not-served-here", name, config.served_here)
    return config


def read_pair(text: str, option: str, example: str) -> tuple[str, str]:
    """Read NAME=VALUE."""
    name, _, value = text.partition("=")
    if not value:
        refused = repr(f"{option} {text}")
        raise PlatformError("bad-option", refused, f"allowed: {option} NAME=...", f"{option} {example}")
    require_known("unknown-service", name, SERVABLE)
    return name, value


def read_port(name: str, text: str) -> int:
    try:
        return port_number(text)
    except argparse.ArgumentTypeError as error:
        problem = "allowed: 0 (any free one) to 65535"
        raise PlatformError("bad-port", repr(text), problem, f"--port {name}=0") from error


def read_versions(texts: Sequence[str]) -> dict[str, str]:
    """Read VERSION for all services, and NAME=VERSION, which takes precedence."""
    default = next((text for text in reversed(texts) if "=" not in text), "after")
    versions = dict(read_pair(text, "--version", "go-sender=before") for text in texts if "=" in text)
    if FCM in versions:
        value = repr(f"--version fcm={versions[FCM]}")
        raise PlatformError("bad-option", value, "fcm has one version", f"{PROG} --help")
    return dict.fromkeys(FLOW, default) | versions


# --- what is printed first


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
