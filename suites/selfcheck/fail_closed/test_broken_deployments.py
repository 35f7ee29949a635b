"""A deployment that is wrong on the wire, at once or later, is never a go."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from suites.selfcheck.fail_closed.behaviours import (
    JSON,
    LOGIN,
    always,
    cache_by_method,
    claim_success,
    close,
    dribble_body,
    dribble_head,
    echo,
    gzip_bomb,
    hang,
    on_batches,
    on_observations,
    repeat_members,
    reset,
    reset_when,
    respond_twice,
    send_endless_100,
    send_endless_body,
    send_endless_head,
    send_half,
    send_raw,
    show_active,
    show_id_only,
    show_other_subscribers,
    with_body,
    with_member,
)
from suites.selfcheck.fail_closed.fault_proxy import Behaviour, run_proxy
from suites.selfcheck.fail_closed.parameters import for_each_fault
from suites.selfcheck.fail_closed.sandbox import KEEPER, REACTOR, GateCall, GateFault, Scene, deploy

UNDECIDED, NO_GO = "undecided", "no-go"
LOGIN_PAGE = always(LOGIN.status, LOGIN.content_type, LOGIN.body)
NOT_FOUND, FAILED = always(404, JSON, b"{}"), always(500, JSON, b"{}")
CREATE = Callable[[], Behaviour]


def create_fault(  # noqa: PLR0913, PLR0917  a row of the table below
    name: str,
    what: str,
    create: CREATE,
    verdict: str,
    reason: str,
    waits_s: float = 0,
    service: str = REACTOR,
) -> GateFault:
    """A deployment with a behaviour, which is created anew for each run because some have a memory."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        with run_proxy(scene.service_urls[service], create()) as url:
            yield GateCall(deploy(service, url, scene))

    return GateFault(name, f"it {what}", verdict, reason, put_in_place, waits_s)


def always_wrong(
    name: str, what: str, behaviour: Behaviour, verdict: str, reason: str, waits_s: float = 0
) -> GateFault:
    return create_fault(name, what, lambda: behaviour, verdict, reason, waits_s)


def wrong_at_batches(
    name: str, what: str, behaviour: Behaviour, verdict: str, reason: str, waits_s: float = 0
) -> GateFault:
    return create_fault(f"batches-{name}", what, lambda: on_batches(behaviour), verdict, reason, waits_s)


def wrong_at_observations(
    name: str, what: str, behaviour: Behaviour, verdict: str, reason: str, waits_s: float = 0
) -> GateFault:
    return create_fault(f"looks-{name}", what, lambda: on_observations(behaviour), verdict, reason, waits_s)


def bomb(times: int) -> CREATE:
    return lambda: gzip_bomb(times)  # packing a gigabyte takes seconds, so only for a test that runs


FROM_THE_START = (
    always_wrong(
        "hangs", "accepts the request and never answers", hang, UNDECIDED, "ReadTimeout|within 1", 1
    ),
    always_wrong(
        "closes", "closes the connection without a response", close, UNDECIDED, "RemoteProtocolError"
    ),
    always_wrong("resets", "resets the connection", reset, UNDECIDED, "ReadError|reset by peer"),
    always_wrong(
        "half-an-answer", "dies in the middle of the body", send_half, UNDECIDED, "RemoteProtocolError"
    ),
    always_wrong(
        "dribbles-headers", "sends its headers byte by byte", dribble_head, UNDECIDED, "no end|within 1", 1
    ),
    always_wrong(
        "dribbles-body", "sends its body byte by byte", dribble_body, UNDECIDED, "no end|within 1", 1
    ),
    always_wrong(
        "endless-headers", "sends headers without end", send_endless_head, UNDECIDED, "RemoteProtocolError"
    ),
    always_wrong(
        "endless-100", "says 100 Continue without end", send_endless_100, UNDECIDED, "no end|within 1", 1
    ),
    always_wrong("endless-body", "sends a body without end", send_endless_body, UNDECIDED, "has no end", 1),
    create_fault("gzip-bomb", "sends a gigabyte, packed", bomb(1), UNDECIDED, "has no end"),
    create_fault("gzip-bomb-twice", "sends a gigabyte, packed twice", bomb(2), UNDECIDED, "gzip, gzip"),
    always_wrong(
        "redirects",
        "redirects to a login",
        always(302, "text/html", b"", "Location: https://login.example/"),
        UNDECIDED,
        "redirects to",
    ),
    always_wrong(
        "redirects-to-itself",
        "redirects in a circle",
        always(307, "text/html", b"", "Location: /_pact/version"),
        UNDECIDED,
        "redirects to",
    ),
    always_wrong(
        "not-http",
        "speaks another protocol",
        send_raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
        UNDECIDED,
        "RemoteProtocolError",
        1,
    ),
    always_wrong("html-200", "answers everything with a login page", LOGIN_PAGE, NO_GO, "no JSON"),
    always_wrong(
        "empty-200", "answers 200 and {} to everything", always(200, JSON, b"{}"), NO_GO, "another shape"
    ),
    always_wrong("nothing-204", "answers 204 to everything", always(204, JSON, b""), UNDECIDED, "204"),
    always_wrong("refuses-401", "answers 401 to everything", always(401, JSON, b"{}"), UNDECIDED, "401"),
    always_wrong(
        "broken-503", "answers 503 to everything", always(503, "text/plain", b"busy"), UNDECIDED, "503"
    ),
)
LATER = (
    wrong_at_batches("hang", "hangs when it gets reports", hang, UNDECIDED, "ReadTimeout|within 1", 1),
    wrong_at_batches("dribble", "acknowledges byte by byte", dribble_body, UNDECIDED, "no end|within 1", 1),
    wrong_at_batches(
        "half", "dies in the middle of an acknowledgement", send_half, UNDECIDED, "RemoteProtocolError"
    ),
    wrong_at_batches("endless", "acknowledges without end", send_endless_body, UNDECIDED, "has no end", 1),
    create_fault(
        "batches-gzip-bomb",
        "acknowledges with a packed gigabyte",
        lambda: on_batches(gzip_bomb(1)),
        UNDECIDED,
        "has no end",
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
    wrong_at_observations("hang", "hangs when it is observed", hang, UNDECIDED, "ReadTimeout|within 1", 1),
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
        NO_GO,
        "lost the subscriber",
    ),
    wrong_at_observations(
        "twin-keys",
        "repeats each member",
        with_body(repeat_members),
        UNDECIDED,
        "unobservable-target: .*200 ",
    ),
    create_fault(
        "looks-cached",
        "shows the first subscriber at every request",
        lambda: on_observations(cache_by_method()),
        NO_GO,
        "lost the subscriber",
    ),
    create_fault(
        "dies-later",
        "dies after five requests",
        lambda: reset_when(lambda number: number > 5),
        UNDECIDED,
        "unreachable-target",
    ),
    create_fault(
        "stumbles",
        "resets every fifth connection",
        lambda: reset_when(lambda number: number % 5 == 0),
        UNDECIDED,
        "unreachable-target",
    ),
    create_fault(
        "reports-unseen",
        "never shows a report",
        lambda: on_observations(NOT_FOUND),
        NO_GO,
        "lost the report",
        service=KEEPER,
    ),
    create_fault(
        "reports-echo",
        "shows only the id of each report",
        lambda: on_observations(show_id_only),
        NO_GO,
        "shape",
        service=KEEPER,
    ),
    create_fault(
        "reports-cached",
        "shows the first report at every request",
        lambda: on_observations(cache_by_method()),
        NO_GO,
        "makes|shape",
        service=KEEPER,
    ),
)
FAULTS = (*FROM_THE_START, *LATER)
# Known before any test, so they take a second each; of the others, one of each kind.
BY_DAY = {fault.name for fault in FROM_THE_START} - {
    *("html-200", "empty-200", "nothing-204", "refuses-401", "broken-503")
} | {"batches-bad-utf8", "batches-twin-keys", "batches-deep", "looks-empty", "dies-later"}


@pytest.mark.process
@for_each_fault(FAULTS, by_day=BY_DAY)
def test_a_broken_deployment_is_never_go(
    fault: GateFault, scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, scene) == ""
