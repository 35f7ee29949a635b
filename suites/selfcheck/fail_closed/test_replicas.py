"""A deployment whose instances differ, or whose version is not the one that was tested, is never a go."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from suites.selfcheck.fail_closed.balancer import run_balancer
from suites.selfcheck.fail_closed.behaviours import JSON, NO_GO, UNDECIDED, always_wrong, forward
from suites.selfcheck.fail_closed.fault_proxy import Behaviour, ProxiedRequest, ProxiedResponse, run_proxy
from suites.selfcheck.fail_closed.sandbox import (
    REACTOR,
    GateCall,
    GateFault,
    Scene,
    deploy,
    for_each_fault,
    select_tests,
)

INSTANCES = 20
EVERY_INSTANCE = "suites/compat/test_every_instance.py::test_every_instance_handles_every_case"
OLD_VERSION = b'{"version": "1.65.14.1"}'


def one_of_twenty(name: str, what: str, behaviour: Behaviour, verdict: str, reason: str) -> GateFault:
    """Twenty instances behind a balancer, one of them with this behaviour."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        select_tests(scene.project, f"test_every_instance and {REACTOR}", [f"{EVERY_INSTANCE}[{REACTOR}]"], 1)
        right_url = scene.service_urls[REACTOR]
        with (
            run_proxy(right_url, behaviour, protocol="HTTP/1.1") as wrong_url,
            run_balancer([*[right_url] * (INSTANCES - 1), wrong_url]) as url,
        ):
            yield GateCall(deploy(REACTOR, url, scene, timeout_s=10))

    return GateFault(name, f"one of its twenty instances {what}", verdict, reason, put_in_place)


def read_404_as_gone(request: ProxiedRequest) -> None:
    """Handle every report of a 404 like one of an unregistered token."""
    if not request.is_batch:
        forward(request)
        return
    batch: dict[str, list[Any]] = json.loads(request.body)
    for event in batch["errors"]:
        if event.get("http_status") == 404:
            event.pop("protocol", None)
            event.update(http_status=200, response={"error": "NotRegistered"})
    request.respond(request.fetch(json.dumps(batch).encode()))


def tell_version(status: int, body: bytes, *, after: int = 0) -> Behaviour:
    """Another answer to the question for the version than the service's own, after some connections."""

    def respond(request: ProxiedRequest) -> None:
        response = request.fetch()
        if request.path == "/_pact/version" and request.number > after:
            response = ProxiedResponse(status, JSON, body)
        request.respond(replace(response, content_type=JSON))

    return respond


BALANCED = (
    one_of_twenty(
        "replica-unsubscribes",
        "unsubscribes at every 404",
        read_404_as_gone,
        NO_GO,
        "leaves the subscriber unsubscribed after .*404.* over 2 of 40 connections: its instances differ",
    ),
    one_of_twenty(
        "replica-version",
        "is of another version",
        tell_version(200, OLD_VERSION),
        UNDECIDED,
        f"wrong-version: {REACTOR} .* tells version 1.65.14.1",
    ),
)
ALONE = (
    always_wrong(
        "version-changes",
        "is of another version after five connections",
        tell_version(200, b'{"version": "2.0"}', after=5),
        UNDECIDED,
        f"wrong-version: {REACTOR} .* tells version 2.0",
    ),
    always_wrong(
        "version-vanishes",
        "tells no version after five connections",
        tell_version(404, b"{}", after=5),
        UNDECIDED,
        f"wrong-version: {REACTOR} .* tells version unstated",
    ),
    always_wrong(
        "version-before",
        "is of the version before the release",
        tell_version(200, OLD_VERSION),
        UNDECIDED,
        "the one before the release",
    ),
)
FAULTS = (*BALANCED, *ALONE)


@pytest.mark.process
@for_each_fault(FAULTS, by_day={"version-before"})
def test_a_mix_of_instances_is_never_go(
    fault: GateFault, own_scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, own_scene) == ""
