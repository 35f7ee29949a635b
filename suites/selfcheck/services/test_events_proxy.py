"""events-proxy delivers every report that it has accepted, whatever happens to Amazon or to itself."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.services.events import Alert, CallAnswer, CallFailure, CallReturned, ServiceCall, Started, Tick
from fixtures.services.store import Store
from suites.selfcheck.services.driver import NOW, ServiceUnderTest, make_report

pytestmark = pytest.mark.aside

EXTRA = make_report(1, protocol="fcm_v1", future={"a": [1]})


def accepted(proxy: ServiceUnderTest, *reports: Any) -> ServiceUnderTest:
    """Let the proxy accept reports."""
    reply = proxy.request("POST", "/v1/reports", {"reports": reports})
    assert (reply.status, reply.body) == (202, {"accepted": len(reports)})
    return proxy


def batch(proxy: ServiceUnderTest) -> ServiceCall:
    """What the proxy wants to send now."""
    (call,) = proxy.handle_event(Tick(NOW))
    assert isinstance(call, ServiceCall)
    assert (call.to, call.method, call.path) == ("directory-events-api", "POST", "/v1/reports")
    return call


@pytest.mark.parametrize(("version", "kept"), [("before", make_report(1)), ("after", EXTRA)])
def test_unknown_members_are_passed_on_only_after_the_release(version: str, kept: dict[str, Any]) -> None:
    proxy = accepted(ServiceUnderTest("events-proxy", version), EXTRA, 7)
    assert batch(proxy).body == {"bts": "bts-0", "reports": [kept, 7]}


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
    proxy = accepted(ServiceUnderTest("events-proxy"), make_report(1), make_report(2))
    first = batch(proxy)
    (told,) = proxy.handle_event(CallReturned(first, answer))
    assert isinstance(told, Alert)
    assert batch(proxy) == first
    proxy.handle_event(CallReturned(first, CallAnswer(202, b"{}")))
    assert proxy.handle_event(Tick(NOW)) == []


def test_batches_have_at_most_500_reports_in_the_order_of_arrival() -> None:
    proxy = ServiceUnderTest("events-proxy")
    for start in (0, 400, 800):
        accepted(proxy, *(make_report(number) for number in range(start, start + 400)))
    sizes, seen = [], []
    while proxy.handle_event(Tick(NOW)):
        call = batch(proxy)
        sizes.append(len(call.body["reports"]))
        seen += call.body["reports"]
        proxy.handle_event(CallReturned(call, CallAnswer(202, b'{"accepted":1,"rejected":[]}')))
    assert sizes == [500, 500, 200]
    assert seen == [make_report(number) for number in range(1200)]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_report_that_makes_amazon_refuse_a_batch_costs_no_other(status: int) -> None:
    proxy = accepted(ServiceUnderTest("events-proxy"), *map(make_report, range(5)))
    taken: list[Any] = []
    calls = [batch(proxy)]
    while calls:
        call = calls.pop()
        bad = make_report(3) in call.body["reports"]
        answer = CallAnswer(status, b"no") if bad else CallAnswer(202, b"{}")
        taken += [] if bad else call.body["reports"]
        calls += [
            order
            for order in proxy.handle_event(CallReturned(call, answer))
            if isinstance(order, ServiceCall)
        ]
    assert sorted(item["report_id"] for item in taken) == [make_report(n)["report_id"] for n in (0, 1, 2, 4)]
    assert proxy.handle_event(Tick(NOW)) == []
    assert proxy.handle_event(Started()) == []
    assert batch(proxy).body["reports"] == [make_report(3)]


def test_what_amazon_rejects_is_told() -> None:
    proxy = accepted(ServiceUnderTest("events-proxy"), 7)
    rejected = {"accepted": 0, "rejected": [{"report_id": None, "reason": "not an object"}]}
    (told,) = proxy.handle_event(CallReturned(batch(proxy), CallAnswer(202, json.dumps(rejected).encode())))
    assert isinstance(told, Alert)
    assert "not an object" in told.reason
    assert proxy.handle_event(Tick(NOW)) == []


def test_a_full_spool_says_503_and_loses_nothing() -> None:
    proxy = ServiceUnderTest("events-proxy")
    proxy.service = replace(proxy.service, most_waiting=2)
    accepted(proxy, make_report(1), make_report(2))
    reply = proxy.request("POST", "/v1/reports", {"reports": [make_report(3)]})
    assert (reply.status, reply.content_type) == (503, "application/problem+json")
    proxy.handle_event(CallReturned(batch(proxy), CallAnswer(202, b"{}")))
    accepted(proxy, make_report(3))
    assert batch(proxy).body["reports"] == [make_report(3)]


def test_the_spool_survives_a_restart(tmp_path: Path) -> None:
    proxy = ServiceUnderTest("events-proxy")
    proxy.store = Store(tmp_path / "spool")
    accepted(proxy, EXTRA, make_report(2, response="\ud800"))
    first = batch(proxy)
    proxy.store.close()
    again = ServiceUnderTest("events-proxy")
    again.store = Store(tmp_path / "spool")
    assert again.handle_event(Started()) == []
    assert batch(again) == first
    again.store.close()


def test_the_spool_can_be_emptied_for_a_test() -> None:
    proxy = accepted(ServiceUnderTest("events-proxy"), make_report(1))
    assert proxy.change_state("no reports are waiting").status == 200
    assert proxy.handle_event(Tick(NOW)) == []
