"""A fixed story of a service between surroundings of its own, in which much goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import BatchEntry, CountedIds, address, error_events
from fixtures.core.times import parse_time
from fixtures.platform.isolated_service import EmbeddedService
from fixtures.scenarios.end_to_end import MESSAGE
from fixtures.scenarios.isolated_services import UNKNOWN_MEMBERS, IsolatedScenario
from fixtures.services.http_messages import write_json
from fixtures.services.routing import Service

SENT_AT = parse_time("2026-01-01T00:00:00Z")
CASES = load_catalogue().of_protocol("fcm_v1")[:3]


def tell_isolated_story(name: str, load: Callable[[str, str], Service]) -> list[str]:
    """All that a service takes, hands on and shows; nothing for a service that no such suite judges."""
    with closing(EmbeddedService(load(name, "after"))) as service:
        scenario = IsolatedScenario(service, CountedIds(run="15" * 6))
        return list(map(str, observe(name, scenario)))


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
