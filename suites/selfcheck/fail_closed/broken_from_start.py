"""A deployment that is wrong from the first request on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from suites.selfcheck.fail_closed.fault_proxy import Said, Spoil
from suites.selfcheck.fail_closed.model import Fault
from suites.selfcheck.fail_closed.responses import (
    JSON,
    LOGIN,
    always,
    bomb,
    closes,
    dribbled_body,
    dribbled_head,
    endless_body,
    endless_head,
    endless_wait,
    half,
    hangs,
    later,
    raw,
    resets,
)

Row = tuple[str, Callable[[], Spoil], str, str, float]

ROWS: Mapping[str, Row] = {
    "hangs": ("takes the request and says nothing", lambda: hangs, "undecided", "ReadTimeout|within 1", 1),
    "closes": ("closes the connection without a word", lambda: closes, "undecided", "RemoteProtocolError", 0),
    "resets": ("resets the connection", lambda: resets, "undecided", "ReadError|reset by peer", 0),
    "half-an-answer": ("dies in the middle of the body", lambda: half, "undecided", "RemoteProtocolError", 0),
    "dribbles-headers": (
        "sends its headers byte by byte",
        lambda: dribbled_head,
        "undecided",
        "no end|within 1",
        1,
    ),
    "dribbles-body": (
        "sends its body byte by byte",
        lambda: dribbled_body,
        "undecided",
        "no end|within 1",
        1,
    ),
    "endless-headers": (
        "sends headers without end",
        lambda: endless_head,
        "undecided",
        "RemoteProtocolError",
        0,
    ),
    "endless-100": (
        "says 100 Continue without end",
        lambda: endless_wait,
        "undecided",
        "no end|within 1",
        1,
    ),
    "endless-body": ("sends a body without end", lambda: endless_body, "undecided", "has no end", 1),
    "gzip-bomb": ("sends a gigabyte, packed", lambda: bomb(1), "undecided", "has no end", 0),
    "gzip-bomb-twice": ("sends a gigabyte, packed twice", lambda: bomb(2), "undecided", "gzip, gzip", 0),
    "redirects": (
        "redirects to a login",
        lambda: always(Said(302, "text/html", b""), "Location: https://login.example/"),
        "undecided",
        "redirects to",
        0,
    ),
    "redirects-to-itself": (
        "redirects in a circle",
        lambda: always(Said(307, "text/html", b""), "Location: /_pact/version"),
        "undecided",
        "redirects to",
        0,
    ),
    "not-http": (
        "speaks another protocol",
        lambda: raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "undecided",
        "RemoteProtocolError",
        1,
    ),
    "html-200": (
        "answers everything with a login page",
        lambda: always(LOGIN),
        "no-go",
        "no JSON",
        0,
    ),
    "empty-200": (
        "answers 200 and {} to everything",
        lambda: always(Said(200, JSON, b"{}")),
        "no-go",
        "another shape",
        0,
    ),
    "nothing-204": ("answers 204 to everything", lambda: always(Said(204, JSON, b"")), "undecided", "204", 0),
    "refuses-401": (
        "answers 401 to everything",
        lambda: always(Said(401, JSON, b"{}")),
        "undecided",
        "401",
        0,
    ),
    "broken-503": (
        "answers 503 to everything",
        lambda: always(Said(503, "text/plain", b"busy")),
        "undecided",
        "503",
        0,
    ),
}

FAULTS = tuple(
    Fault(name, f"it {what}", verdict, said, later(spoil), waits)
    for name, (what, spoil, verdict, said, waits) in ROWS.items()
)
