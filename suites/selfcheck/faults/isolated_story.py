"""A fixed story of a service between surroundings of its own, in which much goes wrong."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import BatchEntry, CountedIds, address, error_events
from fixtures.core.times import parse_time
from fixtures.core.topology import VERSIONS
from fixtures.platform.isolated_service import EmbeddedService
from fixtures.scenarios.end_to_end import MESSAGE
from fixtures.scenarios.isolated_services import UNKNOWN_MEMBERS, IsolatedScenario
from fixtures.services.events import (
    CallAnswer,
    CallFailure,
    CallReturned,
    Effect,
    Event,
    RecordFound,
    ServiceCall,
    Tick,
)
from fixtures.services.http_messages import write_json
from fixtures.services.routing import Service
from fixtures.services.store import Store

SENT_AT = parse_time("2026-01-01T00:00:00Z")
CASES = load_catalogue().of_protocol("fcm_v1")[:3]


# What FCM answers to go-sender, one after the other.
FCM_ANSWERS = (
    CallFailure("timed out"),
    CallFailure("broken off"),
    CallAnswer(404, b"<html>", {}),
    CallAnswer(503, json.dumps(example_report(CASES[1])["response"]).encode(), {"Retry-After": "7200"}),
)
MANY = 501


def tell_isolated_story(name: str, load: Callable[[str, str], Service]) -> list[str]:
    """All that a service takes, hands on and shows; nothing for a service that no such suite judges."""
    if name == "go-sender":
        return [row for version in VERSIONS for row in tell_senders_story(load(name, version))]
    with closing(EmbeddedService(load(name, "after"))) as service:
        scenario = IsolatedScenario(service, CountedIds(run="15" * 6))
        return list(map(str, observe(name, scenario)))


def tell_senders_story(service: Service) -> list[str]:
    """The effects of messages, of FCM's answers, and of an events-proxy that fails."""
    answers: Iterator[CallAnswer | CallFailure] = itertools.cycle(FCM_ANSWERS)
    results = [{"error": "NotRegistered"}, *[{"message_id": str(number)} for number in range(1, MANY)]]
    multicast, rows = CallAnswer(200, json.dumps({"results": results}).encode()), []
    with closing(Store()) as store:

        def handle(event: Event) -> list[ServiceCall]:
            effects: list[Effect] = []
            with suppress(ValueError):  # a fault may raise
                effects = service.handle_event(event, store)
            rows.append(str(effects))
            return [effect for effect in effects if isinstance(effect, ServiceCall)]

        for record in (*[create_record(1, spam=True)] * len(FCM_ANSWERS), create_record(MANY, spam=False)):
            for call in handle(RecordFound(record, "2026-01-01T00:00:00Z")):
                is_multicast = len(call.body.get("registration_ids", ())) == MANY
                handle(CallReturned(call, multicast if is_multicast else next(answers)))
        for status in (504, 202, 202):
            for call in handle(Tick("2026-01-01T00:01:00Z")):
                handle(CallReturned(call, CallAnswer(status, b"")))
    return rows


def create_record(number: int, *, spam: bool) -> str:
    ids = CountedIds(run="15" * 6)
    recipients = [
        {"subscriber_id": subscriber_id, "token": token}
        for _, _, subscriber_id, token in (ids.next() for _ in range(number))
    ]
    common = {"message_id": ids.next()[1], "firebase_app": ids.next()[1], "spam": spam}
    return json.dumps({**common, "recipients": recipients, "legacy": {}, "v1": {}})


def observe(name: str, scenario: IsolatedScenario) -> Iterator[Any]:
    peer, ids = scenario.service.peer, scenario.ids

    def create_reports() -> list[BatchEntry]:
        reports = [
            {**address(example_report(case), ids, sent_at=SENT_AT), **UNKNOWN_MEMBERS} for case in CASES
        ]
        return [BatchEntry(report, case) for report, case in zip(reports, CASES, strict=True)]

    match name:
        case "events-proxy":
            peer.troubles.append("status 429")
            yield scenario.forward_reports([create_reports()])
            reports = create_reports()
            peer.poison_status, peer.is_poison = 400, lambda report: report == reports[0].payload
            yield scenario.forward_reports([reports])
        case "directory-errors-listener":
            yield scenario.hand_over_events(error_events(create_reports()), poison=["["])
            bad, *events = error_events(create_reports())
            peer.is_poison = lambda event: event.get("event_id") == bad.payload["event_id"]
            yield scenario.hand_over_events(events, poison=[write_json(bad.payload)])
        case "directory-messages":
            yield scenario.put_message(MESSAGE, 2, "legacy", spam=True)
        case "subscribers-postponed":
            yield scenario.postpone("Unavailable", 3, 1)
