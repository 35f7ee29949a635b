"""No connection leads to a denied host: by a proxy, or by a name that changes its address."""

import json
import socket
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from ci.commands.doctor import count_messages
from fixtures.core.errors import UserError
from fixtures.core.hosts import find_proxy
from fixtures.core.redis_client import open_redis
from fixtures.platform import sqs
from fixtures.targets.config import Deployment, TargetError
from fixtures.targets.deployed import connect_deployment
from fixtures.targets.host_policy import HostDenyList
from fixtures.targets.peers import check_peers
from fixtures.targets.provisioning import sql
from fixtures.targets.selection import resolve_deployments
from suites.selfcheck.http_double import serve_answers

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
        check_peers(deployment, "URL", ["localhost"], [peer])
    for peer in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"):
        with pytest.raises(TargetError, match=r"(?s)not-owned: 'URL'.*not this machine.*--i-own lab"):
            check_peers(deployment, "URL", ["localhost"], [peer])
    check_peers(deployment, "URL", ["staging.example"], ["192.0.2.1"])
    check_peers(replace(deployment, owned=True), "URL", ["localhost"], ["192.0.2.1"])


def test_no_statement_runs_where_a_connection_must_not_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver hides its socket, so this one stands for all: it connects to a server, and runs SQLite."""
    with serve_answers() as server, socket.socket() as connection:
        address = urlsplit(server.url)

        def connect(_dialect: Any, *_: Any, **__: Any) -> sqlite3.Connection:
            connection.connect((address.hostname, address.port))
            return sqlite3.connect(":memory:")

        refused: list[Sequence[str]] = []

        def refuse(peers: Sequence[str]) -> None:
            refused.append(peers)
            raise TargetError(
                "denied-target", "'DATABASE'", f"the connection reached {peers}", "name another"
            )

        engine = sql.create_engine("DATABASE", "sqlite://", refuse, HostDenyList())
        monkeypatch.setattr(type(engine.dialect), "connect", connect)
        with pytest.raises(TargetError, match="denied-target"):
            sql.run_statements(engine, ["SELECT 1"], [])
        engine.dispose()
    assert [set(peers) for peers in refused] == [{"127.0.0.1"}]


def test_a_queue_is_guarded_like_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def look_up_here(_host: str, *arguments: Any, **options: Any) -> Any:
        return look_up("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
    counts = dict.fromkeys(sqs.COUNTS, "2")
    body = json.dumps({"Attributes": counts}).encode()
    with serve_answers() as proxy, serve_answers(lambda *_: (200, {}, body)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "embedded")
        queue = Deployment("directory-events-api", f"{server.url}/0/errors", environment="lab")
        assert count_messages(queue, lambda: None) == 6
        assert (len(server.requests), proxy.requests) == (2, [])
        monkeypatch.setenv("NO_PROXY", "queue.example")
        url = queue.url.replace("127.0.0.1", "queue.example")
        monkeypatch.setattr(HostDenyList, "denial_reason", lambda *_: None)  # as if its address changed later
        denied = replace(queue, url=url, deny=HostDenyList(("127.0.0.0/8",)))
        with pytest.raises(TargetError, match=r"denied-target.*reached 127.0.0.1"):
            count_messages(denied, lambda: None)
    assert (len(server.requests), proxy.requests) == (2, [])


def test_redis_on_this_machine_is_no_other_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_answers() as server:
        url = f"redis://:p4ssword@{urlsplit(server.url).netloc}/0"
        client = open_redis(url, timeout_s=1, connect_timeout_s=1)
        monkeypatch.setattr(redis.Connection, "get_resolved_ip", lambda _: "192.0.2.1")
        with pytest.raises(UserError, match=r"(?s)not-this-machine.*192.0.2.1.*next: ") as caught:
            client.ping()
        client.close()
    assert "p4ssword" not in str(caught.value)
    assert server.requests == []
