"""No connection leads to a denied host: by a proxy, or by a name that changes its address."""

import socket
from typing import Any

import pytest

from fixtures.core.urls import find_proxy
from fixtures.targets.client import connect_deployment
from fixtures.targets.config import Deployment, TargetError, resolve_deployments
from fixtures.targets.host_policy import HostDenyList
from fixtures.targets.peers import check_peer
from suites.selfcheck.http_double import serve_answers

pytestmark = pytest.mark.aside

TARGETS = """deny = ["proxy.prod.example"]
[environments.staging.services.subscribers-errors]
url = "https://staging.example"
"""
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_stands_for_this_machine(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_answers() as proxy, serve_answers() as double:
        monkeypatch.setenv(variable, proxy.url)
        client = connect_deployment(Deployment("subscribers-errors", double.url))
        client.send("GET", "/v1/subscribers")
        client.close()
    assert (len(double.requests), proxy.requests) == (1, [])


PROXIES = {
    "denied": ({"HTTPS_PROXY": "http://proxy.prod.example:3128"}, "denied-proxy: .*NO_PROXY=staging.example"),
    "denied in another spelling": ({"https_proxy": "PROXY.prod.example.:1"}, "(?s)denied-proxy.*next: "),
    "denied for all": (
        {"ALL_PROXY": "http://u:p@proxy.prod.example"},
        "denied-proxy: 'http://\\*\\*\\*@proxy",
    ),
    "no proxy that httpx knows": (
        {"HTTPS_PROXY": "socks5://proxy.example:1"},
        "bad-proxy: HTTPS_PROXY: allowed",
    ),
    "no URL": ({"HTTPS_PROXY": "http://[bad"}, "(?s)bad-proxy.*next: export HTTPS_PROXY"),
}


@pytest.mark.parametrize(("variables", "error"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_is_guarded_like_a_target(
    variables: dict[str, str], error: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "targets.toml"
    file.write_text(TARGETS, encoding="utf-8")
    with pytest.raises(TargetError, match=f"(?s){error}"):
        resolve_deployments([], str(file), None, ["staging"])
    monkeypatch.setenv("NO_PROXY", "staging.example")
    assert resolve_deployments([], str(file), None, ["staging"])


def test_a_proxy_needs_the_permission_of_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    option = "subscribers-errors=https://staging.example"
    with pytest.raises(TargetError, match=r"(?s)not-owned: 'http://proxy.*--i-own proxy.example"):
        resolve_deployments([option], None, None, ["staging.example"])
    assert resolve_deployments([option], None, None, ["staging.example", "proxy.example"])
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    assert resolve_deployments([option], None, None, ["staging.example"])
    assert find_proxy("https://staging.example") == "http://127.0.0.1:3128"
    assert find_proxy("https://[::ffff:127.0.0.1]:8443/") is None


def test_a_name_that_leads_elsewhere_after_the_check_gets_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo
    answers = iter(["192.0.2.1"])

    def change_address(host: str, *arguments: Any, **options: Any) -> Any:
        address = next(answers, "127.0.0.1") if host == "rebound.example" else host
        return look_up(address, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", change_address)
    with serve_answers() as production:
        url = production.url.replace("127.0.0.1", "rebound.example")
        deny = HostDenyList(("127.0.0.0/8",))
        client = connect_deployment(Deployment("subscribers-errors", url, environment="staging", deny=deny))
        with pytest.raises(TargetError, match=r"(?s)denied-target.*reached 127.0.0.1: .*127.0.0.0/8.*next: "):
            client.send("POST", "/v1/errors", b"{}")
        client.close()
    assert production.requests == []


def test_permission_for_this_machine_is_for_no_other() -> None:
    deployment = Deployment("subscribers-errors", "http://localhost:8000", environment="lab")
    for peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        check_peer(deployment, "localhost", peer)
    for peer in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"):
        with pytest.raises(TargetError, match=r"(?s)not-owned.*not this machine.*--i-own lab"):
            check_peer(deployment, "localhost", peer)
    check_peer(deployment, "staging.example", "192.0.2.1")
