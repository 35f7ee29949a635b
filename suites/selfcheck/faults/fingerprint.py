"""What a service decides, answers and leaves to others, in a story in which much goes wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from fixtures.core import payloads
from fixtures.core.catalogue import example_report, instant, load
from fixtures.core.payloads import Identities, Sent
from fixtures.core.topology import BATCH_LIMIT, PROVIDERS, WORLDS, firebase_app
from fixtures.generation import malformed, recordings
from fixtures.generation.strategies import misread, misspelt
from fixtures.platform.base import FLOW
from fixtures.platform.in_memory import scripted
from fixtures.scenarios.unreliable_platform import Lived, Stopped
from fixtures.services.asgi import safely_answer
from fixtures.services.events import Answer, Call, Failure
from fixtures.services.http_messages import Request
from fixtures.services.routing import Service
from fixtures.services.store import SqliteStore
from suites.selfcheck.sample_answers import apns, v1

Build = Callable[[str, str], Service]

MESSAGE = {"notification": {"title": "Hello"}, "data": {"count": 3}, "ttl_s": 60}
SENT_AT = "2026-01-01T00:00:00Z"
DATES = ("Thu, 01 Jan 2026 01:00:00 GMT", "Sat, 03 Jan 2026 00:00:00 GMT")
WAITS = (None, "7200", "99999999", *DATES)
STATUSES = (404, 500, 502)
A_MINUTE_S, HALF_A_DAY_S = 60, 43_200
TROUBLES = (
    ("7200", "after", ("directory-events-api",)),
    (None, "before", ("events-proxy", "subscribers-errors")),
    (None, "before", ("subscribers-errors",)),
)
"""How long FCM asks to wait, when services stop in the middle of a call, and which are away."""
AT = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)

LETTERS: Mapping[str, Mapping[str, str]] = {
    "0": {},
    "a": {"retry_after": "30"},
    "b": {"retry_after": "9000"},
    "c": {"retry_after": "60"},
    "d": {"token": "nobody's"},
}
"""In what later events about the same subscribers differ, by a letter of their ids."""


class Told(Lived):
    """Services in memory that keep a record of every call, as a hash, and of which no model hears."""

    def __post_init__(self) -> None:
        """Begin with an empty record."""
        super().__post_init__()
        self.record = hashlib.sha256()

    def tell_model(self, call: Call) -> None:
        """There is no model."""

    def ask(self, call: Call) -> Answer | Failure:
        """Keep what is asked, and what is answered."""
        answer = super().ask(call)
        said = (answer.status, answer.text()) if isinstance(answer, Answer) else answer.kind
        told = (call.to, call.method, call.path, call.body, said)
        self.record.update(json.dumps(told, default=str).encode())
        return answer


def behaviour(name: str, build: Build) -> str:
    """All that a service does, as text: the same service always does the same."""
    told: list[Any] = [decided(build(name, "after")), headed(build(name, "after"))]
    worlds = ("all-after-v1",) if name in PROVIDERS else ("all-after-v1", "all-after-legacy")
    for world in worlds:
        answers: dict[str, Any] = {}
        asked: list[Any] = []

        def fcm(call: Call, answers: Any = answers, asked: Any = asked) -> Answer | Failure:
            asked.append((call.body, call.headers))
            with suppress(KeyError, TypeError):
                return scripted(answers)(call)
            return Answer(400, b"{}")

        stores = [SqliteStore() for _ in FLOW]
        by_name = dict(zip(FLOW, stores, strict=True))
        system = Told(fcm, WORLDS[world].versions, build=build, store_of=by_name.__getitem__, started_at=AT)
        if name in PROVIDERS:
            provided(system, name)
        live(system, WORLDS[world].protocols[0], answers)
        told += [
            system.record.hexdigest(),
            asked,
            sorted(map(str, system.told.items())),
            system.queue.bodies(),
        ]
        for store in stores:
            store.close()
    return json.dumps(told, default=str)


def decided(service: Any) -> list[str]:
    """What a service decides about reports of all kinds, if it decides at all."""
    reports = list(kinds()) if hasattr(service, "decide") else []
    return [decision(service, {**report, "sent_at": SENT_AT}) for report in reports]


def headed(service: Any) -> list[str]:
    """Under which content types a service answers a batch of nothing, and a body that is none."""
    store = SqliteStore()
    path = PROVIDERS[service.name].path if service.name in PROVIDERS else "/v1/reports"
    batch = b'{"reports":[],"responses":[],"errors":[]}'
    requests = [Request("POST", path, {}, body, SENT_AT) for body in (batch, b"")]
    replies = [safely_answer(service, request, store) for request in requests]
    store.close()
    return [reply.content_type for reply in replies]


def decision(service: Any, report: Any) -> str:
    """A decision, or what is raised instead."""
    try:
        return str(service.decide(report))
    except Exception as trouble:  # noqa: BLE001 - a fault may raise anything
        return type(trouble).__name__


def kinds() -> Iterator[dict[str, Any]]:
    """Answers of all kinds."""
    yield v1(400, status="INVALID_ARGUMENT", details=[apns(statusCode=403, reason="ExpiredProviderToken")])
    for case in load().cases:
        example = example_report(case)
        yield from ({**example, "retry_after": wait} for wait in WAITS)
        yield from ({**example, "http_status": status} for status in STATUSES)
    yield from ({**one} for one in (*recordings.answers_of(recordings.CORPUS), *misspelt(), *misread()))


def live(system: Told, protocol: str, answers: dict[str, Any]) -> None:
    """Push some cases, with services that go away, stop and come back; then let all waits end."""
    identities = Identities(run="5e" * 6)
    examples = [example_report(case) for case in load().of(protocol)]
    together = [one for one in reversed(examples) if isinstance(one["response"], dict)]
    alone = next(one for one in examples if isinstance(one["response"], str))
    for wait, stops, down in TROUBLES:
        push(system, identities, answers, [{**answer, "retry_after": wait} for answer in together])
        push(system, identities, answers, [alone])
        system.down, system.stops = set(down), stops
        for name in ("directory-messages", "go-sender", "directory-errors-listener"):
            with suppress(Stopped):
                system.run(name)
        system.stops = None
        for name in ("go-sender", "events-proxy"):
            system.restart(name)
            system.run(name)
            system.restart(name)
        system.run()
        system.run()
        system.seconds += A_MINUTE_S
        system.stops = stops
        with suppress(Stopped):
            system.run("directory-errors-listener")
        system.stops = None
        system.down = set()
        system.drain()
    for _ in range(3):
        system.seconds += HALF_A_DAY_S
        system.drain()


def push(
    system: Told, identities: Identities, answers: dict[str, Any], group: Iterable[Mapping[str, Any]]
) -> None:
    """Push a message, twice the same, to subscribers for whom FCM answers so; others are held back longer."""
    devices = []
    for answer in group:
        _, _, subscriber_id, token = identities.next()
        devices.append({"subscriber_id": subscriber_id, "token": f"T{token}"})
        answers[f"T{token}"] = answer
    since = {"token_since": "2025-06-01T00:00:00Z", "firebase_app": firebase_app()}
    system.subscribe([{**device, **since} for device in devices])
    message_id = system.push(MESSAGE, devices)
    system.push(MESSAGE, devices, message_id=message_id)
    path = f"/v1/postponed/{devices[0]['subscriber_id']}"
    for until in ("2026-01-01T00:00:20Z", "2026-01-02T00:00:00Z"):
        held = {"until": until, "reason": "Unavailable"}
        system.ask(Call("subscribers-postponed", "PUT", path, held))
        system.ask(Call("subscribers-postponed", "GET", path, None))


def provided(system: Told, name: str) -> None:
    """Ask a provider with batches of all kinds, again and too late, and look at every entry."""
    provider, identities = PROVIDERS[name], Identities(run="77" * 6)
    reports = [addressed(example_report(case), identities) for case in load().cases]
    is_reactor = provider.batch_member == "errors"
    entries = [entry.payload for entry in (payloads.events(reports) if is_reactor else reports)]
    schema = malformed.EVENT if is_reactor else malformed.ENVELOPE
    batches = [entries[:1], entries[1:], entries[::-1], []]
    batches += [[*entries[:2], rule.broken(entries[0]), entries[3]] for rule in malformed.rules(schema)]
    batches += [[entries[0]] * BATCH_LIMIT, [entries[0]] * (BATCH_LIMIT + 1)]
    if is_reactor:
        system.subscribe([payloads.subscriber(entry) for entry in entries])
    for batch in batches:
        system.ask(Call(name, "POST", provider.path, {provider.batch_member: batch}))
        if is_reactor:
            system.subscribers([entry["subscriber_id"] for entry in entries])
    system.ask(Call(name, "POST", provider.path, {}))
    if is_reactor:
        resubscribed(system, entries)
    else:
        for entry in entries:
            system.ask(Call(name, "GET", f"{provider.path}/{entry['report_id']}", None))
    if name == "directory-responses":
        system.ask(Call(name, "GET", f"{provider.path}/summary?firebase_app={firebase_app()}", None))


def addressed(answer: Mapping[str, Any], identities: Identities) -> Sent:
    """A report of an answer, sent at a fixed time."""
    report = payloads.address(answer, identities, sent_at=instant(SENT_AT))
    return Sent(report, load().decide(report))


def resubscribed(system: Told, events: list[Any]) -> None:
    """The same events, and later ones, after everybody has subscribed again, with the token or another."""
    ids = [event["subscriber_id"] for event in events]
    for number, (token, since) in enumerate((("", SENT_AT), ("", "2026-02-01T00:00:00Z"), ("x", SENT_AT))):
        rows = [{**payloads.subscriber(event), "token_since": since} for event in events]
        system.subscribe([{**row, "token": row["token"] + token} for row in rows])
        for letter, changes in LETTERS.items():
            named = {"event_id": letter, "report_id": letter} if changes else {"event_id": letter}
            later = [{**event, **changes, **renamed(event, named, number)} for event in events]
            system.ask(Call("subscribers-errors", "POST", "/v1/errors", {"errors": later}))
            system.subscribers(ids)
        others = [
            {**event, **renamed(event, {"event_id": "e", "report_id": "e"}, number)} for event in events
        ]
        shifted = [
            {**event, "subscriber_id": other["subscriber_id"], "token": other["token"]}
            for event, other in zip(others, [*events[1:], events[0]], strict=True)
        ]
        system.ask(Call("subscribers-errors", "POST", "/v1/errors", {"errors": shifted}))
        over = [{"subscriber_id": one, "until": "2026-01-01T00:30:00Z"} for one in ids]
        system.ask(Call("subscribers-errors", "POST", "/v1/resumed", {"resumed": over}))
        system.subscribers(ids)


def renamed(event: Mapping[str, Any], letters: Mapping[str, str], number: int) -> dict[str, str]:
    """Other ids of an event: the first letters of each are others, as the last ones are its own."""
    return {name: f"{letter}{number}{event[name][2:]}" for name, letter in letters.items()}
