"""The faults exercise every case, each in its own way.

A fault shows in all that a service decides, answers and sends in fixed stories, in which much goes wrong.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.core import payloads
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import BatchEntry, CountedIds, IdFactory
from fixtures.core.times import parse_time
from fixtures.core.topology import BATCH_LIMIT, PROVIDERS, VERSION_MIXES, read_firebase_app
from fixtures.faults import FAULTS
from fixtures.faults.rows import CLEANER
from fixtures.generation import malformed, recordings
from fixtures.generation.strategies import near_misses_of_codes, near_misses_of_details
from fixtures.platform.in_memory import scripted_fcm
from fixtures.platform.isolated_service import ServiceStopped
from fixtures.scenarios.unreliable_platform import UnreliablePlatform
from fixtures.services import load as load_service
from fixtures.services.events import CallAnswer, CallFailure, ServiceCall
from fixtures.services.http_messages import Request
from fixtures.services.routing import Service, answer_request
from fixtures.services.store import Store
from suites.selfcheck.faults.isolated_story import tell_isolated_story
from suites.selfcheck.sample_answers import apns_detail, v1_answer

# Cases that no fault exercises, with the reason.
NOT_EXERCISED: Mapping[str, str] = {}
MAX_ROUNDS = 100
SERVICE_FAULTS = [fault for fault in FAULTS if fault.service != CLEANER]
MESSAGE = {"notification": {"title": "Hello"}, "data": {"count": 3}, "ttl_s": 60}
SENT_AT, LATE = "2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
STARTED_AT = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)
RETRY_AFTERS = (None, "7200", "99999999", "Thu, 01 Jan 2026 01:00:00 GMT", "Sat, 03 Jan 2026 00:00:00 GMT")

# FCM's Retry-After, whether services stop before or after their next call, and the unreachable services.
TROUBLES = (
    ("7200", "after", ("directory-events-api",)),
    (None, "before", ("events-proxy", "subscribers-errors")),
    (None, "before", ("subscribers-errors",)),
)
# The members in which later events about the same subscribers differ, by the first letter of their ids.
LATER_EVENTS: Mapping[str, dict[str, str]] = {
    "0": {},
    "a": {"retry_after": "30"},
    "b": {"retry_after": "9000"},
    "c": {"retry_after": "60"},
    "d": {"token": "another token"},
}


class RecordingPlatform(UnreliablePlatform):
    """Services in memory, with a digest of all calls from outside and without a model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.digest = hashlib.sha256()

    def update_model(self, call: ServiceCall) -> None: ...

    def settle(self) -> bool:
        """Run some rounds. With a fault, a service may never run out of work."""
        return any(self.run_round() == 0 for _ in range(MAX_ROUNDS))

    def call_service(self, call: ServiceCall) -> CallAnswer | CallFailure:
        answer = super().call_service(call)
        content = (answer.status, answer.text()) if isinstance(answer, CallAnswer) else answer.kind
        row = (call.to, call.method, call.path, call.body, content)
        self.digest.update(json.dumps(row, default=str).encode())
        return answer

    def request(self, service: str, method: str, path: str, body: Any = None) -> None:
        self.call_service(ServiceCall(service, method, path, body))

    def run_until_stop(self, *names: str) -> None:
        for name in names:
            with suppress(ServiceStopped):
                self.run_round(name)


class RecordingFcm:
    """An FCM that answers by token, and records what services send."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.requests: list[Any] = []

    def __call__(self, call: ServiceCall) -> CallAnswer | CallFailure:
        self.requests.append((call.body, call.headers))
        with suppress(KeyError, TypeError):
            return scripted_fcm(self.answers)(call)
        return CallAnswer(400, b"{}")


def hash_behaviour(name: str, load: Callable[[str, str], Service]) -> str:
    """The hash of all that a service does: an equal service has an equal hash."""
    service: Any = load(name, "after")
    reports = sample_reports() if hasattr(service, "decide") else ()
    # The content types of the answers to an empty batch and to an empty body.
    path = PROVIDERS[name].path if name in PROVIDERS else "/v1/reports"
    bodies = (b'{"reports":[],"responses":[],"errors":[]}', b"")
    with closing(Store()) as store:
        requests = [Request("POST", path, {}, body, SENT_AT) for body in bodies]
        content_types = [answer_request(service, request, store).content_type for request in requests]
    rows: list[Any] = [[describe_decision(service, report) for report in reports], content_types]
    rows += tell_isolated_story(name, load)
    for mix in ("all-after-v1",) if name in PROVIDERS else ("all-after-v1", "all-after-legacy"):
        fcm = RecordingFcm()
        versions = VERSION_MIXES[mix].versions
        with closing(RecordingPlatform(fcm, versions, build=load, started_at=STARTED_AT)) as platform:
            if name in PROVIDERS:
                deliver_batches(platform, name)
            push_with_troubles(platform, VERSION_MIXES[mix].protocols[0], fcm.answers)
            alerts = sorted(map(str, platform.alerts.items()))
            rows += [platform.digest.hexdigest(), fcm.requests, alerts, platform.queue.bodies()]
    return hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()


def describe_decision(service: Any, report: Mapping[str, Any]) -> str:
    try:
        return str(service.decide(report))
    except Exception as error:  # noqa: BLE001 - a fault may raise anything
        return type(error).__name__


def sample_reports() -> Iterator[dict[str, Any]]:
    """Reports of all kinds of answers."""
    details = [apns_detail(statusCode=403, reason="ExpiredProviderToken")]
    answers: list[Mapping[str, Any]] = [v1_answer(400, status="INVALID_ARGUMENT", details=details)]
    for example in map(example_report, load_catalogue().cases):
        answers += [{**example, "retry_after": retry_after} for retry_after in RETRY_AFTERS]
        answers += [{**example, "http_status": status} for status in (404, 500, 502)]
    answers += recordings.read_answers(recordings.CORPUS)
    answers += [*near_misses_of_codes(), *near_misses_of_details()]
    yield from ({**answer, "sent_at": SENT_AT} for answer in answers)


def push_with_troubles(platform: RecordingPlatform, protocol: str, fcm_answers: dict[str, Any]) -> None:
    """Push some cases while services are unreachable, stop and start again; then let all waits end."""
    ids = CountedIds(run="5e" * 6)
    examples = [example_report(case) for case in load_catalogue().of_protocol(protocol)]
    objects = [example for example in reversed(examples) if isinstance(example["response"], dict)]
    text = next(example for example in examples if isinstance(example["response"], str))
    for retry_after, stop, down in TROUBLES:
        push(platform, ids, fcm_answers, [{**answer, "retry_after": retry_after} for answer in objects])
        push(platform, ids, fcm_answers, [text])
        platform.down, platform.stop_at_next_call = set(down), stop
        platform.run_until_stop("directory-messages", "go-sender", "directory-errors-listener")
        platform.stop_at_next_call = None
        for name in ("go-sender", "events-proxy"):
            platform.restart(name)
            platform.run_round(name)
            platform.restart(name)
        platform.run_round()
        platform.run_round()
        platform.clock_offset_s += 60
        platform.stop_at_next_call = stop
        platform.run_until_stop("directory-errors-listener")
        platform.down, platform.stop_at_next_call = set(), None
        platform.drain()
    for _ in range(3):
        platform.clock_offset_s += 43_200
        platform.drain()


def push(
    platform: RecordingPlatform,
    ids: IdFactory,
    fcm_answers: dict[str, Any],
    answers: Iterable[Mapping[str, Any]],
) -> None:
    """Push the same message twice, to a subscriber for each answer of FCM; postpone the first of them."""
    devices = []
    for answer in answers:
        _, _, subscriber_id, token = ids.next()
        devices.append({"subscriber_id": subscriber_id, "token": f"T{token}"})
        fcm_answers[f"T{token}"] = answer
    subscription = {"token_since": "2025-06-01T00:00:00Z", "firebase_app": read_firebase_app()}
    platform.subscribe([{**device, **subscription} for device in devices])
    message_id = platform.push(MESSAGE, devices)
    platform.push(MESSAGE, devices, message_id=message_id)
    path = f"/v1/postponed/{devices[0]['subscriber_id']}"
    for until in ("2026-01-01T00:00:20Z", "2026-01-02T00:00:00Z"):
        body = {"until": until, "reason": "Unavailable"}
        platform.request("subscribers-postponed", "PUT", path, body)
        platform.request("subscribers-postponed", "GET", path)


def deliver_batches(platform: RecordingPlatform, name: str) -> None:
    """Deliver batches of all kinds to a provider, repeated and late ones too, and observe every entry."""
    provider, ids, catalogue = PROVIDERS[name], CountedIds(run="77" * 6), load_catalogue()
    reports = [
        payloads.address(example_report(case), ids, sent_at=parse_time(SENT_AT)) for case in catalogue.cases
    ]
    entries = reports
    if provider.batch_member == "errors":
        sent = [BatchEntry(report, catalogue.decide(report)) for report in reports]
        entries = [entry.payload for entry in payloads.error_events(sent)]
        platform.subscribe([payloads.active_subscriber(event) for event in entries])
    schema = malformed.EVENT if provider.batch_member == "errors" else malformed.ENVELOPE
    batches = [entries[:1], entries[1:], entries[::-1], []]
    batches += [
        [*entries[:2], rule.apply_to(entries[0]), entries[3]] for rule in malformed.malformed_rules(schema)
    ]
    batches += [[entries[0]] * BATCH_LIMIT, [entries[0]] * (BATCH_LIMIT + 1)]
    for batch in batches:
        platform.request(name, "POST", provider.path, {provider.batch_member: batch})
        if provider.batch_member == "errors":
            platform.subscribers([event["subscriber_id"] for event in entries])
    platform.request(name, "POST", provider.path, {})
    if provider.batch_member == "errors":
        deliver_late_events(platform, entries)
        deliver_unusual_events(platform)
        return
    for report in entries:
        platform.request(name, "GET", f"{provider.path}/{report['report_id']}")
    if name == "directory-responses":
        platform.request(name, "GET", f"{provider.path}/summary?firebase_app={read_firebase_app()}")


def deliver_late_events(platform: RecordingPlatform, events: list[Any]) -> None:
    """Deliver the same and later events after new subscriptions, with the same token or another one."""
    reactor, subscriber_ids = "subscribers-errors", [event["subscriber_id"] for event in events]
    for number, (suffix, since) in enumerate((("", SENT_AT), ("", "2026-02-01T00:00:00Z"), ("x", SENT_AT))):
        rows = [{**payloads.active_subscriber(event), "token_since": since} for event in events]
        platform.subscribe([{**row, "token": row["token"] + suffix} for row in rows])
        batches = []
        for letter, changes in LATER_EVENTS.items():
            names = ("event_id", "report_id") if changes else ("event_id",)
            batches.append(
                [event | changes | change_ids(event, names, f"{letter}{number}") for event in events]
            )
        batches.append([])
        for event, other in zip(events, [*events[1:], events[0]], strict=True):
            ids = change_ids(event, ("event_id", "report_id"), f"e{number}")
            recipient = {name: other[name] for name in ("subscriber_id", "token")}
            batches[-1].append(event | ids | recipient)
        for batch in batches:
            platform.request(reactor, "POST", "/v1/errors", {"errors": batch})
            platform.subscribers(subscriber_ids)
        resumed = [{"subscriber_id": value, "until": "2026-01-01T00:30:00Z"} for value in subscriber_ids]
        platform.request(reactor, "POST", "/v1/resumed", {"resumed": resumed})
        platform.subscribers(subscriber_ids)


def deliver_unusual_events(platform: RecordingPlatform) -> None:
    """Deliver events of another app, spelling, token or age than most, and alerts; then one alert alone."""
    ids, catalogue = CountedIds(run="ab" * 6), load_catalogue()
    gone = example_report(catalogue["legacy-NotRegistered"])
    alert = example_report(next(case for case in catalogue.cases if case.outcome == "alert"))
    unusual = [gone, *({**gone, "sending": {change: True}} for change in ("other_app", "capitals"))]
    unusual += [{**gone, "token": kind} for kind in (payloads.LIKE_FCM, payloads.LONGEST, payloads.SHORTEST)]
    answers = [(answer, SENT_AT) for answer in unusual] + [(gone, LATE), (alert, SENT_AT), (alert, SENT_AT)]
    reports = [payloads.address(answer, ids, sent_at=parse_time(sent_at)) for answer, sent_at in answers]
    entries = payloads.error_events([BatchEntry(report, catalogue.decide(report)) for report in reports])
    events = [entry.payload for entry in entries]
    platform.subscribe([payloads.active_subscriber(event) for event in events])
    for batch in (events, events[-1:]):
        platform.request("subscribers-errors", "POST", "/v1/errors", {"errors": batch})
        platform.subscribers([event["subscriber_id"] for event in events])


def change_ids(event: Mapping[str, Any], names: Iterable[str], prefix: str) -> dict[str, str]:
    """Change the first two letters of ids, so that it is another event."""
    return {name: prefix + event[name][2:] for name in names}


def test_every_case_is_exercised_by_a_fault() -> None:
    catalogue, reports = load_catalogue(), list(sample_reports())
    exercised = set()
    for fault in SERVICE_FAULTS:
        faulty, right = fault.load_faulty(), load_service(fault.service, fault.versions[-1])
        if getattr(faulty, "decide", None) is not getattr(right, "decide", None):
            for report in reports:
                case = catalogue.decide(report)
                if case and describe_decision(faulty, report) != describe_decision(right, report):
                    exercised.add(case.id)
    assert {case.id for case in catalogue.cases} - exercised == set(NOT_EXERCISED)


@pytest.mark.nightly
@pytest.mark.parametrize("service", dict.fromkeys(fault.service for fault in SERVICE_FAULTS))
def test_every_fault_changes_something_and_no_two_the_same(service: str) -> None:
    loaders = {"none": load_service}
    loaders |= {fault.name: fault.load for fault in SERVICE_FAULTS if fault.service == service}
    names_by_behaviour: dict[str, list[str]] = {}
    for name, load in loaders.items():
        names_by_behaviour.setdefault(hash_behaviour(service, load), []).append(name)
    assert [names for names in names_by_behaviour.values() if len(names) > 1] == []
