"""events-proxy delivers every report that it has accepted, whatever happens to Amazon or to itself."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.services.events import Alert, CallAnswer, CallFailure, CallReturned, ServiceCall, Started, Tick
from fixtures.services.store import Store
from suites.selfcheck.services.driver import NOW, ServiceUnderTest, make_report

EXTRA = make_report(1, protocol="fcm_v1", future={"a": [1]})


def accept_reports(proxy: ServiceUnderTest, *reports: Any) -> ServiceUnderTest:
    """Let the proxy accept reports."""
    reply = proxy.answer("POST", "/v1/reports", {"reports": reports})
    assert (reply.status, reply.body) == (202, {"accepted": len(reports)})
    return proxy


def next_call(proxy: ServiceUnderTest) -> ServiceCall:
    """The call that the proxy makes at a tick."""
    (call,) = proxy.handle_event(Tick(NOW))
    assert isinstance(call, ServiceCall)
    assert (call.to, call.method, call.path) == ("directory-events-api", "POST", "/v1/reports")
    return call


@pytest.mark.parametrize(("version", "forwarded"), [("before", make_report(1)), ("after", EXTRA)])
def test_unknown_members_are_passed_on_only_after_the_release(
    version: str, forwarded: dict[str, Any]
) -> None:
    proxy = accept_reports(ServiceUnderTest("events-proxy", version), EXTRA, 7)
    assert next_call(proxy).body == {"bts": "bts-0", "reports": [forwarded, 7]}


@pytest.mark.parametrize(
    "answer",
    [
        CallFailure("timed out"),
        CallFailure("refused"),
        *(CallAnswer(s) for s in (301, 401, 403, 404, 408, 429, 500, 503)),
    ],
    ids=lambda answer: getattr(answer, "kind", None) or str(answer.status),
)
def test_reports_wait_while_amazon_is_out_of_order(answer: Any) -> None:
    proxy = accept_reports(ServiceUnderTest("events-proxy"), make_report(1), make_report(2))
    first = next_call(proxy)
    (alert,) = proxy.handle_event(CallReturned(first, answer))
    assert isinstance(alert, Alert)
    assert next_call(proxy) == first
    proxy.handle_event(CallReturned(first, CallAnswer(202, b"{}")))
    assert proxy.handle_event(Tick(NOW)) == []


def test_batches_have_at_most_500_reports_in_the_order_of_arrival() -> None:
    proxy = ServiceUnderTest("events-proxy")
    for start in (0, 400, 800):
        accept_reports(proxy, *(make_report(number) for number in range(start, start + 400)))
    sizes, reports = [], []
    while proxy.handle_event(Tick(NOW)):
        call = next_call(proxy)
        sizes.append(len(call.body["reports"]))
        reports += call.body["reports"]
        proxy.handle_event(CallReturned(call, CallAnswer(202, b'{"accepted":1,"rejected":[]}')))
    assert sizes == [500, 500, 200]
    assert reports == [make_report(number) for number in range(1200)]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_report_that_makes_amazon_refuse_a_batch_costs_no_other(status: int) -> None:
    proxy = accept_reports(ServiceUnderTest("events-proxy"), *map(make_report, range(5)))
    accepted_reports: list[Any] = []
    calls = [next_call(proxy)]
    while calls:
        call = calls.pop()
        bad = make_report(3) in call.body["reports"]
        answer = CallAnswer(status, b"no") if bad else CallAnswer(202, b"{}")
        accepted_reports += [] if bad else call.body["reports"]
        calls += [
            effect
            for effect in proxy.handle_event(CallReturned(call, answer))
            if isinstance(effect, ServiceCall)
        ]
    assert sorted(item["report_id"] for item in accepted_reports) == [
        make_report(n)["report_id"] for n in (0, 1, 2, 4)
    ]
    assert proxy.handle_event(Tick(NOW)) == []
    assert proxy.handle_event(Started()) == []
    assert next_call(proxy).body["reports"] == [make_report(3)]


def test_what_amazon_rejects_is_told() -> None:
    proxy = accept_reports(ServiceUnderTest("events-proxy"), 7)
    rejected = {"accepted": 0, "rejected": [{"report_id": None, "reason": "not an object"}]}
    (alert,) = proxy.handle_event(
        CallReturned(next_call(proxy), CallAnswer(202, json.dumps(rejected).encode()))
    )
    assert isinstance(alert, Alert)
    assert "not an object" in alert.reason
    assert proxy.handle_event(Tick(NOW)) == []


def test_a_full_spool_says_503_and_loses_nothing() -> None:
    proxy = ServiceUnderTest("events-proxy")
    proxy.service = replace(proxy.service, most_waiting=2)
    accept_reports(proxy, make_report(1), make_report(2))
    reply = proxy.answer("POST", "/v1/reports", {"reports": [make_report(3)]})
    assert (reply.status, reply.content_type) == (503, "application/problem+json")
    proxy.handle_event(CallReturned(next_call(proxy), CallAnswer(202, b"{}")))
    accept_reports(proxy, make_report(3))
    assert next_call(proxy).body["reports"] == [make_report(3)]


def test_the_spool_survives_a_restart(tmp_path: Path) -> None:
    proxy = ServiceUnderTest("events-proxy")
    proxy.store = Store(tmp_path / "spool")
    accept_reports(proxy, EXTRA, make_report(2, response="\ud800"))
    first = next_call(proxy)
    proxy.store.close()
    restarted = ServiceUnderTest("events-proxy")
    restarted.store = Store(tmp_path / "spool")
    assert restarted.handle_event(Started()) == []
    assert next_call(restarted) == first
    restarted.store.close()


def test_the_spool_can_be_emptied_for_a_test() -> None:
    proxy = accept_reports(ServiceUnderTest("events-proxy"), make_report(1))
    assert proxy.change_state("no reports are waiting").status == 200
    assert proxy.handle_event(Tick(NOW)) == []


def test_the_store_of_a_service_closes_with_it() -> None:
    store = ServiceUnderTest("events-proxy").store
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        store.count_items("any")
