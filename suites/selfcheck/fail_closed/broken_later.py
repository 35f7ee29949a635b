"""A deployment that is well at first, and wrong when it is given reports, or observed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from suites.selfcheck.fail_closed.fault_proxy import Said, Spoil
from suites.selfcheck.fail_closed.model import KEEPER, REACTOR, Fault
from suites.selfcheck.fail_closed.responses import (
    JSON,
    LOGIN,
    active,
    always,
    batches,
    body,
    bomb,
    by_id,
    cached,
    dribbled_body,
    dying,
    echoed,
    endless_body,
    half,
    hangs,
    later,
    lazy,
    looks,
    stranger,
    stumbling,
    twice,
    two_answers,
    with_member,
)

Row = tuple[str, Callable[[], Spoil], str, str, float]

LATER: Mapping[str, Row] = {
    "batches-hang": (
        "hangs when it is given reports",
        lambda: batches(hangs),
        "undecided",
        "ReadTimeout|within 1",
        1,
    ),
    "batches-dribble": (
        "acknowledges byte by byte",
        lambda: batches(dribbled_body),
        "undecided",
        "no end|within 1",
        1,
    ),
    "batches-half": (
        "dies in the middle of an acknowledgement",
        lambda: batches(half),
        "undecided",
        "RemoteProtocolError",
        0,
    ),
    "batches-endless": (
        "acknowledges without end",
        lambda: batches(endless_body),
        "undecided",
        "has no end",
        1,
    ),
    "batches-gzip-bomb": (
        "acknowledges with a packed gigabyte",
        lambda: batches(bomb(1)),
        "undecided",
        "has no end",
        0,
    ),
    "batches-redirect": (
        "redirects when it is given reports",
        lambda: batches(always(Said(307, JSON, b""), "Location: /v2/errors")),
        "undecided",
        "redirects to",
        0,
    ),
    "batches-html": (
        "acknowledges with a page of its proxy",
        lambda: batches(always(LOGIN)),
        "no-go",
        "no JSON",
        0,
    ),
    "batches-text": (
        "acknowledges as text/plain",
        lambda: batches(body(lambda said: said.body, "text/plain")),
        "no-go",
        "breaks its contract",
        0,
    ),
    "batches-bad-utf8": (
        "acknowledges in bytes that are no UTF-8",
        lambda: batches(body(with_member(b'"\xff\xfe"'))),
        "no-go",
        "no UTF-8",
        0,
    ),
    "batches-utf16": (
        "acknowledges in UTF-16",
        lambda: batches(body(lambda said: said.body.decode().encode("utf-16"))),
        "no-go",
        "no UTF-8",
        0,
    ),
    "batches-twin-keys": ("says each member twice", lambda: batches(body(twice)), "no-go", "stands twice", 0),
    "batches-nan": ("acknowledges with NaN", lambda: batches(body(with_member(b"NaN"))), "no-go", "NaN", 0),
    "batches-infinite": (
        "acknowledges with 1e999",
        lambda: batches(body(with_member(b"1e999"))),
        "no-go",
        "1e999",
        0,
    ),
    "batches-long-number": (
        "acknowledges with a number of 10 000 digits",
        lambda: batches(body(with_member(b"1" * 10_000))),
        "no-go",
        "no JSON",
        0,
    ),
    "batches-deep": (
        "acknowledges with lists nested 10 000 deep",
        lambda: batches(body(with_member(b"[" * 10_000 + b"]" * 10_000))),
        "no-go",
        "nested",
        0,
    ),
    "batches-cut": (
        "acknowledges with half a JSON",
        lambda: batches(body(lambda said: said.body[:-2])),
        "no-go",
        "no JSON",
        0,
    ),
    "batches-echo": ("sends back what it was sent", lambda: batches(echoed), "no-go", "shape", 0),
    "batches-lazy": (
        "says that all is done, and does nothing",
        lambda: batches(lazy),
        "no-go",
        "leaves the subscriber active",
        0,
    ),
    "batches-500": (
        "fails on every batch",
        lambda: batches(always(Said(500, JSON, b"{}"))),
        "no-go",
        "answers 500",
        0,
    ),
    "batches-two-answers": ("answers twice", lambda: batches(two_answers), "no-go", "answers 500", 0),
    "looks-hang": (
        "hangs when it is observed",
        lambda: looks(hangs),
        "undecided",
        "ReadTimeout|within 1",
        1,
    ),
    "looks-empty": (
        "shows no subscriber, ever",
        lambda: looks(body(lambda _: b'{"subscribers":[]}')),
        "no-go",
        "lost the subscriber",
        0,
    ),
    "looks-404": (
        "has no observation",
        lambda: looks(always(Said(404, JSON, b"{}"))),
        "undecided",
        "unobservable-target",
        0,
    ),
    "looks-500": (
        "fails when it is observed",
        lambda: looks(always(Said(500, JSON, b"{}"))),
        "undecided",
        "unobservable-target",
        0,
    ),
    "looks-html": ("shows a login page", lambda: looks(always(LOGIN)), "undecided", "unobservable-target", 0),
    "looks-active": (
        "shows everybody as before",
        lambda: looks(body(active)),
        "no-go",
        "leaves the subscriber active",
        0,
    ),
    "looks-strangers": (
        "shows others than it was asked for",
        lambda: looks(body(stranger)),
        "no-go",
        "lost the subscriber",
        0,
    ),
    "looks-twin-keys": (
        "shows each member twice",
        lambda: looks(body(twice)),
        "undecided",
        "unobservable-target: .*200 ",
        0,
    ),
    "looks-cached": (
        "shows everybody what it showed the first",
        lambda: looks(cached()),
        "no-go",
        "lost the subscriber",
        0,
    ),
    "dies-later": ("dies after five requests", lambda: dying(5), "undecided", "unreachable-target", 0),
    "stumbles": ("resets every fifth connection", lambda: stumbling(5), "undecided", "unreachable-target", 0),
}

KEPT: Mapping[str, Row] = {
    "reports-unseen": (
        "shows no report, ever",
        lambda: looks(always(Said(404, JSON, b"{}"))),
        "no-go",
        "lost the report",
        0,
    ),
    "reports-echo": ("shows of each report its id only", lambda: looks(by_id), "no-go", "shape", 0),
    "reports-cached": (
        "shows the first report as everybody's",
        lambda: looks(cached()),
        "no-go",
        "makes|shape",
        0,
    ),
}

FAULTS = tuple(
    Fault(name, f"it {what}", verdict, said, later(spoil, service), waits)
    for service, rows in ((REACTOR, LATER), (KEEPER, KEPT))
    for name, (what, spoil, verdict, said, waits) in rows.items()
)
