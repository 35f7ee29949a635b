"""./ci/serve as a user runs it: it prints all addresses, shows the traffic, and leaves no files."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixtures.core.project import ROOT
from fixtures.core.topology import FLOW
from suites.selfcheck.platform.pushes import free_ports
from suites.types import RunCommand

pytestmark = pytest.mark.process

SERVE = (sys.executable, "-m", "ci.commands", "serve")
READY = "A line for each report follows; Ctrl-C stops.\n"
LIMIT_S = 30
CLOSED_URL = "http://127.0.0.1:9"


@contextlib.contextmanager
def serving(
    tmp_path: Path, *options: str, ready: str = READY
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the command, with the lines that it printed until it was ready."""
    with subprocess.Popen(  # noqa: S603  our own module
        [*SERVE, *options],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline()]
            while lines[-1] and ready not in lines[-1]:
                lines.append(process.stdout.readline())
            yield process, lines
        finally:
            process.kill()


def stop(process: subprocess.Popen[str], signal_number: int) -> str:
    """Stop the command without an error, and return what it still printed."""
    process.send_signal(signal_number)
    out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (0, "")
    return out


def read_urls(lines: list[str]) -> dict[str, str]:
    """Read the addresses in the printed table."""
    rows = [line.split() for line in lines[1 : lines.index("\n")]]
    return {row[0]: row[-1] for row in rows}


def run_pasted(line: str) -> Any:
    """Run a printed command in a shell, and parse the JSON answer."""
    result = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, timeout=LIMIT_S)  # noqa: S603, S607
    return json.loads(result.stdout)


def post(url: str, body: Mapping[str, Any]) -> int:
    """Post a body, and return the status."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=LIMIT_S)
    connection.request("POST", urlsplit(url).path, json.dumps(body))
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    ("version", "case", "code"),
    [("after", "v1-UNREGISTERED", "UNREGISTERED"), ("before", "legacy-NotRegistered", "NotRegistered")],
    ids=["after", "before"],
)
def test_what_it_prints_can_be_pasted_and_the_report_is_shown(
    version: str, case: str, code: str, tmp_path: Path
) -> None:
    with serving(tmp_path, "--version", version) as (process, lines):
        assert process.stdout is not None
        assert [row.split()[:2] for row in lines[1:9]] == [[name, version] for name in FLOW]
        subscribe, push, look = (line for line in lines if line.startswith("  curl"))
        assert run_pasted(subscribe) == {}
        assert run_pasted(push)["accepted"] == 1
        line = process.stdout.readline()
        (subscriber,) = run_pasted(look)["subscribers"]
        assert f"  {case} {code}  subscriber {subscriber['subscriber_id']}  " in line
        assert line.endswith("-> unsubscribed\n")
        assert subscriber["token"] not in line
        assert subscriber["status"] == "unsubscribed"
        assert stop(process, signal.SIGINT) == ""
    assert list(tmp_path.iterdir()) == []
    for url in read_urls(lines).values():
        parts = urlsplit(url)
        if parts.port:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", parts.port), LIMIT_S)
        else:
            assert not Path(parts.path).exists()


def test_a_service_that_gets_it_wrong_is_seen_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, "all", "--version", "after", "--version", "events-proxy=before") as (
        process,
        lines,
    ):
        assert process.stdout is not None
        assert [row.split()[1] for row in lines[1:9]] == ["after", "after", "before", *["after"] * 5]
        for line in (line for line in lines if line.startswith("  curl")):
            run_pasted(line)
        line = process.stdout.readline()
        assert "subscriber left alone; an operator must look" in line
        stop(process, signal.SIGTERM)


def test_named_services_alone_tell_what_they_miss(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    options = ("--port", f"events-proxy={port}", "--to", f"directory-events-api={CLOSED_URL}")
    with serving(tmp_path, "events-proxy", *options, "--json", ready='"directory-events-api"') as (
        process,
        lines,
    ):
        assert process.stdout is not None
        proxy, api = map(json.loads, lines)
        assert (proxy["version"], proxy["url"]) == ("after", f"http://127.0.0.1:{port}")
        assert (api["version"], api["url"]) == ("elsewhere", CLOSED_URL)
        assert post(f"{proxy['url']}/v1/reports", {"reports": [{"token": 1}, 2]}) == 202
        alert = json.loads(process.stdout.readline())
        assert alert == {
            "told": "directory-events-api does not take 2 reports: refused",
            "by": "events-proxy",
        }
        assert stop(process, signal.SIGTERM) == ""


def test_a_report_is_shown_where_it_is_seen_last(tmp_path: Path) -> None:
    with serving(tmp_path, "events-proxy") as (process, lines):
        assert process.stdout is not None
        report = {"report_id": "r\x1b[2J", "subscriber_id": "s", "token": "secret-token-of-a-device"}
        assert post(f"{read_urls(lines)['events-proxy']}/v1/reports", {"reports": [report]}) == 202
        traffic = [process.stdout.readline() for _ in range(2)]
        assert any(line.endswith("token secret...ice  -> taken by events-proxy\n") for line in traffic)
        assert any("! events-proxy: directory-events-api does not take" in line for line in traffic)
        stop(process, signal.SIGTERM)


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder = tmp_path / "tmp"
    folder.mkdir()
    script = f'"$@" > {out} & read -r _'
    with subprocess.Popen(  # noqa: S603  our own module
        ["/bin/sh", "-c", script, "sh", *SERVE, "directory-responses"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        # These tests may run under nohup, where ./ci/serve outlives its parent.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509  before any thread
    ) as parent:
        deadline = time.monotonic() + LIMIT_S
        while READY not in (out.read_text() if out.exists() else "") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(folder.iterdir())
        assert parent.stdin is not None
        parent.stdin.close()
        parent.wait(LIMIT_S)
    while list(folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("fmc",), 64, "unknown-service: 'fmc': allowed: fcm, "),
        (("--version", "new"), 64, "unknown-version: 'new': allowed: "),
        (("--version", "go-sendr=after"), 64, "unknown-service: 'go-sendr': allowed: go-sender, "),
        (
            ("--to", "fcm=ftp://localhost"),
            64,
            "bad-service-url: 'ftp://localhost': allowed: an http or https URL",
        ),
        (("--port", "fcm=70000"), 64, "bad-port: '70000': allowed: 0"),
        (("--port", "8080"), 64, "bad-option: '--port 8080': allowed: --port NAME=..."),
        (("events-proxy", "--port", "fcm=0"), 64, "not-served-here: 'fcm': allowed: events-proxy"),
        (("events-proxy", "--to", f"events-proxy={CLOSED_URL}"), 64, "nothing-to-serve: 'events-proxy': "),
        (("--firebase-app", "x"), 64, "bad-firebase-app: 'x': allowed: a UUID"),
        (("--redis-url", "http://127.0.0.1"), 64, "bad-redis-url: "),
        (("--redis-url", "redis://127.0.0.1:9/0"), 69, "unreachable-redis: "),
        (("--sqs-endpoint", "127.0.0.1:9"), 64, "bad-queue-url: "),
        (("--sqs-endpoint", CLOSED_URL), 69, "queue-unreachable: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_served_is_named_and_nothing_is(
    run_command: RunCommand, options: tuple[str, ...], code: int, message: str
) -> None:
    result = run_command("serve", *options)
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.startswith(message)
    assert "next: " in result.stderr


@pytest.mark.parametrize("name", ["events-proxy", "fcm"])
def test_a_port_in_use_is_named(run_command: RunCommand, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = run_command("serve", "--port", f"{name}={port}")
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.startswith(f"port-in-use: '{port}': {name} cannot be served there")
    assert f"next: --port {name}=0" in result.stderr
