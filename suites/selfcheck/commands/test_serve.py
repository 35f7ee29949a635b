"""./ci/serve as a user runs it: it says where everything is, shows what passes, and leaves nothing behind."""

from __future__ import annotations

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
from suites.selfcheck.platform.chains import free_ports

pytestmark = [pytest.mark.process, pytest.mark.aside]

SERVE = (sys.executable, "-m", "ci.commands.serve")
READY = "A line for each report follows; Ctrl-C stops.\n"
LIMIT_S = 30
NOBODY = "http://127.0.0.1:9"


@contextlib.contextmanager
def serving(
    tmp_path: Path, *options: str, ready: str = READY
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command at work, and what it said until it was ready."""
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
            said = [process.stdout.readline()]
            while said[-1] and ready not in said[-1]:
                said.append(process.stdout.readline())
            yield process, said
        finally:
            process.kill()


def stopped(process: subprocess.Popen[str], number: int) -> str:
    """What a command still says when it is told to stop, which it does without a word of trouble."""
    process.send_signal(number)
    out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (0, "")
    return out


def urls_of(said: list[str]) -> dict[str, str]:
    """Where everything is, as the table says."""
    rows = [line.split() for line in said[1 : said.index("\n")]]
    return {row[0]: row[-1] for row in rows}


def pasted(line: str) -> Any:
    """What a command answers that somebody pastes into a shell."""
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, timeout=LIMIT_S)  # noqa: S603, S607
    return json.loads(done.stdout)


def posted(url: str, body: Mapping[str, Any]) -> int:
    """The status of a posted body."""
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
    with serving(tmp_path, "--version", version) as (process, said):
        assert process.stdout is not None
        assert [row.split()[:2] for row in said[1:9]] == [[name, version] for name in FLOW]
        subscribe, push, look = (line for line in said if line.startswith("  curl"))
        assert pasted(subscribe) == {}
        assert pasted(push)["accepted"] == 1
        line = process.stdout.readline()
        (subscriber,) = pasted(look)["subscribers"]
        assert f"  {case} {code}  subscriber {subscriber['subscriber_id']}  " in line
        assert line.endswith("-> unsubscribed\n")
        assert subscriber["token"] not in line
        assert subscriber["status"] == "unsubscribed"
        assert stopped(process, signal.SIGINT) == ""
    assert list(tmp_path.iterdir()) == []
    for url in urls_of(said).values():
        place = urlsplit(url)
        if place.port:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", place.port), LIMIT_S)
        else:
            assert not Path(place.path).exists()


def test_a_service_that_gets_it_wrong_is_seen_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, "all", "--version", "after", "--version", "events-proxy=before") as (
        process,
        said,
    ):
        assert process.stdout is not None
        assert [row.split()[1] for row in said[1:9]] == ["after", "after", "before", *["after"] * 5]
        for line in (line for line in said if line.startswith("  curl")):
            pasted(line)
        line = process.stdout.readline()
        assert "subscriber left alone; somebody must look" in line
        stopped(process, signal.SIGTERM)


def test_named_services_alone_tell_what_they_miss(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    options = ("--port", f"events-proxy={port}", "--to", f"directory-events-api={NOBODY}")
    with serving(tmp_path, "events-proxy", *options, "--json", ready='"directory-events-api"') as (
        process,
        said,
    ):
        assert process.stdout is not None
        proxy, api = map(json.loads, said)
        assert (proxy["version"], proxy["url"]) == ("after", f"http://127.0.0.1:{port}")
        assert (api["version"], api["url"]) == ("elsewhere", NOBODY)
        assert posted(f"{proxy['url']}/v1/reports", {"reports": [{"token": 1}, 2]}) == 202
        told = json.loads(process.stdout.readline())
        assert told == {"told": "directory-events-api does not take 2 reports: refused", "by": "events-proxy"}
        assert stopped(process, signal.SIGTERM) == ""


def test_a_report_is_shown_where_it_is_seen_last(tmp_path: Path) -> None:
    with serving(tmp_path, "events-proxy") as (process, said):
        assert process.stdout is not None
        report = {"report_id": "r\x1b[2J", "subscriber_id": "s", "token": "secret-token-of-a-device"}
        assert posted(f"{urls_of(said)['events-proxy']}/v1/reports", {"reports": [report]}) == 202
        lines = [process.stdout.readline() for _ in range(2)]
        assert any(line.endswith("token secret...ice  -> taken by events-proxy\n") for line in lines)
        assert any("! events-proxy: directory-events-api does not take" in line for line in lines)
        stopped(process, signal.SIGTERM)


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
    ("options", "code", "said"),
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
        (("events-proxy", "--to", f"events-proxy={NOBODY}"), 64, "nothing-to-serve: 'events-proxy': "),
        (("--firebase-app", "x"), 64, "bad-firebase-app: 'x': allowed: a UUID"),
        (("--redis-url", "http://127.0.0.1"), 64, "bad-redis-url: "),
        (("--redis-url", "redis://127.0.0.1:9/0"), 69, "unreachable-redis: "),
        (("--sqs-endpoint", "127.0.0.1:9"), 64, "bad-queue-url: "),
        (("--sqs-endpoint", NOBODY), 69, "queue-unreachable: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_served_is_named_and_nothing_is(
    options: tuple[str, ...], code: int, said: str
) -> None:
    done = ended(*options)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said)
    assert "next: " in done.stderr


@pytest.mark.parametrize("name", ["events-proxy", "fcm"])
def test_a_port_in_use_is_named(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ended("--port", f"{name}={port}")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith(f"port-in-use: '{port}': {name} cannot be served there")
    assert f"next: --port {name}=0" in done.stderr


def ended(*options: str) -> subprocess.CompletedProcess[str]:
    """The command, when it has ended by itself."""
    command = [*SERVE, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S)  # noqa: S603
