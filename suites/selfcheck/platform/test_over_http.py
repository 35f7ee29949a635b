"""The chain over real HTTP, Redis, SQS and the emulator: every push ends once and as the catalogue says."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixtures.core import schemas
from fixtures.core.catalogue import Case, load_catalogue
from fixtures.core.topology import FLOW, version_map
from fixtures.platform import over_http as chain
from fixtures.platform import redis_container as container
from fixtures.platform.over_http import PlatformError, Unfinished
from fixtures.platform.over_http.config import SERVABLE
from fixtures.platform.redis_container import ContainerUsageError, RedisUnavailable
from fixtures.platform.sqs import QueueError
from fixtures.services.events import CallAnswer, ServiceCall
from fixtures.services.memory_container import container_key
from suites.selfcheck.platform.chains import free_ports, lost, push, pushed, wrong
from suites.selfcheck.platform.pushes import LEGACY, V1, WORLDS

pytestmark = pytest.mark.aside

DEAD = load_catalogue()["v1-UNREGISTERED"]
ALONE = {name: world for name, world in WORLDS.items() if name != "mixed"}
SOON_S = 1.0
PATIENCE_S = 30.0


def lasting(before: set[threading.Thread]) -> set[threading.Thread]:
    """The threads that began since and do not end soon; one that answers a request ends with it."""
    new = set(threading.enumerate()) - before
    until = time.monotonic() + PATIENCE_S
    for thread in new:
        thread.join(max(0.0, until - time.monotonic()))
    return {thread for thread in new if thread.is_alive()}


@pytest.mark.process
@pytest.mark.parametrize(("versions", "cases"), ALONE.values(), ids=ALONE)
def test_every_case_ends_once_and_as_the_catalogue_says(
    versions: dict[str, str], cases: tuple[Case, ...]
) -> None:
    with chain.running(versions) as system:
        pushes = pushed(system, cases)
        system.drain()
        assert not wrong(system, pushes)
        assert system.stored_responses == len(cases)
        assert system.queue.count() == system.dead_letters.count() == 0
        assert not system.alerts


@pytest.mark.process
def test_mixed_traffic_ends_as_if_it_came_alone() -> None:
    with chain.running(version_map("after", go_sender="before")) as system:
        pushes = pushed(system, LEGACY)
        while any("messages" in said for said in system.remaining_work()):  # in an outbox, or the container
            time.sleep(0.01)
        system.deploy("go-sender", "after")  # while legacy reports are under way
        pushes += pushed(system, V1)
        system.drain()
        assert not wrong(system, pushes)
        assert system.stored_responses == len(pushes)


@pytest.mark.process
def test_nothing_is_lost_whatever_is_restarted_in_mid_run() -> None:
    with chain.running(version_map("after"), max_hidden_s=SOON_S) as system:
        pushes = []
        for name in FLOW:
            pushes += pushed(system, V1[::3])
            system.restart(name)
        system.drain()
        assert not lost(system, pushes)
        assert system.queue.count() == system.dead_letters.count() == 0


@pytest.mark.process
@pytest.mark.parametrize("name", ["directory-responses", "subscribers-errors", "events-proxy"])
def test_what_a_stopped_service_missed_is_delivered_later(name: str) -> None:
    with chain.running(version_map("after"), max_hidden_s=SOON_S) as system:
        pushes = pushed(system, V1[:4])
        system.stop(name)
        with contextlib.suppress(Unfinished):
            system.drain(0.5)
        system.start(name)
        system.drain()
        assert not lost(system, pushes)


@pytest.mark.process
def test_an_event_that_is_delivered_twice_is_acted_upon_once_and_a_poison_one_is_buried() -> None:
    with chain.running(version_map("after"), max_hidden_s=SOON_S) as system:
        case, one = DEAD, push(system, DEAD)
        system.stop("directory-errors-listener")
        while not system.queue.count():
            time.sleep(0.01)
        (letter,) = system.queue.receive(10, 0)
        system.queue.send(letter.body, letter.body, "{", "[]")
        system.start("directory-errors-listener")
        system.drain()
        assert not wrong(system, [(case, one)])
        assert system.queue.count() == 0
        buried = [json.loads(letter.body) for letter in system.dead_letters.receive(10, 0)]
        assert sorted(item["body"] for item in buried) == ["[]", "{"]
        for item in buried:
            schemas.validate(item, "dead-letter.schema.json")


def test_a_letter_that_hides_for_long_is_not_waited_for() -> None:
    with chain.running(version_map("after", directory_errors_listener="before")) as system:
        push(system, DEAD)
        system.drain()
        assert system.queue.counts() == {"visible": 0, "hidden": 1}
        assert any("response.error is not a string" in said for _, said in system.alerts)


def test_what_does_not_get_done_is_named_at_the_deadline() -> None:
    with chain.running(version_map("after", directory_messages="before")) as system:
        push(system, DEAD)
        with pytest.raises(Unfinished) as caught:
            system.drain(1)
    assert str(caught.value).startswith("unfinished-chain: after 1 s there is still 1 in messages:")
    assert "has no `v1`" in str(caught.value)


def test_a_stuck_call_stops_neither_the_others_nor_the_end_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = set(threading.enumerate())
    with chain.running(version_map("after"), timeout_s=600) as system:
        one = push(system, DEAD)
        system.drain()
        push(system, DEAD, options=";delay=500")
        with pytest.raises(Unfinished, match="kept by go-sender"):
            system.drain(0.5)
        assert system.push_result(*one).actions == ("unsubscribe",)
        began = time.monotonic()
    assert time.monotonic() - began < 15
    assert not lasting(threads)
    assert list(tmp_path.iterdir()) == []
    for place in (*SERVABLE, "queue"):
        with pytest.raises(ConnectionRefusedError):
            HTTPConnection(urlsplit(system.urls[place]).netloc, timeout=5).connect()
    with pytest.raises(RedisUnavailable):
        container.connect(system.urls["redis"])


def test_the_queues_are_made_at_an_endpoint() -> None:
    with chain.running() as system:
        place = urlsplit(system.urls["queue"])
        with chain.running(sqs_endpoint=f"{place.scheme}://{place.netloc}") as other:
            assert other.urls["queue"].endswith("/fcm-compat-errors")
            one = push(other, DEAD)
            other.drain()
            assert not wrong(other, [(DEAD, one)])


def test_what_is_not_served_here_cannot_be_restarted() -> None:
    with (
        chain.running(served=["events-proxy"]) as system,
        pytest.raises(PlatformError, match="not-served-here: "),
    ):
        system.restart("go-sender")


def test_a_round_that_fails_is_told_and_begins_again() -> None:
    with chain.running() as system:
        key = container_key(system.firebase_apps[0], spam=False)
        server = container.connect(system.urls["redis"])
        server.set(key, "no list")
        while not system.alerts:
            time.sleep(0.01)
        server.delete(key)
        server.close()
        one = push(system, DEAD)
        system.drain()
        assert not wrong(system, [(DEAD, one)])
        ((service, said),) = system.alerts
        assert service == "go-sender"
        assert "a round of work failed: RedisUnavailable" in said


@pytest.mark.process
@pytest.mark.parametrize("name", SERVABLE)
def test_a_deployment_takes_the_place_of_a_service(name: str) -> None:
    ports = dict(zip(SERVABLE, free_ports(len(SERVABLE)), strict=True))
    urls = {place: f"http://127.0.0.1:{port}" for place, port in ports.items()}
    others = {place: url for place, url in urls.items() if place != name}
    with chain.running(ports=ports, elsewhere={name: urls[name]}) as system:
        shared: dict[str, Any] = {"redis_url": system.urls["redis"], "queue_url": system.urls["queue"]}
        with chain.running(ports=ports, elsewhere=others, **shared) as deployment:
            assert set(deployment.hosts) == {name} - {"fcm"}
            assert name not in system.hosts
            pushes = pushed(system, V1[::4])
            system.drain()
            fates = system.push_results()
            assert not [case.id for case, one in pushes if fates[one].response is None]
            seen = system if name != "subscribers-errors" else deployment
            assert sum(map(len, seen.actions.values())) >= sum(c.outcome != "keep" for c, _ in pushes)


def test_a_postponed_subscriber_becomes_active_when_due() -> None:
    with chain.running() as system:
        one = push(system, load_catalogue()["v1-QUOTA_EXCEEDED"])
        system.drain()
        assert (system.push_result(*one).subscriber or {})["status"] == "postponed"
        system.clock_offset_s += 3600
        deadline = time.monotonic() + 10
        while (system.push_result(*one).subscriber or {})["status"] != "active" and time.monotonic() < deadline:
            system.drain()
        assert (system.push_result(*one).subscriber or {})["status"] == "active"


@pytest.fixture
def occupied() -> Iterator[int]:
    """A port that somebody listens at."""
    with chain.running(served=["directory-responses"]) as system:
        yield urlsplit(system.urls["directory-responses"]).port or 0


@pytest.mark.parametrize("name", ["events-proxy", "fcm"])
def test_a_port_in_use_is_named_and_nothing_is_half_started(name: str, occupied: int) -> None:
    threads = set(threading.enumerate())
    with pytest.raises(PlatformError) as caught, chain.running(ports={name: occupied}):
        pass
    assert str(caught.value).startswith(f"port-in-use: '{occupied}': {name} cannot be served there")
    assert "next: " in str(caught.value)
    assert not lasting(threads)


@pytest.mark.parametrize(
    ("versions", "options", "kind", "said"),
    [
        ({"go-sendr": "after"}, {}, PlatformError, "unknown-service: 'go-sendr': allowed: go-sender, "),
        ({"go-sender": "befor"}, {}, PlatformError, "unknown-version: 'befor': allowed: before, after"),
        ({}, {"elsewhere": {"fcm": "ftp://x"}}, PlatformError, "bad-service-url: 'ftp://x'"),
        ({}, {"elsewhere": {"fcm": "http://x:y"}}, PlatformError, "bad-service-url: 'http://x:y'"),
        ({}, {"redis_url": "redis://127.0.0.1:9/0"}, RedisUnavailable, "unreachable-redis: "),
        ({}, {"redis_url": "http://127.0.0.1"}, ContainerUsageError, "bad-redis-url: "),
        ({}, {"sqs_endpoint": "http://127.0.0.1:9"}, QueueError, "queue-unreachable: "),
        ({}, {"sqs_endpoint": "redis://127.0.0.1"}, QueueError, "bad-queue-url: "),
        ({}, {"queue_url": "http://127.0.0.1:9/1/q"}, QueueError, "queue-unreachable: "),
    ],
    ids=[
        "unknown-service",
        "unknown-version",
        "url-scheme",
        "url-port",
        "redis-silent",
        "redis-scheme",
        "sqs-silent",
        "sqs-scheme",
        "queue-silent",
    ],
)
def test_what_cannot_be_started_is_named(
    versions: dict[str, str], options: dict[str, object], kind: type[Exception], said: str
) -> None:
    threads = set(threading.enumerate())
    with pytest.raises(kind) as caught, chain.running(versions, **options):
        pass
    assert str(caught.value).startswith(said)
    assert "next: " in str(caught.value)
    assert not lasting(threads)


def test_a_service_that_is_nowhere_fails_visibly() -> None:
    told = []
    with chain.running(served=["events-proxy"], told=lambda *said: told.append(said)) as system:
        answer = system.call_service(ServiceCall("events-proxy", "POST", "/v1/reports", {"reports": [{"report_id": "x"}]}))
        assert isinstance(answer, CallAnswer)
        assert answer.status == 202
        with pytest.raises(Unfinished):
            system.drain(0.5)
    assert ("events-proxy", "directory-events-api does not take 1 reports: refused") in told
