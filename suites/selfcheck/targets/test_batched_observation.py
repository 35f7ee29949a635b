"""Many reports or subscribers are looked at in few requests; who has no lists is asked for each alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fixtures.core import payloads
from fixtures.core.catalogue import example_report, load
from fixtures.core.payloads import Identities, Sent
from fixtures.core.topology import PROVIDERS
from fixtures.targets.target import Target, Unobservable
from suites.selfcheck.http_double import answering

pytestmark = pytest.mark.aside

MANY = 500
Answering = tuple[int, Any]
ELSE = "00000000-0000-4000-8000-000000000000"


def entries(many: int) -> list[Sent]:
    """Reports of one case."""
    answer = example_report(load()["v1-UNREGISTERED"])
    return payloads.reports([answer] * many, Identities())


def shown(identity: str) -> dict[str, str]:
    """A report as it is shown."""
    return {"report_id": identity, "code": "UNREGISTERED"}


def lists(_path: str, ids: list[str]) -> Answering:
    """A provider of lists, which has everything."""
    return 200, {"reports": list(map(shown, ids))}


def lists_nothing(_path: str, _ids: list[str]) -> Answering:
    """A provider that has lists, and nothing in them."""
    return 200, {"reports": []}


def takes_no_get(_path: str, _ids: list[str]) -> Answering:
    """A provider that has no list at this path."""
    return 405, {}


def has_no_such_path(_path: str, _ids: list[str]) -> Answering:
    """A provider that has nothing at this path."""
    return 404, {}


def lists_something_else(_path: str, _ids: list[str]) -> Answering:
    """A provider whose list is of the newest reports, whatever is asked."""
    return 200, {"reports": [shown(ELSE), None]}


def lists_each_twice(_path: str, ids: list[str]) -> Answering:
    """A provider that shows each report right, and otherwise beside it."""
    return 200, {"reports": [row for one in ids for row in (shown(one), {**shown(one), "code": "else"})]}


def lists_in_another_shape(_path: str, ids: list[str]) -> Answering:
    """A provider whose list is no list."""
    return 200, [{"reports": list(map(shown, ids))}]


def observed(
    listed: Callable[[str, list[str]], Answering], many: int, times: int = 1, *, alone: bool = True
) -> tuple[set[int], int]:
    """The statuses with which so many reports were seen, and how many requests that took."""
    asked: list[str] = []

    def react(request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked.append(request.path)
        parts = urlsplit(request.path)
        if parts.query:
            status, body = listed(parts.path, parse_qs(parts.query)["id"])
        else:
            status, body = (200, shown(parts.path.rpartition("/")[2])) if alone else (404, {})
        return status, {"Content-Type": "application/json"}, json.dumps(body).encode()

    provider = PROVIDERS["directory-events-api"]
    sent = entries(many)
    with answering(react) as somebody:
        target = Target(provider, "after", somebody.url, embedded=True)
        for _ in range(times):
            seen, _ = target.observe(sent)
        target.close()
    assert set(seen) == {entry.payload["report_id"] for entry in sent}
    for identity, answer in seen.items():
        assert answer.status == 404 or answer.body == shown(identity)
    return {answer.status for answer in seen.values()}, len(asked)


def test_many_reports_take_few_requests() -> None:
    assert observed(lists, MANY) == ({200}, 4)


def test_many_subscribers_take_few_requests() -> None:
    asked: list[str] = []

    def react(request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked.append(request.path)
        rows = [{"subscriber_id": one} for one in parse_qs(urlsplit(request.path).query)["id"]]
        return 200, {}, json.dumps({"subscribers": rows}).encode()

    ids = [entry.payload["subscriber_id"] for entry in entries(MANY)]
    with answering(react) as somebody:
        target = Target(PROVIDERS["subscribers-errors"], "after", somebody.url, embedded=True)
        assert list(target.subscribers(ids)) == ids
        target.close()
    assert len(asked) == 4
    assert max(map(len, asked)) < 8192  # what servers take as one line


@pytest.mark.parametrize(
    "listed",
    [
        takes_no_get,
        has_no_such_path,
        lists_something_else,
        lists_in_another_shape,
        lists_nothing,
        lists_each_twice,
    ],
    ids=lambda listed: listed.__name__.replace("_", "-"),
)
def test_what_no_list_shows_is_asked_for_alone_and_the_list_no_more(
    listed: Callable[[str, list[str]], Answering],
) -> None:
    assert observed(listed, 3) == ({200}, 4)
    assert observed(listed, 3, times=3) == ({200}, 10)


def test_a_subscriber_who_is_shown_in_two_ways_proves_nothing() -> None:
    def react(request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        ids = parse_qs(urlsplit(request.path).query)["id"]
        rows = [{"subscriber_id": one, "status": status} for one in ids for status in ("active", "postponed")]
        return 200, {}, json.dumps({"subscribers": rows}).encode()

    with answering(react) as somebody:
        target = Target(PROVIDERS["subscribers-errors"], "after", somebody.url, embedded=True)
        with pytest.raises(Unobservable, match="1 subscribers are shown in two ways at once"):
            target.subscribers([ELSE])
        target.close()


def test_what_is_nowhere_is_lost_and_lists_are_still_asked() -> None:
    assert observed(lists_nothing, 3, times=2, alone=False) == ({404}, 8)
