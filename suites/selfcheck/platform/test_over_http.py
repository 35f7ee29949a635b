"""Over real HTTP, Redis, SQS and the emulator, every push ends once and as the catalogue says."""

import contextlib
import json
import socket
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
from fixtures.core.outcome import PushResult
from fixtures.core.topology import FLOW
from fixtures.platform.over_http.config import SERVABLE, PlatformConfig, PlatformError
from fixtures.platform.over_http.platform import Unfinished, run_platform
from fixtures.platform.redis_container import ContainerUsageError, RedisUnavailable, connect
from fixtures.platform.sqs import QueueError
from fixtures.services.events import CallAnswer, ServiceCall
from fixtures.services.infrastructure import container_key
from suites.selfcheck.by_day import mark_nightly
from suites.selfcheck.platform.pushes import LEGACY, MIXES, V1, find_wrong, free_ports, push_case, push_cases

DEAD = load_catalogue()["v1-UNREGISTERED"]
UNMIXED = {name: mix for name, mix in MIXES.items() if name != "mixed"}
HIDDEN_S = 1.0
THREAD_END_S = 30.0


def find_lasting_threads(before: set[threading.Thread]) -> set[threading.Thread]:
    """The new threads that do not end soon; a thread that answers a request ends with the request."""
    new = set(threading.enumerate()) - before
    deadline = time.monotonic() + THREAD_END_S
    for thread in new:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {thread for thread in new if thread.is_alive()}


@pytest.mark.process
@pytest.mark.parametrize(("versions", "cases"), UNMIXED.values(), ids=UNMIXED)
def test_every_case_ends_once_and_as_the_catalogue_says(
    versions: dict[str, str], cases: tuple[Case, ...]
) -> None:
    with run_platform(PlatformConfig(versions=versions)) as platform:
        pushes = push_cases(platform, cases)
        platform.drain()
        assert not find_wrong(platform, pushes)
        assert platform.stored_responses == len(cases)
        assert platform.queue.count() == platform.dead_letters.count() == 0
        assert not platform.alerts


@pytest.mark.process
def test_mixed_traffic_ends_as_if_it_came_alone() -> None:
    with run_platform(PlatformConfig(versions={"go-sender": "before"})) as platform:
        pushes = push_cases(platform, LEGACY)
        while any("messages" in work for work in platform.remaining_work()):  # in an outbox, or the container
            time.sleep(0.01)
        platform.deploy("go-sender", "after")  # while legacy reports are under way
        pushes += push_cases(platform, V1)
        platform.drain()
        assert not find_wrong(platform, pushes)
        assert platform.stored_responses == len(pushes)


@pytest.mark.process
def test_nothing_is_lost_whatever_is_restarted_in_mid_run() -> None:
    with run_platform(PlatformConfig(max_hidden_s=HIDDEN_S)) as platform:
        pushes = []
        for name in FLOW:
            pushes += push_cases(platform, V1[::3])
            platform.restart(name)
        platform.drain()
        assert not find_wrong(platform, pushes, check_status=False)
        assert platform.queue.count() == platform.dead_letters.count() == 0


@pytest.mark.process
@pytest.mark.parametrize("name", ["directory-responses", "subscribers-errors", "events-proxy"])
def test_what_a_stopped_service_missed_is_delivered_later(name: str) -> None:
    with run_platform(PlatformConfig(max_hidden_s=HIDDEN_S)) as platform:
        pushes = push_cases(platform, V1[:4])
        platform.stop(name)
        with contextlib.suppress(Unfinished):
            platform.drain(0.5)
        platform.start(name)
        platform.drain()
        assert not find_wrong(platform, pushes, check_status=False)


@pytest.mark.process
def test_an_event_that_is_delivered_twice_is_acted_upon_once_and_a_poison_one_is_buried() -> None:
    with run_platform(PlatformConfig(max_hidden_s=HIDDEN_S)) as platform:
        push = push_case(platform, DEAD)
        platform.stop("directory-errors-listener")
        while not platform.queue.count():
            time.sleep(0.01)
        (message,) = platform.queue.receive(10, 0)
        platform.queue.send(message.body, message.body, "{", "[]")
        platform.start("directory-errors-listener")
        platform.drain()
        assert not find_wrong(platform, [(DEAD, push)])
        assert platform.queue.count() == 0
        dead_letters = [json.loads(message.body) for message in platform.dead_letters.receive(10, 0)]
        assert sorted(item["body"] for item in dead_letters) == ["[]", "{"]
        for dead_letter in dead_letters:
            schemas.validate(dead_letter, "dead-letter.schema.json")


def test_drain_does_not_wait_for_a_message_that_is_hidden_for_long() -> None:
    with run_platform(PlatformConfig(versions={"directory-errors-listener": "before"})) as platform:
        push_case(platform, DEAD)
        platform.drain()
        assert platform.queue.counts() == {"visible": 0, "hidden": 1}
        assert any("response.error is not a string" in reason for _, reason in platform.alerts)


def test_what_does_not_get_done_is_named_at_the_deadline() -> None:
    with run_platform(PlatformConfig(versions={"directory-messages": "before"})) as platform:
        push_case(platform, DEAD)
        with pytest.raises(Unfinished) as caught:
            platform.drain(1)
    assert str(caught.value).startswith("unfinished-chain: after 1 s there is still 1 in messages:")
    assert "has no `v1`" in str(caught.value)


def test_a_stuck_call_stops_neither_the_others_nor_the_end_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = set(threading.enumerate())
    with run_platform(PlatformConfig(timeout_s=600)) as platform:
        push = push_case(platform, DEAD)
        platform.drain()
        push_case(platform, DEAD, options=";delay=500")
        with pytest.raises(Unfinished, match="kept by go-sender"):
            platform.drain(3)  # long enough for go-sender to fetch the push on a busy machine
        assert platform.push_results([push])[push].actions == ("unsubscribe",)
        began = time.monotonic()
    assert time.monotonic() - began < 15
    assert not find_lasting_threads(threads)
    assert list(tmp_path.iterdir()) == []
    for name in (*SERVABLE, "queue"):
        with pytest.raises(ConnectionRefusedError):
            HTTPConnection(urlsplit(platform.urls[name]).netloc, timeout=5).connect()
    with pytest.raises(RedisUnavailable):
        connect(platform.urls["redis"])


def test_the_queues_are_made_at_an_endpoint() -> None:
    with run_platform(PlatformConfig()) as platform:
        url = urlsplit(platform.urls["queue"])
        with run_platform(PlatformConfig(sqs_endpoint=f"{url.scheme}://{url.netloc}")) as other:
            assert other.urls["queue"].endswith("/fcm-compat-errors")
            push = push_case(other, DEAD)
            other.drain()
            assert not find_wrong(other, [(DEAD, push)])


def test_what_is_not_served_here_cannot_be_restarted() -> None:
    with (
        run_platform(PlatformConfig(served=["events-proxy"])) as platform,
        pytest.raises(PlatformError, match="not-served-here: "),
    ):
        platform.restart("go-sender")


def test_a_failing_round_raises_an_alert_and_is_repeated() -> None:
    with run_platform(PlatformConfig()) as platform:
        key = container_key(platform.firebase_apps[0], spam=False)
        server = connect(platform.urls["redis"])
        server.set(key, "no list")
        while not platform.alerts:
            time.sleep(0.01)
        server.delete(key)
        server.close()
        push = push_case(platform, DEAD)
        platform.drain()
        assert not find_wrong(platform, [(DEAD, push)])
        ((service, reason),) = platform.alerts
        assert service == "go-sender"
        assert "a round of work failed: RedisUnavailable" in reason


@pytest.mark.process
@pytest.mark.parametrize("name", mark_nightly(SERVABLE, ["fcm", "subscribers-errors"]))
def test_a_deployment_takes_the_place_of_a_service(name: str) -> None:
    ports = dict(zip(SERVABLE, free_ports(len(SERVABLE)), strict=True))
    urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
    other_urls = {service: url for service, url in urls.items() if service != name}
    with run_platform(PlatformConfig(ports=ports, elsewhere={name: urls[name]})) as platform:
        shared: dict[str, Any] = {"redis_url": platform.urls["redis"], "queue_url": platform.urls["queue"]}
        with run_platform(PlatformConfig(ports=ports, elsewhere=other_urls, **shared)) as deployment:
            assert set(deployment.hosts) == {name} - {"fcm"}
            assert name not in platform.hosts
            pushes = push_cases(platform, V1[::4])
            platform.drain()
            results = platform.push_results()
            assert not [case.id for case, push in pushes if results[push].response is None]
            observer = platform if name != "subscribers-errors" else deployment
            assert sum(map(len, observer.actions.values())) >= sum(c.outcome != "keep" for c, _ in pushes)


def status(result: PushResult) -> str:
    return str((result.subscriber or {})["status"])


def test_a_postponed_subscriber_becomes_active_when_due() -> None:
    with run_platform(PlatformConfig()) as platform:
        push = push_case(platform, load_catalogue()["v1-QUOTA_EXCEEDED"])
        platform.drain()
        assert status(platform.push_results([push])[push]) == "postponed"
        platform.clock_offset_s += 3600
        deadline = time.monotonic() + 10
        while status(platform.push_results([push])[push]) != "active" and time.monotonic() < deadline:
            platform.drain()
        assert status(platform.push_results([push])[push]) == "active"


@pytest.fixture
def used_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("name", ["events-proxy", "fcm"])
def test_a_port_in_use_is_named_and_nothing_is_half_started(name: str, used_port: int) -> None:
    threads = set(threading.enumerate())
    with pytest.raises(PlatformError) as caught, run_platform(PlatformConfig(ports={name: used_port})):
        pass
    assert str(caught.value).startswith(f"port-in-use: '{used_port}': {name} cannot be served there")
    assert "next: " in str(caught.value)
    assert not find_lasting_threads(threads)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"versions": {"go-sendr": "after"}},
            PlatformError,
            "unknown-service: 'go-sendr': allowed: go-sender, ",
        ),
        (
            {"versions": {"go-sender": "befor"}},
            PlatformError,
            "unknown-version: 'befor': allowed: before, after",
        ),
        ({"elsewhere": {"fcm": "ftp://x"}}, PlatformError, "bad-service-url: 'ftp://x'"),
        ({"elsewhere": {"fcm": "http://x:y"}}, PlatformError, "bad-service-url: 'http://x:y'"),
        ({"redis_url": "redis://127.0.0.1:9/0"}, RedisUnavailable, "unreachable-redis: "),
        ({"redis_url": "http://127.0.0.1"}, ContainerUsageError, "bad-redis-url: "),
        ({"sqs_endpoint": "http://127.0.0.1:9"}, QueueError, "queue-unreachable: "),
        ({"sqs_endpoint": "redis://127.0.0.1"}, QueueError, "bad-queue-url: "),
        ({"queue_url": "http://127.0.0.1:9/1/q"}, QueueError, "queue-unreachable: "),
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
def test_what_cannot_be_started_is_named(options: dict[str, Any], error: type[Exception], text: str) -> None:
    threads = set(threading.enumerate())
    with pytest.raises(error) as caught, run_platform(PlatformConfig(**options)):
        pass
    assert str(caught.value).startswith(text)
    assert "next: " in str(caught.value)
    assert not find_lasting_threads(threads)


def test_calls_to_a_service_without_a_url_raise_an_alert() -> None:
    alerts = []
    with run_platform(
        PlatformConfig(served=["events-proxy"], on_alert=lambda *alert: alerts.append(alert))
    ) as platform:
        answer = platform.call_service(
            ServiceCall("events-proxy", "POST", "/v1/reports", {"reports": [{"report_id": "x"}]})
        )
        assert isinstance(answer, CallAnswer)
        assert answer.status == 202
        with pytest.raises(Unfinished):
            platform.drain(0.5)
    assert ("events-proxy", "directory-events-api does not take 1 reports: refused") in alerts
