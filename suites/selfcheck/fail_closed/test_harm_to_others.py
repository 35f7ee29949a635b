"""A deployment that harms others than the subscribers of a batch, or harms them later, is never a go."""

import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from suites.selfcheck.fail_closed.behaviours import JSON, NO_GO, UNDECIDED, always_wrong
from suites.selfcheck.fail_closed.fault_proxy import ProxiedRequest, ProxiedResponse, run_proxy
from suites.selfcheck.fail_closed.sandbox import (
    REACTOR,
    GateCall,
    GateFault,
    Scene,
    deploy,
    for_each_fault,
    run_gate,
)

ACTIVE = {"status": "active", "postponed_until": None}
SETTLE_S = 3  # how long after the last batch a run looks again


@dataclass
class Batches:
    """The age of the last batch, its subscribers, and those of all batches, by id."""

    delivered_at: float = -math.inf
    last: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.delivered_at


# From a row of an observation and the batches before it to the row that is shown.
ChangeRow = Callable[[dict[str, Any], Batches], dict[str, Any]]


def show_subscribers(change: ChangeRow) -> Callable[[ProxiedRequest], None]:
    """The service's own responses, but for changed subscribers in observations."""
    batches = Batches()

    def respond(request: ProxiedRequest) -> None:
        if request.is_batch:
            batches.last = {event["subscriber_id"] for event in json.loads(request.body)["errors"]}
            batches.named |= batches.last
        response = request.fetch()
        if request.is_batch:
            batches.delivered_at = time.monotonic()
        if request.is_observation:
            rows = [change(row, batches) for row in response.json["subscribers"]]
            response = ProxiedResponse(200, JSON, json.dumps({"subscribers": rows}).encode())
        request.respond(response)

    return respond


def unsubscribe_unnamed(row: dict[str, Any], batches: Batches) -> dict[str, Any]:
    return row if row["subscriber_id"] in batches.named else {**row, "status": "unsubscribed"}


def resubscribe_later(row: dict[str, Any], batches: Batches) -> dict[str, Any]:
    return {**row, **ACTIVE} if batches.age_s > 2 else row


def act_later(row: dict[str, Any], batches: Batches) -> dict[str, Any]:
    return {**row, **ACTIVE} if batches.age_s < 0.5 and row["subscriber_id"] in batches.last else row


def name_another(request: ProxiedRequest) -> None:
    """Let every result name another subscriber."""
    response = request.fetch()
    if request.is_batch:
        other = {"subscriber_id": "00000000-0000-4000-8000-000000000000"}
        results = [{**row, **other} for row in response.json["results"]]
        response = ProxiedResponse(200, JSON, json.dumps({"results": results}).encode())
    request.respond(response)


def fail_later() -> Callable[[ProxiedRequest], None]:
    """Answer 500 to observations when the last batch is some seconds old."""
    batches = Batches()

    def respond(request: ProxiedRequest) -> None:
        if request.is_observation and batches.age_s > 2:
            request.respond(ProxiedResponse(500, JSON, b"{}"))
            return
        request.respond(request.fetch())
        if request.is_batch:
            batches.delivered_at = time.monotonic()

    return respond


FAULTS = (
    always_wrong(
        "harms-bystanders",
        "unsubscribes all subscribers that no report has named",
        show_subscribers(unsubscribe_unnamed),
        NO_GO,
        "makes a bystander unsubscribed",
    ),
    always_wrong(
        "harms-later",
        "subscribes everybody again two seconds after its answer",
        show_subscribers(resubscribe_later),
        NO_GO,
        "since the last look",
        SETTLE_S,
    ),
    always_wrong(
        "names-another",
        "names another subscriber in its results",
        name_another,
        NO_GO,
        "names another subscriber",
    ),
    always_wrong(
        "fails-at-the-end",
        "cannot be observed when the run looks again",
        fail_later(),
        UNDECIDED,
        "unobservable-target: subscribers-errors",
        SETTLE_S,
    ),
)


@pytest.mark.process
@for_each_fault(FAULTS, by_day=())
def test_harm_to_others_is_never_go(
    fault: GateFault, scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, scene) == ""


@pytest.mark.nightly
@pytest.mark.process
def test_a_deployment_that_acts_half_a_second_after_its_answer_is_go(scene: Scene) -> None:
    with run_proxy(scene.service_urls[REACTOR], show_subscribers(act_later)) as url:
        result = run_gate(scene, GateCall(deploy(REACTOR, url, scene)), re.compile("GO"))
    assert result.exit_status == 0, result.text
