"""Nobody is asked who may not be: denied hosts by whatever spelling, not beyond the limits."""

from __future__ import annotations

import json
import sys
import time
import types
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.payloads import IdFactory
from fixtures.core.topology import PROVIDERS
from fixtures.targets import host_policy as guard
from fixtures.targets.client import TargetClient, Unreachable
from fixtures.targets.config import Deployment, Limits, TargetError, resolve_deployments
from fixtures.targets.host_policy import HostDenyList
from fixtures.targets.provisioning.provisioners import PROVIDER_STATES_PATH
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.reverse_proxy import reverse_proxy
from fixtures.targets.target import Target, Unobservable
from suites.selfcheck.http_double import serve_answers

pytestmark = pytest.mark.aside

PRODUCTION = HostDenyList(
    ("push.example.com", "*.prod.example", "10.1.2.3", "10.20.0.0/16", "2001:db8::/32", "localhost")
)

SPELLINGS = [
    "push.example.com",
    "PUSH.Example.COM",
    "push.example.com.",
    "push.example.com..",
    "push%2Eexample.com",
    "push。example.com",
    "a.prod.example",
    "a.b.prod.example.",
    "10.1.2.3",
    "167838211",
    "0xa010203",
    "10.66051",
    "012.1.2.3",
    "::ffff:10.1.2.3",
    "[::ffff:a01:203]",
    "10.20.255.1",
    "2001:db8::1",
    "127.0.0.1",
    "2130706433",
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_a_denied_host_is_refused_by_whatever_spelling(host: str) -> None:
    assert "deny list" in str(PRODUCTION.reason(host))


@pytest.mark.parametrize(
    "host", ["push.example.org", "prod.example", "notpush.example.com", "10.1.2.4", "::1f"]
)
def test_a_host_beside_a_denied_one_may_be_asked(host: str) -> None:
    assert PRODUCTION.reason(host) is None


def test_another_name_of_a_denied_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    address = guard.parse_address("192.0.2.7")
    assert address is not None
    known = {
        "alias.example": ((), ("push.example.com",)),
        "push.example.com": ((address,), ()),
        "ingress.example": ((address,), ("ingress.example",)),
    }
    monkeypatch.setattr(guard, "_resolved", lambda host: known.get(host, ((), ())))
    denied = HostDenyList(("push.example.com",))
    assert "deny list" in str(denied.reason("alias.example"))
    assert "192.0.2.7" in str(denied.reason("ingress.example"))
    shared = HostDenyList(("push.example.com",), shared_addresses=True)
    assert shared.reason("ingress.example") is None
    assert "deny list" in str(shared.reason("alias.example"))
    assert "deny list" in str(shared.reason("192.0.2.7")), "an address says nothing about which host is meant"


def test_what_is_not_here_needs_somebody_who_owns_it() -> None:
    with pytest.raises(TargetError, match=r"(?s)not-owned.*--i-own staging.example"):
        resolve_deployments(["subscribers-errors=https://staging.example/x"], None, None, [])
    for owned in (["staging.example"], ["other", "staging.example"]):
        assert resolve_deployments(["subscribers-errors=https://staging.example/x"], None, None, owned)
    for here in ("127.0.0.1:80", "localhost", "[::1]:8080", "127.9.9.9"):
        assert resolve_deployments([f"subscribers-errors=http://{here}"], None, None, [])


def test_a_stranger_is_never_sent() -> None:
    own, stranger = IdFactory().next()[2], str(uuid.uuid4())
    with serve_answers() as somebody:
        door = TargetClient(Deployment("subscribers-errors", somebody.url))
        door.send("POST", "/v1/errors", json.dumps({"errors": [{"subscriber_id": own}]}).encode())
        broken = f'{{"errors": [{{"subscriber_id" : "{stranger}"}}, {{'
        for body in (json.dumps({"errors": [{"subscriber_id": stranger}]}), broken):
            with pytest.raises(TargetError, match=f"not-our-subscriber: '{stranger}'"):
                door.send("POST", "/v1/errors", body.encode())
        door.close()
    assert [path for _, path, _, _ in somebody.requests] == ["/v1/errors"]


def test_nobody_follows_a_redirect() -> None:
    with serve_answers() as production, serve_answers(lambda *_: (307, {"Location": production.url}, b"")) as staging:
        door = TargetClient(Deployment("subscribers-errors", staging.url))
        with pytest.raises(Unreachable, match=f"redirects to {production.url}"):
            door.send("POST", "/v1/errors", b"{}")
        door.close()
    assert (len(staging.requests), production.requests) == (1, [])


def test_the_door_itself_denies() -> None:
    with serve_answers() as production:
        door = TargetClient(Deployment("subscribers-errors", production.url, deny=HostDenyList(("localhost",))))
        with pytest.raises(TargetError, match="denied-target"):
            door.send("GET", "/")
        door.close()
    assert production.requests == []


LIMITS: Mapping[str, tuple[dict[str, Any], int]] = {
    "requests": ({"requests": 3}, 3),
    "of the environment": ({"requests": 5}, 5),
}


@pytest.mark.parametrize(("limits", "allowed"), LIMITS.values(), ids=LIMITS)
def test_a_run_stops_at_its_limit(tmp_path: Path, limits: dict[str, Any], allowed: int) -> None:
    with serve_answers() as somebody:
        place = Deployment("subscribers-errors", somebody.url)
        both = [RateLimiter(tmp_path / "spent", {"environment": Limits(**limits)}) for _ in range(2)]
        doors = [TargetClient(place, budget) for budget in both]  # as two workers have them
        for number in range(allowed):
            doors[number % 2].send("GET", "/")
        for door in doors:
            with pytest.raises(TargetError, match=rf"limit-reached: 'environment': .*{allowed} requests"):
                door.send("GET", "/")
            door.close()
    assert len(somebody.requests) == allowed


def test_requests_wait_for_their_turn_and_a_run_for_its_end(tmp_path: Path) -> None:
    often = RateLimiter(tmp_path / "rate", {"a": Limits(requests_per_second=20)})
    began = time.monotonic()
    for _ in range(5):
        often.acquire()
    assert 0.2 <= time.monotonic() - began < 2
    short = RateLimiter(tmp_path / "time", {"a": Limits(seconds=0.05)})
    short.acquire()
    time.sleep(0.1)
    with pytest.raises(TargetError, match=r"limit-reached: 'a': .*0.05 s"):
        short.acquire()


def test_a_function_of_the_user_makes_states(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    module = types.ModuleType("my_states")
    module.change = lambda *asked: seen.append(asked)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "my_states", module)
    provider = PROVIDERS["subscribers-errors"]
    with serve_answers() as somebody:
        place = Deployment(provider.name, somebody.url, provisioning="python:my_states:change")
        target = Target(provider, "after", somebody.url, embedded=False, deployment=place)
        target.set_state("subscribers exist", {"subscribers": []})
        with reverse_proxy(target.client) as url:
            verifier = TargetClient(Deployment("verifier", url), embedded=True)
            state = {"state": "reachable", "params": None, "action": "teardown"}
            assert verifier.send("POST", PROVIDER_STATES_PATH, json.dumps(state).encode()).status == 200
            assert verifier.send("GET", "/v1/subscribers?id=a").content == b"{}"
            verifier.close()
        target.close()
        lost = Target(
            provider, "after", somebody.url, embedded=False, deployment=replace(place, states="python:no:a")
        )
        with pytest.raises(Unobservable, match="ModuleNotFoundError"):
            lost.set_state("reachable", {})
        lost.close()
    assert seen == [("subscribers exist", {"subscribers": []}, "setup"), ("reachable", {}, "teardown")]
    assert [path for _, path, _, _ in somebody.requests] == ["/v1/subscribers?id=a"]


def test_who_asks_through_the_gateway_hears_nothing_of_what_may_not_be(tmp_path: Path) -> None:
    with serve_answers() as somebody:
        spent = RateLimiter(tmp_path / "spent", {"a": Limits(requests=1)})
        door = TargetClient(Deployment("subscribers-errors", somebody.url), spent)
        with reverse_proxy(door) as url:
            verifier = TargetClient(Deployment("verifier", url), embedded=True)
            assert verifier.send("GET", "/").status == 200
            with pytest.raises(Unreachable):
                verifier.send("GET", "/")
            verifier.close()
        door.close()
    assert len(somebody.requests) == 1
