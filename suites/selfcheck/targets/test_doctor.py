"""The doctor finds what is wrong with a deployment, and nothing where nothing is."""

from __future__ import annotations

import json
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import trustme

from fixtures.platform.sqs import COUNTS
from fixtures.targets.client import TargetClient
from fixtures.targets.config import OWN_VARIABLE, Deployment
from fixtures.targets.embedded import embedded_targets
from suites.selfcheck.http_double import serve_answers
from suites.selfcheck.targets.sql_service import (
    POOL,
    SETUP,
    SQL,
    TEARDOWN,
    VARIABLE,
    pool_of,
    stored,
    targets_file,
)

pytestmark = pytest.mark.aside

ALL = ("directory-events-api", "directory-responses", "subscribers-errors")
doctor = import_module("ci.commands.doctor")  # suites do not depend on ci; this one tests a command
QUESTIONS = ["reachable", "TLS", "auth", "version", "clock", "states", "observation", "clean-up"]
Answered = tuple[int, dict[str, str], bytes]
Change = Callable[[BaseHTTPRequestHandler, bytes, Callable[[], Answered]], Answered]
JSON = {"Content-Type": "application/json"}


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status, and what was found."""
    with tempfile.TemporaryDirectory() as build:
        status = doctor.main(["--json", f"--build={build}", *arguments])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@contextmanager
def changed(change: Change, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a good subscribers-errors whose answers somebody changes."""
    with embedded_targets(["subscribers-errors"], "after") as targets:
        door = TargetClient(
            Deployment("subscribers-errors", targets["subscribers-errors"].url), embedded=True
        )

        def react(request: BaseHTTPRequestHandler, body: bytes) -> Answered:
            def ask() -> Answered:
                found = door.send(request.command, request.path, body or None, JSON)
                return found.status, {"Content-Type": found.content_type}, found.content

            return change(request, body, ask)

        with serve_answers(react, tls) as somebody:
            yield somebody.url
        door.close()


def test_three_good_deployments_are_well(capsys: pytest.CaptureFixture[str]) -> None:
    with embedded_targets(ALL, "after") as targets:
        began = time.monotonic()
        status, found = rows(capsys, *(f"--target={name}={target.url}" for name, target in targets.items()))
    assert time.monotonic() - began < 10
    assert [row for row in found if not row["well"]] == []
    assert (status, [row["question"] for row in found]) == (0, QUESTIONS * 3)


def forgets_nobody(_request: BaseHTTPRequestHandler, body: bytes, ask: Callable[[], Answered]) -> Answered:
    return (200, {}, b"{}") if b"teardown" in body else ask()


def hangs(*_: object) -> Answered:
    time.sleep(4)
    return 200, {}, b""


def on(path: str, status: int, headers: dict[str, str], content: bytes) -> Change:
    """Another answer to requests for a path, which nobody else sees."""
    return lambda request, _, ask: (status, headers, content) if request.path.startswith(path) else ask()


def late(request: BaseHTTPRequestHandler, _body: bytes, ask: Callable[[], Answered]) -> Answered:
    status, headers, content = ask()
    if request.path == "/v1/errors":
        LATE_UNTIL.append(time.monotonic() + 0.8)
    if request.path.startswith("/v1/subscribers") and LATE_UNTIL and time.monotonic() < LATE_UNTIL[-1]:
        content = content.replace(b'"unsubscribed"', b'"active"')
    return status, headers, content


LATE_UNTIL: list[float] = []
FOREVER = b'{"subscribers": []}'

BROKEN: Mapping[str, tuple[Change, str, str, str]] = {
    "it redirects": (
        on("/", 302, {"Location": "https://login.example"}, b""),
        "reachable",
        "redirects to",
        "log in",
    ),
    "it hangs": (hangs, "reachable", "Timeout", "timeout_s"),
    "it does not let us in": (on("/", 401, {}, b"{}"), "auth", "401", "bearer_env"),
    "another version": (
        on("/_pact/version", 200, {}, b'{"version": "1.0"}'),
        "version",
        "1.66.4.1",
        "deploy",
    ),
    "no version": (on("/_pact/version", 404, {}, b"no"), "version", "does not tell", "/_pact/version"),
    "no states": (on("/_pact/provider-states", 404, {}, b"no"), "states", "404", "who else makes them"),
    "states that make nobody": (on("/v1/subscribers", 200, {}, FOREVER), "states", "shows none", "store"),
    "it refuses a report": (on("/v1/errors", 500, {}, b"oh"), "observation", "500", "POST /v1/errors"),
    "it does nothing": (on("/v1/errors", 200, {}, b"{}"), "observation", "no effect", "can be observed"),
    "it is late": (late, "observation", "after 0.", "observe_within_s"),
    "it forgets nobody": (forgets_nobody, "clean-up", "still there", "teardown"),
}


@pytest.mark.parametrize(("change", "question", "said", "step"), BROKEN.values(), ids=BROKEN)
def test_one_thing_broken_is_found(
    capsys: pytest.CaptureFixture[str], change: Change, question: str, said: str, step: str
) -> None:
    LATE_UNTIL.clear()
    with changed(change) as url:
        status, found = rows(capsys, f"--target=subscribers-errors={url}")
    (ill,) = [row for row in found if not row["well"]]
    assert (status, ill["question"]) == (2, question)
    assert said in ill["said"]
    assert step in ill["next_step"]


def test_a_clock_that_is_off_is_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        BaseHTTPRequestHandler, "date_time_string", lambda *_: "Sun, 22 Nov 2020 19:00:00 GMT"
    )
    with changed(lambda _request, _body, ask: ask()) as url:
        status, found = rows(capsys, f"--target=subscribers-errors={url}")
    (ill,) = [row for row in found if not row["well"]]
    assert (status, ill["question"]) == (2, "clock")
    assert "NTP" in ill["next_step"]


TROUBLE: Mapping[str, tuple[str, str, str]] = {
    "nobody there": ('url = "http://127.0.0.1:9"', "reachable", "start it"),
    "no such host": ('url = "http://no-such-host.invalid"', "reachable", "host"),
    "no secret": (
        'url = "http://127.0.0.1:9"\nbearer_env = "NOT_SET_ANYWHERE"',
        "auth",
        "export NOT_SET_ANYWHERE",
    ),
    "no queue": ('queue = "http://127.0.0.1:9/0/errors"', "queue", "credentials"),
}


@pytest.mark.parametrize(("row", "question", "step"), TROUBLE.values(), ids=TROUBLE)
def test_trouble_on_the_way_is_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, row: str, question: str, step: str
) -> None:
    file = tmp_path / "targets.toml"
    file.write_text(f"[environments.e.services.directory-events-api]\n{row}\n", encoding="utf-8")
    status, found = rows(capsys, f"--targets={file}", "--i-own=e")
    assert (status, [(one["question"], one["well"]) for one in found]) == (2, [(question, False)])
    assert step in found[0]["next_step"]


def test_the_doctor_asks_a_queue_no_more_often_than_its_limits_say(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def count(_request: BaseHTTPRequestHandler, _body: bytes) -> Answered:
        return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps({"Attributes": none}).encode()

    none = dict.fromkeys(COUNTS, "0")
    with serve_answers(count) as queue:
        file = tmp_path / "targets.toml"
        row = f'queue = "{queue.url}/0/errors"\nlimits = {{ requests = 1 }}\n'
        file.write_text(f"[environments.e.services.directory-events-api]\n{row}", encoding="utf-8")
        status, (found,) = rows(capsys, f"--targets={file}")
    assert (status, found["question"], len(queue.requests)) == (2, "queue", 1)
    assert "limit-reached" in found["said"]
    assert "raise its limits" in found["next_step"]


WAYS: Mapping[str, tuple[str, str, str]] = {
    "by SQL": (SQL, "", "a subscriber was made by the database in"),
    "from a pool": (POOL, "", "a subscriber was made by a pool"),
    "no rights": (SQL.replace("INTO subscribers", "INTO nowhere"), "states", "run it by hand"),
    "elsewhere": (
        SQL.replace(SETUP, "DELETE FROM subscribers WHERE token = :token"),
        "states",
        "in the store",
    ),
    "nobody removed": (SQL.replace(TEARDOWN, f"{TEARDOWN} AND token = :firebase_app"), "clean-up", "forget"),
    "too few": (POOL.replace("pool.ndjson", "nobody.ndjson"), "auth", "write a subscriber a line"),
}


@pytest.mark.parametrize(("states", "question", "step"), WAYS.values(), ids=WAYS)
def test_who_makes_subscribers_is_tried(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    states: str,
    question: str,
    step: str,
) -> None:
    with stored(tmp_path) as place:
        monkeypatch.setenv(VARIABLE, f"sqlite:///{place.database}")
        place.put(*pool_of(tmp_path, 1))
        before = place.ids()
        status, found = rows(capsys, f"--targets={targets_file(tmp_path, place.url, states)}")
        left = place.ids() - before
    ill = [row for row in found if not row["well"]]
    assert [row["question"] for row in ill] == ([question] if question else [])
    assert status == (2 if question else 0)
    assert step in (ill[0]["next_step"] if ill else "".join(row["said"] for row in found))
    assert bool(left) is (question == "clean-up")


def test_a_certificate_that_nobody_knows_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with serve_answers(tls=tls) as somebody:
        status, found = rows(capsys, f"--target=subscribers-errors={somebody.url}")
    assert (status, found[0]["question"]) == (2, "reachable")
    assert "ca_bundle" in found[0]["next_step"]


def test_what_is_not_ours_is_not_even_looked_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OWN_VARIABLE, "other")
    for arguments, slug in (["--target=subscribers-errors=https://a.example"], "not-owned"), ([], "usage"):
        with pytest.raises(SystemExit) as left:
            doctor.main(arguments)
        assert left.value.code == 64
        assert slug in capsys.readouterr().err
