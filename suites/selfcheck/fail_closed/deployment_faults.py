"""Rows of the tables of broken deployments: a deployment behind a proxy that misbehaves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from suites.selfcheck.fail_closed.behaviours import (
    JSON,
    LOGIN,
    always,
    gzip_bomb,
    on_batches,
    on_observations,
)
from suites.selfcheck.fail_closed.fault_proxy import Behaviour, run_proxy
from suites.selfcheck.fail_closed.sandbox import REACTOR, GateCall, GateFault, Scene, deploy

UNDECIDED, NO_GO = "undecided", "no-go"
LOGIN_PAGE = always(LOGIN.status, LOGIN.content_type, LOGIN.body)
NOT_FOUND, FAILED = always(404, JSON, b"{}"), always(500, JSON, b"{}")
CREATE = Callable[[], Behaviour]


def create_fault(  # noqa: PLR0913, PLR0917  a row of the table below
    name: str,
    what: str,
    create: CREATE,
    verdict: str,
    reason: str,
    waits_s: float = 0,
    service: str = REACTOR,
) -> GateFault:
    """A deployment with a behaviour, which is created anew for each run because some have a memory."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        with run_proxy(scene.service_urls[service], create()) as url:
            yield GateCall(deploy(service, url, scene))

    return GateFault(name, f"it {what}", verdict, reason, put_in_place, waits_s)


def always_wrong(
    name: str, what: str, behaviour: Behaviour, verdict: str, reason: str, waits_s: float = 0
) -> GateFault:
    return create_fault(name, what, lambda: behaviour, verdict, reason, waits_s)


def wrong_at_batches(
    name: str, what: str, behaviour: Behaviour, verdict: str, reason: str, waits_s: float = 0
) -> GateFault:
    return create_fault(f"batches-{name}", what, lambda: on_batches(behaviour), verdict, reason, waits_s)


def wrong_at_observations(
    name: str, what: str, behaviour: Behaviour, verdict: str, reason: str, waits_s: float = 0
) -> GateFault:
    return create_fault(f"looks-{name}", what, lambda: on_observations(behaviour), verdict, reason, waits_s)


def bomb(times: int) -> CREATE:
    return lambda: gzip_bomb(times)  # packing a gigabyte takes seconds, so only for a test that runs
