"""The emulator as a process: real HTTP, HTTPS and HTTP/2, broken connections, wrong usage."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.project import ROOT
from fixtures.generation.recordings import legacy_entries
from fixtures.platform.fcm.asgi import JSON
from fixtures.targets.embedded import start_process
from suites.types import RunCommand

pytestmark = pytest.mark.process

SEND = "/v1/projects/demo/messages:send"
BEARER = {"Authorization": "Bearer any"}
KEY = {"Authorization": "key=any", "Content-Type": "application/json"}
FCM = "fcm.googleapis.com"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The URLs of an emulator process."""
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    with start_process("fixtures.platform.fcm.server", "--ca", str(ca)) as [urls]:
        yield urls


@contextlib.contextmanager
def connect(url: str) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def post_message(connection: HTTPConnection, token: str, protocol: str = "fcm_v1") -> HTTPResponse:
    if protocol == "legacy":
        connection.request("POST", "/fcm/send", json.dumps({"to": token}), KEY)
    else:
        connection.request("POST", SEND, json.dumps({"message": {"token": token}}), BEARER)
    return connection.getresponse()


def test_every_case_over_http_is_decided_as_that_case(emulator: dict[str, Any]) -> None:
    wrong_decisions = {}
    with connect(emulator["url"]) as connection:
        for case in load_catalogue().cases:
            response = post_message(connection, f"case/{case.id}/x", case.protocol)
            text = response.read().decode()
            body = json.loads(text) if response.headers["content-type"] == JSON else text
            answer = body if case.protocol == "fcm_v1" else legacy_entries(body)[0]
            report = {
                **({"protocol": "fcm_v1"} if case.protocol == "fcm_v1" else {}),
                "http_status": response.status,
                "retry_after": response.headers["retry-after"],
                "response": answer,
            }
            decided = load_catalogue().decide(report)
            if decided is not case:
                wrong_decisions[case.id] = decided.id if decided else None
    assert not wrong_decisions


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ("drop-before-headers", RemoteDisconnected),
        ("reset", ConnectionResetError),
        ("drop-after-headers", IncompleteRead),
        ("truncate", IncompleteRead),
    ],
)
def test_a_connection_fails_on_demand(emulator: dict[str, Any], fault: str, failure: type[Exception]) -> None:
    with connect(emulator["url"]) as connection, pytest.raises((HTTPException, ConnectionError)) as caught:
        post_message(connection, f"case/v1-UNREGISTERED;fault={fault}/x").read()
    assert caught.type is failure
    if isinstance(caught.value, IncompleteRead):
        assert bool(caught.value.partial) == (fault == "truncate")


def test_an_answer_is_late_on_demand_and_others_do_not_wait(emulator: dict[str, Any]) -> None:
    with connect(emulator["url"]) as slow, connect(emulator["url"]) as quick:
        started = time.monotonic()
        body = json.dumps({"message": {"token": "case/v1-delivered;delay=0.6/x"}})
        slow.request("POST", SEND, body, BEARER)
        assert post_message(quick, "x").status == 200
        assert time.monotonic() - started < 0.5
        assert slow.getresponse().status == 200
        assert time.monotonic() - started >= 0.6


def test_a_broken_connection_does_not_affect_other_clients(emulator: dict[str, Any]) -> None:
    for fault in ("reset", "truncate"):
        with connect(emulator["url"]) as broken, contextlib.suppress(HTTPException, ConnectionError):
            post_message(broken, f"case/v1-delivered;fault={fault}/x").read()
    with connect(emulator["url"]) as connection:
        assert post_message(connection, "x").status == 200


# --- HTTPS


def open_tunnel(urls: dict[str, Any], target: str) -> tuple[socket.socket, bytes]:
    """A connection through the proxy, and the first answer of the proxy."""
    host, port = urlsplit(urls["proxy"]).netloc.split(":")
    sock = socket.create_connection((host, int(port)), timeout=10)
    sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    return sock, sock.recv(4096)


def start_tls(urls: dict[str, Any], sock: socket.socket, *protocols: str) -> ssl.SSLSocket:
    """Start TLS as a client that trusts the throwaway CA."""
    context = ssl.create_default_context(cafile=urls["ca"])
    context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(sock, server_hostname=FCM)


def test_the_proxy_leads_googles_name_to_the_emulator(emulator: dict[str, Any]) -> None:
    sock, answer = open_tunnel(emulator, f"{FCM}:443")
    assert answer.startswith(b"HTTP/1.1 200 ")
    with start_tls(emulator, sock, "http/1.1") as tls:
        connection = HTTPConnection(FCM)
        connection.sock = tls
        assert post_message(connection, "case/v1-UNREGISTERED/x").status == 404
        connection.close()


@pytest.mark.parametrize("target", ["example.org:443", f"{FCM}:80", "nonsense"])
def test_the_proxy_leads_nowhere_else(emulator: dict[str, Any], target: str) -> None:
    sock, answer = open_tunnel(emulator, target)
    sock.close()
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"not-imitated" in answer


# --- the command


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("fcm", "--port", "x"), "'x' is no port; allowed: 0 to 65535"),
        (("fcm", "--token-lifetime", "0"), "'0' is no such number"),
        (("fcm", "--recorded", "no-such-file"), "unreadable-file"),
        (("fcm", "--script", "no-such-file"), "unreadable-file"),
        (("fcm", "--script", "pyproject.toml"), "bad-script"),
        (("fcm", "--max-streams", "0"), "'0' is no such number"),
        (("fcm", "--host", "192.0.2.1"), "wrong-address"),
        (("fcm", "--ca", "/proc/none/ca.pem"), "unwritable-file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_exits_64_and_serves_nothing(
    run_command: RunCommand, arguments: tuple[str, ...], text: str
) -> None:
    done = run_command("serve", *arguments)
    assert (done.returncode, done.stdout) == (64, "")
    assert text in done.stderr
    assert "next:" in done.stderr


def test_a_port_in_use_is_named(run_command: RunCommand) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = str(sock.getsockname()[1])
        done = run_command("serve", "fcm", "--port", port)
    assert done.returncode == 64
    assert f"port-in-use: '{port}'" in done.stderr
    assert "--port 0" in done.stderr


def test_a_broken_recording_is_named(run_command: RunCommand, tmp_path: Path) -> None:
    file = tmp_path / "answers.ndjson"
    file.write_text('{"http_status": 200, "body": {"name": "a"}}\nbroken\n', encoding="utf-8")
    done = run_command("serve", "fcm", "--recorded", str(file))
    assert done.returncode == 64
    assert "not-json: 'answers.ndjson, line 2'" in done.stderr


def test_the_cases_are_listed(run_command: RunCommand) -> None:
    done = run_command("serve", "fcm", "--cases")
    assert done.returncode == 0
    assert "case/v1-UNREGISTERED/1" in done.stdout
    assert "fault=reset" in done.stdout


def test_the_command_prints_where_it_is_and_each_message_and_stops_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ci.commands", "serve", "fcm", "--ca", str(tmp_path / "ca.pem")]
    with subprocess.Popen(  # noqa: S603  our own module
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = list(iter(process.stdout.readline, "Ctrl-C stops it.\n"))
        url = lines[0].split()[-1]
        with connect(url) as connection:
            post_message(connection, "case/v1-UNREGISTERED/x").read()
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert any("HTTPS_PROXY=http://127.0.0.1:" in line for line in lines)
    assert out.splitlines()[-1] == "#1 fcm_v1 404 case/v1-UNREGISTERED/x -> v1-UNREGISTERED"
