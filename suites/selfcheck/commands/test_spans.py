"""`./ci/gate --otlp` sends a run to an OpenTelemetry collector, and says why if it cannot."""

import json
from pathlib import Path

import pytest

from ci.support import spans
from fixtures.core.errors import UserError
from fixtures.results.build_folder import RunFiles
from suites.selfcheck.http_double import serve_answers

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADER = {"kind": "header", "run": "a", "seed": 7, "started_at": "2026-11-30T12:00:00.000Z"}
TEST = {"kind": "test", "suite": "suites/compat", "duration_s": 0.5, "started_s": 1.5, "reports": 3}
GOOD = {**TEST, "test": "suites/compat/a.py::test_good", "result": "passed"}
BAD = {**TEST, "test": "suites/compat/a.py::test_bad", "result": "failed", "message": "it went wrong"}
VERDICT = {
    "verdict": "no-go",
    "run": "a",
    "environment": "local",
    "seed": 7,
    "reports": 6,
    "duration_s": 4.0,
    "findings": [{}],
    "reasons": ["one finding"],
    "provenance": {"fcm-compat": "0.1.0", "commit": "c0ffee", "own pacts": "1 pacts"},
}


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    """A run with two tests."""
    run_files = RunFiles(tmp_path, tmp_path / "history")
    run_files.verdict.write_text(json.dumps(VERDICT), encoding="utf-8")
    lines = [json.dumps(line) + "\n" for line in (HEADER, GOOD, BAD)]
    run_files.ledger.write_text("".join(lines), encoding="utf-8")
    return run_files


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, f"no-otlp-endpoint: {ENDPOINT}: is not set\n  next: export {ENDPOINT}=http://127.0.0.1:4318"),
        (
            {ENDPOINT: "http://a.example", PROTOCOL: "grpc"},
            f"bad-otlp-protocol: grpc: allowed: http/protobuf\n  next: export {PROTOCOL}=http/protobuf",
        ),
        (
            {ENDPOINT: "http://a.example"},
            "no-opentelemetry: --otlp: its set-up ended with 1\n  next: ./ci/setup/otlp.sh",
        ),
    ],
)
def test_what_is_missing_is_told_before_the_run(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    monkeypatch.setattr(spans, "install_environment", lambda _: 1)
    with pytest.raises(UserError) as error:
        spans.prepare(variables)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("echo 'spans: 3 sent'", "spans: 3 sent"),
        ("echo 'Failed to export: 401' >&2; exit 1", "spans-not-sent: --otlp: Failed to export: 401"),
        ("printf 'Traceback (most\\nNo such file' >&2; exit 1", "spans-not-sent: --otlp: No such file"),
        ("exit 3", "spans-not-sent: --otlp: exit code 3"),
        ("", "spans-not-sent: --otlp: FileNotFoundError after at most 60 s"),
    ],
)
def test_what_became_of_the_spans_is_told(
    files: RunFiles,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    program: str,
    printed: str,
) -> None:
    monkeypatch.setattr(spans, "ROOT", files.build)
    if program:
        python = files.build / ".venv-otlp" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\n{program}\n", encoding="utf-8")
        python.chmod(0o755)
    spans.send_spans(files)
    output = capsys.readouterr()
    assert printed in (output.out + output.err).splitlines()


@pytest.mark.process
@pytest.mark.nightly  # it installs the SDK
def test_a_collector_gets_the_run_and_each_test(
    files: RunFiles, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_answers() as collector:
        monkeypatch.setenv(ENDPOINT, collector.url)
        monkeypatch.setenv("TRACEPARENT", f"00-{TRACE}-{PARENT}-01")
        spans.prepare({ENDPOINT: collector.url})
        spans.send_spans(files)
    assert capsys.readouterr().out == "spans: 3 sent\n"
    ((method, path, headers, body),) = collector.requests
    assert (method, path, headers["content-type"]) == ("POST", "/v1/traces", "application/x-protobuf")
    assert body.count(bytes.fromhex(TRACE)) == 3  # every span is in the trace of the CI system
    assert body.count(bytes.fromhex(PARENT)) == 1  # and the run is the one that begins there
    texts = [
        "gate",
        "fcm_compat.verdict",
        "no-go",
        "one finding",
        "c0ffee",
        "fcm_compat.own_pacts",
        "fcm_compat.seed",
    ]
    for text in [*texts, GOOD["test"], BAD["test"], "it went wrong", "service.version"]:
        assert str(text).encode() in body, text
