"""Many reports or subscribers are fetched in few requests. Without lists, each report is fetched alone."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fixtures.core import payloads
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import BatchEntry, IdFactory
from fixtures.core.topology import PROVIDERS
from fixtures.targets.embedded import embedded_target
from fixtures.targets.target import Unobservable
from suites.selfcheck.http_double import serve_answers

MANY = 500
OTHER_ID = "00000000-0000-4000-8000-000000000000"

StatusAndBody = tuple[int, Any]
# From the ids of a request for a list to the answer.
ListReports = Callable[[list[str]], StatusAndBody]


def make_entries(count: int) -> list[BatchEntry]:
    answer = example_report(load_catalogue()["v1-UNREGISTERED"])
    return payloads.address_all([answer] * count, IdFactory())


def make_row(report_id: str) -> dict[str, str]:
    return {"report_id": report_id, "code": "UNREGISTERED"}


def lists(ids: list[str]) -> StatusAndBody:
    return 200, {"reports": list(map(make_row, ids))}


def lists_nothing(_ids: list[str]) -> StatusAndBody:
    return 200, {"reports": []}


def takes_no_get(_ids: list[str]) -> StatusAndBody:
    return 405, {}


def has_no_such_path(_ids: list[str]) -> StatusAndBody:
    return 404, {}


def lists_something_else(_ids: list[str]) -> StatusAndBody:
    return 200, {"reports": [make_row(OTHER_ID), None]}


def lists_each_twice(ids: list[str]) -> StatusAndBody:
    """List each report correctly, and again with another code."""
    rows = [row for report_id in ids for row in (make_row(report_id), {**make_row(report_id), "code": "x"})]
    return 200, {"reports": rows}


def lists_in_another_shape(ids: list[str]) -> StatusAndBody:
    return 200, [{"reports": list(map(make_row, ids))}]


def observe_reports(
    list_reports: ListReports, count: int, times: int = 1, *, fetchable: bool = True
) -> tuple[set[int], int]:
    """Observe reports. Returns their statuses, and the number of requests."""
    paths: list[str] = []

    def react(request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        paths.append(request.path)
        parts = urlsplit(request.path)
        if parts.query:
            status, body = list_reports(parse_qs(parts.query)["id"])
        else:
            status, body = (200, make_row(parts.path.rpartition("/")[2])) if fetchable else (404, {})
        return status, {"Content-Type": "application/json"}, json.dumps(body).encode()

    sent = make_entries(count)
    with serve_answers(react) as double:
        target = embedded_target(PROVIDERS["directory-events-api"], "after", double.url)
        for _ in range(times):
            reports, _ = target.observe(sent)
        target.close()
    assert set(reports) == {entry.payload["report_id"] for entry in sent}
    for report_id, answer in reports.items():
        assert answer.status == 404 or answer.body == make_row(report_id)
    return {answer.status for answer in reports.values()}, len(paths)


def test_many_reports_take_few_requests() -> None:
    assert observe_reports(lists, MANY) == ({200}, 4)


def test_many_subscribers_take_few_requests() -> None:
    paths: list[str] = []

    def react(request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        paths.append(request.path)
        rows = [{"subscriber_id": value} for value in parse_qs(urlsplit(request.path).query)["id"]]
        return 200, {}, json.dumps({"subscribers": rows}).encode()

    ids = [entry.payload["subscriber_id"] for entry in make_entries(MANY)]
    with serve_answers(react) as double:
        target = embedded_target(PROVIDERS["subscribers-errors"], "after", double.url)
        assert list(target.subscribers(ids)) == ids
        target.close()
    assert len(paths) == 4
    assert max(map(len, paths)) < 8192  # servers accept request lines up to this length


@pytest.mark.parametrize(
    "list_reports",
    [
        takes_no_get,
        has_no_such_path,
        lists_something_else,
        lists_in_another_shape,
        lists_nothing,
        lists_each_twice,
    ],
    ids=lambda function: function.__name__.replace("_", "-"),
)
def test_reports_missing_in_lists_are_fetched_alone_and_lists_no_more(list_reports: ListReports) -> None:
    assert observe_reports(list_reports, 3) == ({200}, 4)
    assert observe_reports(list_reports, 3, times=3) == ({200}, 10)


def test_a_subscriber_shown_in_two_ways_proves_nothing() -> None:
    def react(request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        ids = parse_qs(urlsplit(request.path).query)["id"]
        rows = [
            {"subscriber_id": value, "status": status} for value in ids for status in ("active", "postponed")
        ]
        return 200, {}, json.dumps({"subscribers": rows}).encode()

    with serve_answers(react) as double:
        target = embedded_target(PROVIDERS["subscribers-errors"], "after", double.url)
        with pytest.raises(Unobservable, match="1 subscribers are shown in two ways at once"):
            target.subscribers([OTHER_ID])
        target.close()


def test_lost_reports_do_not_end_the_use_of_lists() -> None:
    assert observe_reports(lists_nothing, 3, times=2, fetchable=False) == ({404}, 8)
