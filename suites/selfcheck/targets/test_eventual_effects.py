"""A target waits for late effects until a limit, and observes late wrong effects, too."""

import json
import time
from http.server import BaseHTTPRequestHandler

import pytest

from fixtures.core import payloads
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import IdFactory
from fixtures.core.topology import PROVIDERS
from fixtures.targets.config import Deployment
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.target import prepare_target
from suites.selfcheck.http_double import serve_answers

pytestmark = pytest.mark.aside

DELAY_S = 0.4


@pytest.mark.parametrize(
    ("within", "outcomes", "delay", "status", "seconds_at_least"),
    [
        pytest.param(0.0, ("unsubscribe",), DELAY_S, "active", 0.0, id="not waited for"),
        pytest.param(60.0, ("unsubscribe",), DELAY_S, "unsubscribed", DELAY_S, id="late"),
        pytest.param(1.0, ("unsubscribe",), 99.0, "active", 1.0, id="never"),
        pytest.param(0.8, ("alert",), DELAY_S, "unsubscribed", 0.8, id="wrong and late"),
    ],
)
def test_effects_have_their_time(
    within: float, outcomes: tuple[str, ...], delay: float, status: str, seconds_at_least: float
) -> None:
    case = next(case for case in load_catalogue().cases if case.outcome in outcomes)
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
        start = time.monotonic()
        outcome = target.deliver_and_observe(sent)
        seconds = time.monotonic() - start
        target.close()
    assert {row["status"] for row in outcome.subscribers.values()} == {status}
    assert seconds >= seconds_at_least
