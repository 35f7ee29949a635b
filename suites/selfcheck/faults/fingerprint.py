"""All that a service decides, answers and sends in a fixed story, in which much goes wrong, as text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeAlias

from fixtures.core import payloads
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import BatchEntry, IdFactory
from fixtures.core.times import parse_time
from fixtures.core.topology import BATCH_LIMIT, PROVIDERS, VERSION_MIXES, read_firebase_app
from fixtures.generation import malformed, recordings
from fixtures.generation.strategies import near_misses_of_codes, near_misses_of_details
from fixtures.platform.in_memory import scripted_fcm
from fixtures.scenarios.unreliable_platform import ServiceStopped, UnreliablePlatform
from fixtures.services.asgi import answer_or_problem
from fixtures.services.events import CallAnswer, CallFailure, ServiceCall
from fixtures.services.http_messages import Request
from fixtures.services.routing import Service
from fixtures.services.store import Store
from suites.selfcheck.sample_answers import apns_detail, v1_answer

LoadService: TypeAlias = Callable[[str, str], Service]

MESSAGE = {"notification": {"title": "Hello"}, "data": {"count": 3}, "ttl_s": 60}
SENT_AT = "2026-01-01T00:00:00Z"
STARTED_AT = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)
RETRY_AFTERS = (None, "7200", "99999999", "Thu, 01 Jan 2026 01:00:00 GMT", "Sat, 03 Jan 2026 00:00:00 GMT")
MINUTE_S, HALF_DAY_S = 60, 43_200

# FCM's Retry-After, whether services stop before or after their next call, and the unreachable services.
TROUBLES = (
    ("7200", "after", ("directory-events-api",)),
    (None, "before", ("events-proxy", "subscribers-errors")),
    (None, "before", ("subscribers-errors",)),
)
# The members in which later events about the same subscribers differ, by the first letter of their ids.
LATER_EVENTS: Mapping[str, Mapping[str, str]] = {
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

    def update_model(self, call: ServiceCall) -> None:
        pass

    def call_service(self, call: ServiceCall) -> CallAnswer | CallFailure:
        answer = super().call_service(call)
        content = (answer.status, answer.text()) if isinstance(answer, CallAnswer) else answer.kind
        row = (call.to, call.method, call.path, call.body, content)
        self.digest.update(json.dumps(row, default=str).encode())
        return answer

    def post(self, service: str, path: str, body: Any) -> None:
        self.call_service(ServiceCall(service, "POST", path, body))

    def get(self, service: str, path: str) -> None:
        self.call_service(ServiceCall(service, "GET", path, None))

    def run_until_stop(self, *names: str) -> None:
        for name in names:
            with suppress(ServiceStopped):
                self.run_round(name)


def describe_behaviour(name: str, load: LoadService) -> str:
    """Describe all that a service does: an equal service has an equal description."""
    service = load(name, "after")
    reports = sample_reports() if hasattr(service, "decide") else ()
    rows: list[Any] = [[describe_decision(service, report) for report in reports], content_types(service)]
    for mix in ("all-after-v1",) if name in PROVIDERS else ("all-after-v1", "all-after-legacy"):
        fcm_answers: dict[str, Any] = {}
        fcm_requests: list[Any] = []

        def fcm(
            call: ServiceCall, answers: Any = fcm_answers, requests: Any = fcm_requests
        ) -> CallAnswer | CallFailure:
            requests.append((call.body, call.headers))
            with suppress(KeyError, TypeError):
                return scripted_fcm(answers)(call)
            return CallAnswer(400, b"{}")

        platform = RecordingPlatform(fcm, VERSION_MIXES[mix].versions, build=load, started_at=STARTED_AT)
        if name in PROVIDERS:
            deliver_batches(platform, name)
        push_with_troubles(platform, VERSION_MIXES[mix].protocols[0], fcm_answers)
        alerts = sorted(map(str, platform.alerts.items()))
        rows += [platform.digest.hexdigest(), fcm_requests, alerts, platform.queue.bodies()]
        platform.close()
    return json.dumps(rows, default=str)


def content_types(service: Any) -> list[str]:
    """The content types of the answers to an empty batch and to an empty body."""
    store = Store()
    path = PROVIDERS[service.name].path if service.name in PROVIDERS else "/v1/reports"
    bodies = (b'{"reports":[],"responses":[],"errors":[]}', b"")
    requests = [Request("POST", path, {}, body, SENT_AT) for body in bodies]
    replies = [answer_or_problem(service, request, store) for request in requests]
    store.close()
    return [reply.content_type for reply in replies]


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
    ids = IdFactory(run="5e" * 6)
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
        platform.clock_offset_s += MINUTE_S
        platform.stop_at_next_call = stop
        platform.run_until_stop("directory-errors-listener")
        platform.down, platform.stop_at_next_call = set(), None
        platform.drain()
    for _ in range(3):
        platform.clock_offset_s += HALF_DAY_S
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
        platform.call_service(ServiceCall("subscribers-postponed", "PUT", path, body))
        platform.get("subscribers-postponed", path)


def deliver_batches(platform: RecordingPlatform, name: str) -> None:
    """Deliver batches of all kinds to a provider, repeated and late ones too, and observe every entry."""
    provider, ids, catalogue = PROVIDERS[name], IdFactory(run="77" * 6), load_catalogue()
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
        platform.post(name, provider.path, {provider.batch_member: batch})
        if provider.batch_member == "errors":
            platform.subscribers([event["subscriber_id"] for event in entries])
    platform.post(name, provider.path, {})
    if provider.batch_member == "errors":
        deliver_late_events(platform, entries)
        return
    for report in entries:
        platform.get(name, f"{provider.path}/{report['report_id']}")
    if name == "directory-responses":
        platform.get(name, f"{provider.path}/summary?firebase_app={read_firebase_app()}")


def deliver_late_events(platform: RecordingPlatform, events: list[Any]) -> None:
    """Deliver the same and later events after new subscriptions, with the same token or another one."""
    reactor, subscriber_ids = "subscribers-errors", [event["subscriber_id"] for event in events]
    for number, (suffix, since) in enumerate((("", SENT_AT), ("", "2026-02-01T00:00:00Z"), ("x", SENT_AT))):
        rows = [{**payloads.active_subscriber(event), "token_since": since} for event in events]
        platform.subscribe([{**row, "token": row["token"] + suffix} for row in rows])
        batches = [
            [
                {**event, **changes, **change_ids(event, f"{letter}{number}", with_report=bool(changes))}
                for event in events
            ]
            for letter, changes in LATER_EVENTS.items()
        ]
        batches.append(
            [
                {
                    **event,
                    **change_ids(event, f"e{number}", with_report=True),
                    **{name: other[name] for name in ("subscriber_id", "token")},
                }
                for event, other in zip(events, [*events[1:], events[0]], strict=True)
            ]
        )
        for batch in batches:
            platform.post(reactor, "/v1/errors", {"errors": batch})
            platform.subscribers(subscriber_ids)
        until = "2026-01-01T00:30:00Z"
        resumed = [{"subscriber_id": subscriber_id, "until": until} for subscriber_id in subscriber_ids]
        platform.post(reactor, "/v1/resumed", {"resumed": resumed})
        platform.subscribers(subscriber_ids)


def change_ids(event: Mapping[str, Any], prefix: str, *, with_report: bool) -> dict[str, str]:
    """Change the first two letters of an event's ids, so that it is another event."""
    names = ("event_id", "report_id") if with_report else ("event_id",)
    return {name: prefix + event[name][2:] for name in names}
