"""A late effect is waited for, one that never comes is known by its deadline, and a wrong one is seen."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler

import pytest

from fixtures.core import payloads
from fixtures.core.catalogue import example_report, load
from fixtures.core.payloads import Identities
from fixtures.core.topology import PROVIDERS
from fixtures.targets.config import Deployment
from fixtures.targets.target import Target
from suites.selfcheck.http_double import answering

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
    sent = payloads.events(
        payloads.reports(
            [example_report(case) for case in load().cases if case.outcome in outcomes][:1], Identities()
        )
    )
    posted: list[float] = []

    def react(request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        if request.command == "POST":
            posted.append(time.monotonic())
            return 200, {}, b"{}"
        done = bool(posted) and time.monotonic() - posted[0] > delay
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
    with answering(react) as somebody:
        place = Deployment(provider.name, somebody.url, observe_within_s=within)
        target = Target(provider, "after", somebody.url, embedded=False, deployment=place)
        began = time.monotonic()
        outcome = target.deliver_and_observe(sent)
        took = time.monotonic() - began
        target.close()
    assert {row["status"] for row in outcome.subscribers.values()} == {status}
    assert took >= seconds_at_least
