"""The doctor finds what is wrong with a deployment, and finds nothing wrong with a good one."""

import json
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import trustme

from ci.commands import doctor
from fixtures.platform.sqs import COUNTS
from fixtures.targets.embedded import embedded_targets
from fixtures.targets.selection import OWN_VARIABLE
from suites.selfcheck.http_double import serve_answers
from suites.selfcheck.targets.sql_service import (
    POOL,
    SETUP,
    SQL,
    TEARDOWN,
    VARIABLE,
    start_sql_service,
    write_pool,
    write_targets_file,
)

PROVIDERS = ("directory-events-api", "directory-responses", "subscribers-errors")
QUESTIONS = ["reachable", "TLS", "auth", "version", "clock", "states", "observation", "clean-up"]
JSON = {"Content-Type": "application/json"}

StatusHeadersBody = tuple[int, dict[str, str], bytes]
# From a request, its body, and a function that gets the correct answer, to the answer.
Change = Callable[[BaseHTTPRequestHandler, bytes, Callable[[], StatusHeadersBody]], StatusHeadersBody]


def run_doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the results."""
    with tempfile.TemporaryDirectory() as build:
        exit_code = doctor.main(["--json", f"--build={build}", *arguments])
    return exit_code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@contextmanager
def serve_changed(change: Change, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a correct subscribers-errors with changed answers. Yields its URL."""
    with embedded_targets(["subscribers-errors"], "after") as targets:
        client = targets["subscribers-errors"].client

        def react(request: BaseHTTPRequestHandler, body: bytes) -> StatusHeadersBody:
            def get_answer() -> StatusHeadersBody:
                response = client.send(request.command, request.path, body or None, JSON)
                return response.status, {"Content-Type": response.content_type}, response.content

            return change(request, body, get_answer)

        with serve_answers(react, tls) as double:
            yield double.url


def test_three_good_deployments_are_well(capsys: pytest.CaptureFixture[str]) -> None:
    with embedded_targets(PROVIDERS, "after") as targets:
        start = time.monotonic()
        options = [f"--target={name}={target.url}" for name, target in targets.items()]
        exit_code, results = run_doctor(capsys, *options)
    assert time.monotonic() - start < 10
    assert [row for row in results if not row["well"]] == []
    assert (exit_code, [row["question"] for row in results]) == (0, QUESTIONS * 3)


def ignore_teardown(
    _request: BaseHTTPRequestHandler, body: bytes, get_answer: Callable[[], StatusHeadersBody]
) -> StatusHeadersBody:
    return (200, {}, b"{}") if b"teardown" in body else get_answer()


def hang(*_: object) -> StatusHeadersBody:
    time.sleep(4)
    return 200, {}, b""


def answer_at(path: str, status: int, headers: dict[str, str], content: bytes) -> Change:
    """Give another answer to requests for a path, instead of passing them on."""
    return lambda request, _, get_answer: (
        (status, headers, content) if request.path.startswith(path) else get_answer()
    )


class LateEffects:
    """Shows an unsubscribed subscriber as active for some time after the delivery."""

    def __init__(self) -> None:
        self.visible_at = 0.0

    def __call__(
        self, request: BaseHTTPRequestHandler, _body: bytes, get_answer: Callable[[], StatusHeadersBody]
    ) -> StatusHeadersBody:
        status, headers, content = get_answer()
        if request.path == "/v1/errors":
            self.visible_at = time.monotonic() + 3.5
        if request.path.startswith("/v1/subscribers") and time.monotonic() < self.visible_at:
            content = content.replace(b'"unsubscribed"', b'"active"')
        return status, headers, content


NO_SUBSCRIBERS = b'{"subscribers": []}'
REDIRECT = {"Location": "https://login.example"}
OLD_VERSION = b'{"version": "1.0"}'
BROKEN: Mapping[str, tuple[Change, str, str, str]] = {
    "it redirects": (answer_at("/", 302, REDIRECT, b""), "reachable", "redirects to", "log in"),
    "it hangs": (hang, "reachable", "Timeout", "timeout_s"),
    "it does not let us in": (answer_at("/", 401, {}, b"{}"), "auth", "401", "bearer_env"),
    "another version": (answer_at("/_pact/version", 200, {}, OLD_VERSION), "version", "1.66.4.1", "deploy"),
    "no version": (answer_at("/_pact/version", 404, {}, b"no"), "version", "does not tell", "/_pact/version"),
    "no states": (
        answer_at("/_pact/provider-states", 404, {}, b"no"),
        "states",
        "404",
        "who else makes them",
    ),
    "states without effect": (
        answer_at("/v1/subscribers", 200, {}, NO_SUBSCRIBERS),
        "states",
        "shows none",
        "store",
    ),
    "it refuses a report": (answer_at("/v1/errors", 500, {}, b"oh"), "observation", "500", "POST /v1/errors"),
    "it does nothing": (
        answer_at("/v1/errors", 200, {}, b"{}"),
        "observation",
        "no effect",
        "can be observed",
    ),
    "it is late": (LateEffects(), "observation", "after 3.", "observe_within_s"),
    "it ignores the teardown": (ignore_teardown, "clean-up", "still there", "teardown"),
}


@pytest.mark.parametrize(("change", "question", "details", "step"), BROKEN.values(), ids=BROKEN)
def test_one_broken_thing_is_found(
    capsys: pytest.CaptureFixture[str], change: Change, question: str, details: str, step: str
) -> None:
    with serve_changed(change) as url:
        exit_code, results = run_doctor(capsys, f"--target=subscribers-errors={url}")
    (failure,) = [row for row in results if not row["well"]]
    assert (exit_code, failure["question"]) == (2, question)
    assert details in failure["said"]
    assert step in failure["next_step"]


def test_a_wrong_clock_is_found(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        BaseHTTPRequestHandler, "date_time_string", lambda *_: "Sun, 22 Nov 2020 19:00:00 GMT"
    )
    with serve_changed(lambda _request, _body, get_answer: get_answer()) as url:
        exit_code, results = run_doctor(capsys, f"--target=subscribers-errors={url}")
    (failure,) = [row for row in results if not row["well"]]
    assert (exit_code, failure["question"]) == (2, "clock")
    assert "NTP" in failure["next_step"]


TROUBLE: Mapping[str, tuple[str, str, str]] = {
    "no server": ('url = "http://127.0.0.1:9"', "reachable", "start it"),
    "no such host": ('url = "http://no-such-host.invalid"', "reachable", "host"),
    "no secret": (
        'url = "http://127.0.0.1:9"\nbearer_env = "NOT_SET_ANYWHERE"',
        "auth",
        "export NOT_SET_ANYWHERE",
    ),
    "no queue": ('queue = "http://127.0.0.1:9/0/errors"', "queue", "credentials"),
}


def write_events_api_file(folder: Path, row: str) -> Path:
    file = folder / "targets.toml"
    file.write_text(f"[environments.e.services.directory-events-api]\n{row}\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(("row", "question", "step"), TROUBLE.values(), ids=TROUBLE)
def test_an_unreachable_deployment_is_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, row: str, question: str, step: str
) -> None:
    file = write_events_api_file(tmp_path, row)
    exit_code, results = run_doctor(capsys, f"--targets={file}", "--i-own=e")
    assert (exit_code, [(row["question"], row["well"]) for row in results]) == (2, [(question, False)])
    assert step in results[0]["next_step"]


def test_requests_to_a_queue_are_limited(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    attributes = dict.fromkeys(COUNTS, "0")

    def count(_request: BaseHTTPRequestHandler, _body: bytes) -> StatusHeadersBody:
        content_type = {"Content-Type": "application/x-amz-json-1.0"}
        return 200, content_type, json.dumps({"Attributes": attributes}).encode()

    with serve_answers(count) as queue:
        file = write_events_api_file(tmp_path, f'queue = "{queue.url}/0/errors"\nlimits = {{ requests = 1 }}')
        exit_code, (result,) = run_doctor(capsys, f"--targets={file}")
    assert (exit_code, result["question"], len(queue.requests)) == (2, "queue", 1)
    assert "limit-reached" in result["said"]
    assert "raise its limits" in result["next_step"]


PROVISIONING: Mapping[str, tuple[str, str, str]] = {
    "by SQL": (SQL, "", "a subscriber was made by the database in"),
    "from a pool": (POOL, "", "a subscriber was made by a pool"),
    "no rights": (SQL.replace("INTO subscribers", "INTO nowhere"), "states", "run it by hand"),
    "elsewhere": (
        SQL.replace(SETUP, "DELETE FROM subscribers WHERE token = :token"),
        "states",
        "in the store",
    ),
    "not removed": (SQL.replace(TEARDOWN, f"{TEARDOWN} AND token = :firebase_app"), "clean-up", "forget"),
    "too few": (POOL.replace("pool.ndjson", "missing.ndjson"), "auth", "write a subscriber a line"),
}


@pytest.mark.parametrize(("states", "question", "step"), PROVISIONING.values(), ids=PROVISIONING)
def test_provisioning_is_tried(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    states: str,
    question: str,
    step: str,
) -> None:
    with start_sql_service(tmp_path) as service:
        monkeypatch.setenv(VARIABLE, f"sqlite:///{service.database}")
        service.insert(*write_pool(tmp_path, 1))
        before = service.ids()
        exit_code, results = run_doctor(
            capsys, f"--targets={write_targets_file(tmp_path, service.url, states)}"
        )
        leftovers = service.ids() - before
    failures = [row for row in results if not row["well"]]
    assert [row["question"] for row in failures] == ([question] if question else [])
    assert exit_code == (2 if question else 0)
    assert step in (failures[0]["next_step"] if failures else "".join(row["said"] for row in results))
    assert bool(leftovers) is (question == "clean-up")


def test_a_certificate_of_an_unknown_authority_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with serve_answers(tls=tls) as double:
        exit_code, results = run_doctor(capsys, f"--target=subscribers-errors={double.url}")
    assert (exit_code, results[0]["question"]) == (2, "reachable")
    assert "ca_bundle" in results[0]["next_step"]


def test_a_deployment_without_permission_gets_no_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OWN_VARIABLE, "other")
    for arguments, slug in (["--target=subscribers-errors=https://a.example"], "not-owned"), ([], "usage"):
        with pytest.raises(SystemExit) as exit_info:
            doctor.main(arguments)
        assert exit_info.value.code == 64
        assert slug in capsys.readouterr().err
