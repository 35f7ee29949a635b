"""Each fault of the second opinion shows in what becomes of reports or subscribers."""

import functools
from collections.abc import Iterator
from typing import Any

import pytest

from suites.selfcheck.second_opinion.faults import CHANGES, FAULTS, build_services
from suites.selfcheck.second_opinion.services import Service
from suites.selfcheck.second_opinion.subscribers import SubscribersErrors
from suites.selfcheck.second_opinion.web import build_app

FCM = "type.googleapis.com/google.firebase.fcm.v1."
HELP = {"@type": "type.googleapis.com/google.rpc.Help"}
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "90s"}
APNS_GONE = {"@type": f"{FCM}ApnsError", "statusCode": 410}
APPS = ("00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b")


SERVICES = tuple(enumerate(build_services(None)))
RESUBSCRIBED = 3


def make_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def token_of(number: int) -> str:
    return "token" * 60 if number == 4 else "token"


def report(number: int, http_status: int, response: Any, **members: Any) -> dict[str, Any]:
    ids = dict.fromkeys(("report_id", "message_id", "subscriber_id", "event_id"), make_id(number))
    envelope = {"firebase_app": APPS[number % 2], "spam": False, "token": "token", "code": "any"}
    sent = {"sent_at": "2026-01-01T00:00:00Z", "http_status": http_status, "retry_after": None}
    return {**ids, **envelope, **sent, "response": response, **members}


def v1_report(number: int, http_status: int, code: str, *details: Any, **members: Any) -> dict[str, Any]:
    error = {"details": [*details, {"@type": f"{FCM}FcmError", "errorCode": code}]}
    return report(number, http_status, {"error": error}, protocol="fcm_v1", **members)


def make_traffic() -> Iterator[list[Any]]:
    dead = {"error": "NotRegistered"}
    dated = v1_report(12, 503, "UNAVAILABLE", retry_after="Thu, 01 Jan 2026 01:00:00 GMT")
    waiting = v1_report(13, 503, "UNAVAILABLE", retry_after="3600")
    later = {"report_id": make_id(99), "event_id": make_id(99), "retry_after": None}
    yield [7, report(1, 404, "<html>"), report(2, 200, ""), report(RESUBSCRIBED, 200, dead, spam=True)]
    yield [report(4, 200, dead, token=token_of(4)), v1_report(5, 404, "UNREGISTERED", HELP)]
    yield [v1_report(6, 400, "NEW_CODE"), v1_report(7, 400, "INVALID_ARGUMENT")]
    yield [v1_report(8, 403, "SENDER_ID_MISMATCH"), v1_report(9, 400, "INVALID_ARGUMENT", APNS_GONE)]
    yield [waiting, dated, v1_report(10, 503, "UNAVAILABLE", RETRY_INFO), report(11, 403, "UNREGISTERED")]
    yield [{**waiting, **later}, report(14, 200, dead), report(15, 200, dead, token=token_of(4))]
    yield [v1_report(14, 503, "UNAVAILABLE", report_id=make_id(98), event_id=make_id(98))]
    yield [
        v1_report(16, 503, "UNAVAILABLE"),
        {**v1_report(17, 403, "NEW_CODE"), "subscriber_id": make_id(16)},
    ]


@functools.cache
def observe(fault: str | None) -> dict[str, Any]:
    """Deliver the traffic twice to each service alone, and look at everything that it shows."""
    return {service.name: observe_service(build_services(fault)[position]) for position, service in SERVICES}


def observe_service(service: Service) -> list[Any]:
    client = build_app(service).test_client()
    for subscribers in (range(20), (RESUBSCRIBED,)):
        subscribe(service, *subscribers)
        for batch in make_traffic():
            client.post(service.path, json={service.takes: batch})
    counts = [client.get(f"/v1/responses/summary?firebase_app={app}").json for app in APPS]
    return [*counts, *(service.show(make_id(number)) for number in range(100))]


def subscribe(service: Service, *numbers: int) -> None:
    since = {"token_since": "2025-12-31T00:00:00Z", "firebase_app": APPS[0]}
    members = [{"subscriber_id": make_id(number), **since, "token": token_of(number)} for number in numbers]
    if isinstance(service, SubscribersErrors):
        service.change_state("subscribers exist", {"subscribers": members}, set_up=True)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_shows_at_its_service_only(fault: str) -> None:
    right, faulty = observe(None), observe(fault)
    assert {name for name in right if right[name] != faulty[name]} == {FAULTS[fault]["service"]}


def test_no_two_faults_show_alike() -> None:
    observations = {repr(observe(fault)) for fault in FAULTS}
    assert len(observations) == len(FAULTS) == len(CHANGES)
