"""No request goes to a denied host, in any spelling, nor beyond the limits of a deployment."""

import json
import socket
import sys
import threading
import time
import types
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.hosts import parse_address
from fixtures.core.payloads import IdFactory
from fixtures.core.topology import PROVIDERS
from fixtures.targets import host_policy
from fixtures.targets.client import Unreachable
from fixtures.targets.config import Deployment, Limits, TargetError
from fixtures.targets.deployed import connect_deployment, prepare_target
from fixtures.targets.embedded import embedded_client
from fixtures.targets.host_policy import HostDenyList, ResolvedHost
from fixtures.targets.provisioning.provisioners import PROVIDER_STATES_PATH
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.reverse_proxy import reverse_proxy
from fixtures.targets.selection import resolve_deployments
from fixtures.targets.target import Unobservable
from suites.selfcheck.http_double import serve_answers


def test_another_name_of_a_denied_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    address = parse_address("192.0.2.7")
    assert address is not None
    hosts = {
        "alias.example": ResolvedHost((), ("push.example.com",)),
        "push.example.com": ResolvedHost((address,), ()),
        "ingress.example": ResolvedHost((address,), ("ingress.example",)),
    }
    monkeypatch.setattr(
        host_policy, "resolve_hosts", lambda names: tuple(hosts.get(name, ResolvedHost()) for name in names)
    )
    deny = HostDenyList(("push.example.com",))
    assert "deny list" in str(deny.denial_reason("alias.example"))
    assert "192.0.2.7" in str(deny.denial_reason("ingress.example"))
    shared = HostDenyList(("push.example.com",), shared_addresses=True)
    assert shared.denial_reason("ingress.example") is None
    assert "deny list" in str(shared.denial_reason("alias.example"))
    assert "deny list" in str(shared.denial_reason("192.0.2.7")), "an address may stand for any of its hosts"


def test_a_name_server_that_does_not_answer_keeps_no_refusal_back(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait())
    monkeypatch.setattr(host_policy, "LOOKUP_TIMEOUT_S", 0.05)
    deny = HostDenyList(("push.unanswered.example", "10.0.0.0/8"))
    try:
        assert deny.denial_reason("PUSH.unanswered.example.")
        assert deny.denial_reason("10.1.2.3")
        assert deny.denial_reason("other.unanswered.example") is None
        option = "subscribers-errors=https://unanswered.example"
        with pytest.raises(TargetError, match=r"(?s)not-owned.*--i-own unanswered.example"):
            resolve_deployments([option], None, None, [])
    finally:
        released.set()


def test_a_remote_host_needs_the_permission_of_its_owner() -> None:
    option = "subscribers-errors=https://staging.example/x"
    with pytest.raises(TargetError, match=r"(?s)not-owned.*--i-own staging.example"):
        resolve_deployments([option], None, None, [])
    for may_test in (["staging.example"], ["other", "staging.example"]):
        assert resolve_deployments([option], None, None, may_test)
    for host in ("127.0.0.1:80", "localhost", "[::1]:8080", "127.9.9.9"):
        assert resolve_deployments([f"subscribers-errors=http://{host}"], None, None, [])


def test_a_foreign_subscriber_is_never_sent() -> None:
    own_id, foreign_id = IdFactory().next()[2], str(uuid.uuid4())
    with serve_answers() as double:
        client = connect_deployment(Deployment("subscribers-errors", double.url))
        client.send("POST", "/v1/errors", json.dumps({"errors": [{"subscriber_id": own_id}]}).encode())
        broken = f'{{"errors": [{{"subscriber_id" : "{foreign_id}"}}, {{'
        for body in (json.dumps({"errors": [{"subscriber_id": foreign_id}]}), broken):
            with pytest.raises(TargetError, match=r"not-our-subscriber: '\(redacted\)'"):
                client.send("POST", "/v1/errors", body.encode())
        client.close()
    assert [path for _, path, _, _ in double.requests] == ["/v1/errors"]


def test_redirects_are_not_followed() -> None:
    with (
        serve_answers() as production,
        serve_answers(lambda *_: (307, {"Location": production.url}, b"")) as staging,
    ):
        client = connect_deployment(Deployment("subscribers-errors", staging.url))
        with pytest.raises(Unreachable, match=f"redirects to {production.url}"):
            client.send("POST", "/v1/errors", b"{}")
        client.close()
    assert (len(staging.requests), production.requests) == (1, [])


def test_the_client_itself_denies() -> None:
    with serve_answers() as production:
        deny = HostDenyList(("localhost",))
        client = connect_deployment(Deployment("subscribers-errors", production.url, deny=deny))
        with pytest.raises(TargetError, match="denied-target"):
            client.send("GET", "/")
        client.close()
    assert production.requests == []


LIMITS: Mapping[str, tuple[dict[str, Any], int]] = {
    "requests": ({"requests": 3}, 3),
    "of the environment": ({"requests": 5}, 5),
}


@pytest.mark.parametrize(("limits", "allowed"), LIMITS.values(), ids=LIMITS)
def test_a_run_stops_at_its_limit(tmp_path: Path, limits: dict[str, Any], allowed: int) -> None:
    with serve_answers() as double:
        deployment = Deployment("subscribers-errors", double.url)
        limiters = [RateLimiter(tmp_path / "spent", {"environment": Limits(**limits)}) for _ in range(2)]
        clients = [connect_deployment(deployment, limiter) for limiter in limiters]  # like two workers
        for number in range(allowed):
            clients[number % 2].send("GET", "/")
        for client in clients:
            with pytest.raises(TargetError, match=rf"limit-reached: 'environment': .*{allowed} requests"):
                client.send("GET", "/")
            client.close()
    assert len(double.requests) == allowed


def test_requests_wait_for_their_turn_and_a_run_for_its_end(tmp_path: Path) -> None:
    per_second = RateLimiter(tmp_path / "rate", {"a": Limits(requests_per_second=20)})
    start = time.monotonic()
    for _ in range(5):
        per_second.acquire()
    assert 0.2 <= time.monotonic() - start < 2
    in_all = RateLimiter(tmp_path / "time", {"a": Limits(seconds=0.05)})
    in_all.acquire()
    time.sleep(0.1)
    with pytest.raises(TargetError, match=r"limit-reached: 'a': .*0.05 s"):
        in_all.acquire()


def test_a_function_of_the_user_makes_states(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    module = types.ModuleType("my_states")
    module.change = lambda *arguments: calls.append(arguments)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "my_states", module)
    provider = PROVIDERS["subscribers-errors"]
    with serve_answers() as double:
        deployment = Deployment(provider.name, double.url, provisioning="python:my_states:change")
        target = prepare_target(deployment, RateLimiter(), provider)
        target.set_state("subscribers exist", {"subscribers": []})
        with reverse_proxy(target.client) as url:
            verifier = embedded_client("verifier", url)
            state = {"state": "reachable", "params": None, "action": "teardown"}
            assert verifier.send("POST", PROVIDER_STATES_PATH, json.dumps(state).encode()).status == 200
            assert verifier.send("GET", "/v1/subscribers?id=a").content == b"{}"
            verifier.close()
        target.close()
        broken = prepare_target(replace(deployment, provisioning="python:no:a"), RateLimiter(), provider)
        with pytest.raises(Unobservable, match="ModuleNotFoundError"):
            broken.set_state("reachable", {})
        broken.close()
    assert calls == [("subscribers exist", {"subscribers": []}, "setup"), ("reachable", {}, "teardown")]
    assert [path for _, path, _, _ in double.requests] == ["/v1/subscribers?id=a"]


def test_a_forbidden_request_through_the_reverse_proxy_gets_no_answer(tmp_path: Path) -> None:
    failures: list[Exception] = []
    with serve_answers() as double:
        limiter = RateLimiter(tmp_path / "spent", {"a": Limits(requests=1)})
        client = connect_deployment(Deployment("subscribers-errors", double.url), limiter)
        with reverse_proxy(client, failures=failures) as url:
            verifier = embedded_client("verifier", url)
            assert verifier.send("GET", "/").status == 200
            with pytest.raises(Unreachable):
                verifier.send("GET", "/")
            verifier.close()
        client.close()
    assert len(double.requests) == 1
    assert [type(failure) for failure in failures] == [TargetError]
