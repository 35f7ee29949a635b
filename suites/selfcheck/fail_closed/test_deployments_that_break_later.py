"""A deployment that is wrong from a later request on is never a go."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from suites.selfcheck.fail_closed.behaviours import (
    JSON,
    LOGIN_PAGE,
    NO_GO,
    UNDECIDED,
    always,
    always_wrong,
    dribble_body,
    forward,
    gzip_bomb,
    on_batches,
    on_observations,
    repeat_members,
    send_endless_body,
    send_half,
    with_body,
    with_member,
)
from suites.selfcheck.fail_closed.fault_proxy import Behaviour, ProxiedRequest, ProxiedResponse
from suites.selfcheck.fail_closed.sandbox import KEEPER, REACTOR, GateFault, Scene, for_each_fault

NOT_FOUND, FAILED = always(404, JSON, b"{}"), always(500, JSON, b"{}")


def wrong_at_batches(name: str, what: str, behaviour: Behaviour, *row: Any) -> GateFault:
    return always_wrong(f"batches-{name}", what, on_batches(behaviour), *row)


def wrong_at_observations(name: str, what: str, behaviour: Behaviour, *row: Any) -> GateFault:
    return always_wrong(f"looks-{name}", what, on_observations(behaviour), *row)


def echo(request: ProxiedRequest) -> None:
    """Respond with the request's own body."""
    request.respond(replace(request.fetch(), body=request.body or b"{}"))


def respond_twice(request: ProxiedRequest) -> None:
    """A wrong response before the right one on the same connection."""
    response = request.fetch()
    request.send(f"HTTP/1.1 500 Status\r\nContent-Type: {JSON}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    request.respond(response)


def claim_success(request: ProxiedRequest) -> None:
    """Acknowledge every event as handled, and handle none."""
    results = [
        {"event_id": event["event_id"], "subscriber_id": event["subscriber_id"], "action": "unsubscribe"}
        for event in json.loads(request.body).get("errors", [])
    ]
    request.respond(ProxiedResponse(200, JSON, json.dumps({"results": results}).encode()))


def cache_by_method(request: ProxiedRequest) -> None:
    """A cache that ignores the path: the first observation answers every later one."""
    request.respond(request.memory.setdefault(request.connection.command, request.fetch()))


def show_active(response: ProxiedResponse) -> bytes:
    """Every subscriber as active."""
    rows = [{**row, "status": "active", "postponed_until": None} for row in response.json["subscribers"]]
    return json.dumps({"subscribers": rows}).encode()


def show_other_subscribers(response: ProxiedResponse) -> bytes:
    """Rows of other subscribers than the requested ones."""
    other_id = "00000000-0000-4000-8000-000000000000"
    rows = [{**row, "subscriber_id": other_id} for row in response.json["subscribers"]]
    return json.dumps({"subscribers": rows}).encode()


def show_commands(response: ProxiedResponse) -> bytes:
    """Rows whose status is a verdict, a command for a terminal and for a CI system, and half a character."""
    words = "\x1b[2J\r\n::stop-commands::x\n=== GO ===\u202e @team \ud800"
    rows = [{**row, "status": words} for row in response.json["subscribers"]]
    return json.dumps({"subscribers": rows}).encode()


def reset_when(is_due: Callable[[int], bool]) -> Behaviour:
    """Reset the connection of each request whose number, from 1, is due."""
    return lambda request: request.reset() if is_due(request.number) else forward(request)


def show_id_only(request: ProxiedRequest) -> None:
    """A report for every id, with nothing but the id."""
    body = json.dumps({"report_id": request.path.rpartition("/")[2]}).encode()
    request.respond(ProxiedResponse(200, JSON, body))


LATER = (
    wrong_at_batches(
        "hang", "hangs when it gets reports", ProxiedRequest.hang, UNDECIDED, "ReadTimeout|within 1", 1
    ),
    wrong_at_batches("dribble", "acknowledges byte by byte", dribble_body, UNDECIDED, "no end|within 1", 1),
    wrong_at_batches(
        "half", "dies in the middle of an acknowledgement", send_half, UNDECIDED, "RemoteProtocolError"
    ),
    wrong_at_batches("endless", "acknowledges without end", send_endless_body, UNDECIDED, "has no end", 1),
    wrong_at_batches(
        "gzip-bomb", "acknowledges with a packed gigabyte", gzip_bomb(1), UNDECIDED, "has no end"
    ),
    wrong_at_batches(
        "redirect",
        "redirects when it gets reports",
        always(307, JSON, b"", "Location: /v2/errors"),
        UNDECIDED,
        "redirects to",
    ),
    wrong_at_batches("html", "acknowledges with a page of its proxy", LOGIN_PAGE, NO_GO, "no JSON"),
    wrong_at_batches(
        "text",
        "acknowledges as text/plain",
        with_body(lambda response: response.body, "text/plain"),
        NO_GO,
        "breaks its contract",
    ),
    wrong_at_batches(
        "bad-utf8",
        "acknowledges in bytes that are not UTF-8",
        with_body(with_member(b'"\xff\xfe"')),
        NO_GO,
        "no UTF-8",
    ),
    wrong_at_batches(
        "utf16",
        "acknowledges in UTF-16",
        with_body(lambda response: response.body.decode().encode("utf-16")),
        NO_GO,
        "no UTF-8",
    ),
    wrong_at_batches("twin-keys", "repeats each member", with_body(repeat_members), NO_GO, "stands twice"),
    wrong_at_batches("nan", "acknowledges with NaN", with_body(with_member(b"NaN")), NO_GO, "NaN"),
    wrong_at_batches("infinite", "acknowledges with 1e999", with_body(with_member(b"1e999")), NO_GO, "1e999"),
    wrong_at_batches(
        "long-number",
        "acknowledges with a number of 10 000 digits",
        with_body(with_member(b"1" * 10_000)),
        NO_GO,
        "no JSON",
    ),
    wrong_at_batches(
        "deep",
        "acknowledges with lists nested 10 000 deep",
        with_body(with_member(b"[" * 10_000 + b"]" * 10_000)),
        NO_GO,
        "nested",
    ),
    wrong_at_batches(
        "nested",
        "acknowledges with objects nested 900 deep",
        with_body(with_member(b'{"a":' * 900 + b"1" + b"}" * 900)),
        NO_GO,
        "nested",
    ),
    wrong_at_batches(
        "huge",
        "acknowledges with a text of 16 MB",
        with_body(with_member(b'"' + b"x" * (16 << 20) + b'"')),
        UNDECIDED,
        f"unreachable-target: {REACTOR} .*(has no end|timed out|within 1)",
    ),
    wrong_at_batches(
        "many",
        "acknowledges with a million results",
        with_body(lambda _: b'{"results":[' + b"1," * 1_000_000 + b"1]}"),
        NO_GO,
        "over 50000 values",
    ),
    wrong_at_batches(
        "cut",
        "acknowledges with half a JSON",
        with_body(lambda response: response.body[:-2]),
        NO_GO,
        "no JSON",
    ),
    wrong_at_batches("echo", "sends back what it received", echo, NO_GO, "shape"),
    wrong_at_batches(
        "lazy", "claims success and does nothing", claim_success, NO_GO, "leaves the subscriber active"
    ),
    wrong_at_batches("500", "fails on every batch", FAILED, NO_GO, "answers 500"),
    wrong_at_batches("two-answers", "answers twice", respond_twice, NO_GO, "answers 500"),
    wrong_at_observations(
        "hang", "hangs when it is observed", ProxiedRequest.hang, UNDECIDED, "ReadTimeout|within 1", 1
    ),
    wrong_at_observations(
        "commands",
        "shows commands, a verdict and half a character",
        with_body(show_commands),
        NO_GO,
        "leaves the subscriber",
    ),
    wrong_at_observations(
        "empty",
        "never shows a subscriber",
        with_body(lambda _: b'{"subscribers":[]}'),
        NO_GO,
        "lost the subscriber",
    ),
    wrong_at_observations("404", "has no observation", NOT_FOUND, UNDECIDED, "unobservable-target"),
    wrong_at_observations("500", "fails when it is observed", FAILED, UNDECIDED, "unobservable-target"),
    wrong_at_observations("html", "shows a login page", LOGIN_PAGE, UNDECIDED, "unobservable-target"),
    wrong_at_observations(
        "active",
        "shows every subscriber as active",
        with_body(show_active),
        NO_GO,
        "leaves the subscriber active",
    ),
    wrong_at_observations(
        "strangers",
        "shows other subscribers than the requested ones",
        with_body(show_other_subscribers),
        UNDECIDED,
        "unobservable-target: .*shown in two ways",
    ),
    wrong_at_observations(
        "twin-keys",
        "repeats each member",
        with_body(repeat_members),
        UNDECIDED,
        "unobservable-target: .*200 ",
    ),
    wrong_at_observations(
        "nested",
        "shows subscribers with lists nested 900 deep",
        with_body(with_member(b"[" * 900 + b"]" * 900)),
        UNDECIDED,
        f"unobservable-target: {REACTOR}: .*nested",
    ),
    wrong_at_observations(
        "cached", "shows the first subscriber at every request", cache_by_method, NO_GO, "lost the subscriber"
    ),
    always_wrong(
        "dies-later",
        "dies after five requests",
        reset_when(lambda number: number > 5),
        UNDECIDED,
        "unreachable-target",
    ),
    always_wrong(
        "stumbles",
        "resets every fifth connection",
        reset_when(lambda number: number % 5 == 0),
        UNDECIDED,
        "unreachable-target",
    ),
    always_wrong(
        "reports-unseen",
        "never shows a report",
        on_observations(NOT_FOUND),
        NO_GO,
        "lost the report",
        service=KEEPER,
    ),
    always_wrong(
        "reports-echo",
        "shows only the id of each report",
        on_observations(show_id_only),
        NO_GO,
        "shape",
        service=KEEPER,
    ),
    always_wrong(
        "reports-cached",
        "shows the first report at every request",
        on_observations(cache_by_method),
        NO_GO,
        "makes|shape",
        service=KEEPER,
    ),
)


# One of each kind: each takes the time of a whole run.
@pytest.mark.process
@for_each_fault(LATER, by_day=())
def test_a_deployment_that_breaks_later_is_never_go(
    fault: GateFault, scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, scene) == ""
