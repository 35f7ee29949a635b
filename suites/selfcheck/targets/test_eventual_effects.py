"""A target waits for late effects until a limit, and observes late wrong effects, too."""

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from fixtures.core import payloads
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.outcome import ProviderAnswer
from fixtures.core.payloads import BatchEntry, IdFactory
from fixtures.core.topology import PROVIDERS
from fixtures.scenarios.later_looks import observable_looks
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import prepare_target
from fixtures.targets.effect_times import (
    DEFAULT_LIMIT_S,
    SHORTEST_LIMIT_S,
    EffectTimes,
    entries_with_effects,
)
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.target import Observation, Target
from suites.selfcheck.http_double import serve_answers

DELAY_S = 0.4


@contextlib.contextmanager
def open_target(
    within: float | None, outcome: str, delay: float
) -> Iterator[tuple[Target, list[BatchEntry]]]:
    """A deployment that unsubscribes a subscriber some seconds after it gets an event, and the event."""
    case = next(case for case in load_catalogue().cases if case.outcome == outcome)
    sent = payloads.error_events(payloads.address_all([example_report(case)], IdFactory()))
    delivery_times: list[float] = []

    def react(request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        if request.command == "POST":
            delivery_times.append(time.monotonic())
            return 200, {}, b"{}"
        done = bool(delivery_times) and time.monotonic() - delivery_times[0] > delay
        rows = [
            {
                "subscriber_id": entry.payload["subscriber_id"],
                "status": "unsubscribed" if done else "active",
                "token": entry.payload["token"],
            }
            for entry in sent
        ]
        return 200, {}, json.dumps({"subscribers": rows}).encode()

    provider = PROVIDERS["subscribers-errors"]
    with serve_answers(react) as double:
        deployment = Deployment(provider.name, double.url, observe_within_s=within)
        target = prepare_target(deployment, RateLimiter(), provider)
        yield target, sent
        target.close()


@pytest.mark.parametrize(
    ("within", "outcome", "delay", "status", "seconds_at_least"),
    [
        pytest.param(0.0, "unsubscribe", DELAY_S, "active", 0.0, id="not waited for"),
        pytest.param(60.0, "unsubscribe", DELAY_S, "unsubscribed", DELAY_S, id="late"),
        pytest.param(None, "unsubscribe", DELAY_S, "unsubscribed", DELAY_S, id="late, with nothing stated"),
        pytest.param(1.0, "unsubscribe", 99.0, "active", 1.0, id="never"),
        pytest.param(0.8, "alert", DELAY_S, "unsubscribed", 0.8, id="wrong and late"),
    ],
)
def test_effects_have_their_time(
    within: float | None, outcome: str, delay: float, status: str, seconds_at_least: float
) -> None:
    with open_target(within, outcome, delay) as (target, sent):
        start = time.monotonic()
        states = target.deliver_and_observe(sent).subscribers
        seconds = time.monotonic() - start
    assert {row["status"] for row in states.values()} == {status}
    assert seconds >= seconds_at_least


def test_harm_that_comes_after_the_look_is_seen_at_the_end() -> None:
    with open_target(None, "alert", delay=1.5) as (target, sent):
        target.deliver_and_observe(sent)
        looks = observable_looks(target)
        target.wait_for_late_effects()
        now = target.subscribers(list(looks))
    assert [row["status"] for row in (*looks.values(), *now.values())] == ["active", "unsubscribed"]


def test_a_slow_look_is_no_slow_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_target(None, "unsubscribe", delay=0) as (target, sent):
        observe = target.observe

        def observe_slowly(entries: Iterable[BatchEntry], *, last: bool = True) -> Observation:
            time.sleep(0.1)
            return observe(entries, last=last)

        monkeypatch.setattr(target, "observe", observe_slowly)
        target.deliver_and_observe(sent)
    assert target.effect_times.slowest_s == 0


def test_a_batch_without_effects_is_not_waited_for() -> None:
    answer = ProviderAnswer(200, {"results": [{"action": "stale"}, {"action": "unsubscribe"}]}, "", "")
    with open_target(None, "unsubscribe", delay=0) as (_, sent):
        assert entries_with_effects([*sent, *sent], answer) == sent
        assert entries_with_effects(sent, answer) == sent


def test_without_a_stated_time_a_wait_in_vain_shortens_the_later_ones() -> None:
    times = EffectTimes(None)
    assert (times.limit_s, times.unexpected_effect_s) == (DEFAULT_LIMIT_S, 0)
    times.record_effect(1.0)
    times.record_effect(0.5)
    assert (times.limit_s, times.unexpected_effect_s) == (DEFAULT_LIMIT_S, 2)
    times.waited_in_vain = True
    assert (times.limit_s, times.settle_s) == (2, DEFAULT_LIMIT_S)
    assert EffectTimes(None, waited_in_vain=True).limit_s == SHORTEST_LIMIT_S
    stated = EffectTimes(9, waited_in_vain=True)
    assert (stated.limit_s, stated.unexpected_effect_s, stated.settle_s) == (9, 9, 9)
