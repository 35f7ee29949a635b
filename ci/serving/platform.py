"""Serves the eight services, or some of them, until Ctrl-C, and prints a line for each report that passes."""

from __future__ import annotations

import argparse
import json
import os
import queue
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ci.serving import endpoints
from ci.serving.traffic import Passages, printable
from ci.support.cli import CommandParser, ExitCode
from fixtures.core import catalogue, topology
from fixtures.platform import over_http as chain
from fixtures.platform import redis_container as container
from fixtures.platform.base import FLOW
from fixtures.platform.over_http import HttpPlatform, PlatformError, PlatformConfig
from fixtures.platform.over_http.config import FCM, SERVABLE, require_known
from fixtures.platform.redis_container import ContainerError, RedisUnavailable
from fixtures.platform.sqs import QueueError
from fixtures.services.server import port_number

PROG = "./ci/serve"
ALL = "all"
POLL_S = 0.25
MOST_BEHIND = 10_000
"""News that may wait to be printed; more are counted and forgotten."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EPILOG = """
Without names, all eight are served. A service that is not named is looked for where --to says; without that,
calls to it are refused, and you are told so. FCM, Redis and SQS are started with those that need them.
`./ci/serve fcm` serves FCM alone, with options of its own: ./ci/serve fcm --help.
"""


def main(argv: Sequence[str]) -> int:
    """Serve; 64 on wrong usage and 69 where a server cannot be reached, before anything is served."""
    parser = command_line()
    options = parser.parse_args(argv)
    news, stop = News(), Stop()
    try:
        with chain.started(plan_of(options, news)) as system:
            (endpoints.print_json if options.json else endpoints.print_table)(system)
            watch(system, news, stop, as_json=options.json)
    except (RedisUnavailable, QueueError) as error:
        if error.slug.startswith("bad-"):
            parser.refuse(error)
        sys.stderr.write(f"{error}\n")
        return ExitCode.UNAVAILABLE
    except (PlatformError, ContainerError) as error:
        parser.refuse(error)
    except BrokenPipeError:  # nobody reads what is printed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.GO


def command_line() -> CommandParser:
    """The options."""
    parser = CommandParser(prog=PROG, description=__doc__)
    parser.epilog = EPILOG
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"{ALL} (the default) or some of: {', '.join(SERVABLE)}")
    many: dict[str, Any] = {"action": "append", "default": []}
    add("--version", **many, metavar="[NAME=]VERSION", help="before or after (the default), of all or of one")
    add("--to", **many, metavar="NAME=URL", help="a deployment that takes the place of a service, or of fcm")
    add("--port", **many, metavar="NAME=PORT", help="where a service is served; any free port by default")
    add("--redis-url", default="", help="the server of the messages container; an embedded one by default")
    add("--sqs-endpoint", default="", metavar="URL", help="where queues are made; embedded by default")
    add(
        "--queue-url",
        default="",
        metavar="URL",
        help="the queue of error events, at SQS or what speaks like it",
    )
    add(
        "--firebase-app",
        **many,
        metavar="UUID",
        help="whose messages are sent; of ci/release.toml by default",
    )
    add("--json", action="store_true", help="one JSON object a line instead of text")
    return parser


def plan_of(options: argparse.Namespace, news: News) -> PlatformConfig:
    """What is asked for; ChainError where that makes no sense."""
    names = options.names or [ALL]
    for name in names:
        require_known("unknown-service", name, (*SERVABLE, ALL))
    served = set(SERVABLE if ALL in names else names)
    if "go-sender" in served:
        served.add(FCM)
    ports = dict(read_pair(text, "--port", "events-proxy=8080") for text in options.port)
    plan = PlatformConfig(
        served=served,
        versions=read_versions(options.version),
        elsewhere=dict(read_pair(text, "--to", "events-proxy=http://127.0.0.1:8080") for text in options.to),
        ports={name: read_port(name, text) for name, text in ports.items()},
        redis_url=options.redis_url,
        sqs_endpoint=options.sqs_endpoint,
        queue_url=options.queue_url,
        firebase_apps=[container.app_named(app) for app in options.firebase_app or [topology.firebase_app()]],
        on_request=lambda *passed: news.put(passed),
        on_alert=lambda *told: news.put(told),
        keep_history=False,
    )
    if not plan.served_here:
        problem = "all of it is elsewhere; allowed: at least one name that --to does not give"
        raise PlatformError("nothing-to-serve", " ".join(names), problem, f"{PROG} events-proxy")
    for name in ports:
        require_known("not-served-here", name, plan.served_here)
    return plan


def read_pair(text: str, option: str, example: str) -> tuple[str, str]:
    """Read NAME=VALUE."""
    name, is_pair, value = text.partition("=")
    if not is_pair or not value:
        raise PlatformError(
            "bad-option", f"{option} {text}", f"allowed: {option} NAME=...", f"{option} {example}"
        )
    require_known("unknown-service", name, SERVABLE)
    return name, value


def read_port(name: str, text: str) -> int:
    """Read a port."""
    try:
        return port_number(text)
    except argparse.ArgumentTypeError as error:
        raise PlatformError(
            "bad-port", text, "allowed: 0 (any free one) to 65535", f"--port {name}=0"
        ) from error


def read_versions(texts: Sequence[str]) -> dict[str, str]:
    """Read VERSION, of all services, and NAME=VERSION, which outranks it."""
    of_all = [text for text in texts if "=" not in text]
    of_one = dict(read_pair(text, "--version", "go-sender=before") for text in texts if "=" in text)
    if FCM in of_one:
        raise PlatformError(
            "bad-option", f"--version fcm={of_one[FCM]}", "fcm has one version", f"{PROG} --help"
        )
    return dict.fromkeys(FLOW, of_all[-1] if of_all else "after") | of_one


class News:
    """What happens in a chain, on its way to the one who prints it."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[Any, ...]] = queue.Queue(MOST_BEHIND)
        self.missed = 0

    def put(self, news: tuple[Any, ...]) -> None:
        """Take news from any thread; where nobody keeps up, they are counted and forgotten."""
        try:
            self._waiting.put_nowait(news)
        except queue.Full:
            self.missed += 1

    def get(self) -> tuple[Any, ...]:
        """The next news; none if there are none for a while."""
        try:
            return self._waiting.get(timeout=POLL_S)
        except queue.Empty:
            return ()


class Stop:
    """Whether somebody has said stop: by a signal, or by being our parent and gone."""

    def __init__(self) -> None:
        self._asked = False
        self._parent = os.getppid()
        for number in SIGNALS:
            signal.signal(number, self._ask)

    def is_asked(self) -> bool:
        """Whether to stop now."""
        return self._asked or os.getppid() != self._parent

    def _ask(self, *_: object) -> None:
        self._asked = True


def watch(system: HttpPlatform, news: News, stop: Stop, *, as_json: bool) -> None:
    """Print what passes, until told to stop."""
    passages = Passages(system, catalogue.load())
    told: dict[str, str] = {}
    while not stop.is_asked():
        match news.get():
            case (str(service), str(reason)):
                # A service that tries again and again says the same again and again.
                if told.get(service) != reason:
                    told[service] = reason
                    print_told(service, reason, as_json=as_json)
            case (to, asked, answered):
                for passage in passages.of(to, asked, answered):
                    print(json.dumps(asdict(passage)) if as_json else passage.line(), flush=True)
        if news.missed:
            missed, news.missed = news.missed, 0
            print_told(PROG, f"{missed} lines left out: more passes than can be printed", as_json=as_json)


def print_told(service: str, reason: str, *, as_json: bool) -> None:
    """What a person is told."""
    said = (
        json.dumps({"told": reason, "by": service}) if as_json else f"! {service}: {printable(reason, 400)}"
    )
    print(said, flush=True)
