"""The process that serves the reference services starts, answers, and never outlives its parent."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import IO, Any

import pytest

from fixtures.services import NAMES

COMMAND = (sys.executable, "-m", "fixtures.services.server")


@contextmanager
def start_server(*options: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    command = [*COMMAND, *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def send(url: str, method: str, path: str, body: Any = None) -> tuple[int, str | None, Any]:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=10)
    connection.request(method, path, body if isinstance(body, bytes | None) else json.dumps(body))
    response = connection.getresponse()
    content = json.loads(response.read())
    connection.close()
    return response.status, response.getheader("content-type"), content


def test_one_process_serves_several_services_until_its_parent_is_gone() -> None:
    options = [option for name in NAMES for option in ("--service", name)]
    with start_server(*options, "--version", "before") as (process, stdout):
        lines = [json.loads(stdout.readline()) for _ in NAMES]
        assert [(line["service"], line["version"], line["pid"]) for line in lines] == [
            (name, "before", process.pid) for name in NAMES
        ]
        for line in lines:
            status, _, body = send(line["url"], "GET", "/_pact/version")
            assert (status, body["service"]) == (200, line["service"])
        many = "&".join(f"id={number:036}" for number in range(500))
        assert send(lines[2]["url"], "GET", f"/v1/subscribers?{many}")[0] == 200
        assert send(lines[2]["url"], "GET", "/nowhere")[:2] == (404, "application/problem+json")
        assert send(lines[0]["url"], "POST", "/v1/reports", b"{")[:2] == (400, "application/problem+json")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_a_store_file_survives_a_stop(tmp_path: Any) -> None:
    device = {
        "subscriber_id": f"{0:08}-0000-0000-0000-{0:012}",
        "token": "t",
        "token_since": "2024-01-01T00:00:00Z",
    }
    state = {
        "state": "subscribers exist",
        "params": {"subscribers": [device | {"firebase_app": device["subscriber_id"]}]},
    }
    options = ("--service", "subscribers-errors", "--store", str(tmp_path / "store"))
    for version in ("before", "after"):
        with start_server(*options, "--version", version) as (process, stdout):
            url = json.loads(stdout.readline())["url"]
            if version == "before":
                assert send(url, "POST", "/_pact/provider-states", state)[0] == 200
            body = send(url, "GET", f"/v1/subscribers?id={device['subscriber_id']}")[2]
            assert [item["token"] for item in body["subscribers"]] == ["t"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--version", "after"], "--service"),
        (["--service", "subscriber-errors", "--version", "after"], "allowed: subscribers-errors"),
        (["--service", NAMES[0], "--version", "new"], "allowed: after, before"),
        (["--service", NAMES[0], "--version", "after", "--port", "70000"], "0 to 65535"),
        (["--service", NAMES[0], "--service", NAMES[1], "--version", "after", "--port", "9"], "allowed: 0"),
        (["--service", NAMES[0], "--version", "after", "--store", "/nowhere/at/all"], "/nowhere/at/all"),
    ],
    ids=[
        "no-service",
        "unknown-service",
        "unknown-version",
        "no-port",
        "one-port",
        "no-store",
    ],
)
def test_wrong_usage_is_64(options: list[str], hint: str) -> None:
    result = subprocess.run([*COMMAND, *options], capture_output=True, text=True, check=False, timeout=20)  # noqa: S603 - our own
    assert (result.returncode, result.stdout) == (64, "")
    assert hint in result.stderr
    assert "next: " in result.stderr
