"""The gate as a process: wrong usage, unreachable providers, faults, and runs that end badly."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.project import ROOT
from fixtures.faults import FAULTS
from fixtures.targets.embedded import start_process
from suites.selfcheck.fail_closed.sandbox import read_verdict
from suites.selfcheck.targets.own_wire import run_platform
from suites.types import RunCommand

pytestmark = pytest.mark.process

REACTOR = "subscribers-errors"
GATE = (sys.executable, "-m", "ci.commands", "gate")


@dataclass(frozen=True)
class GateResult:
    """The exit status, the output and the verdict file of a gate."""

    exit_status: int
    text: str
    verdict: Mapping[str, Any] | None


def run_gate(build: Path, *arguments: str, timeout: float = 1200) -> GateResult:
    """Run the gate as a user does, with a build folder of its own."""
    command = [*GATE, f"--build={build}", *arguments]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout)  # noqa: S603
    return GateResult(process.returncode, process.stdout + process.stderr, read_verdict(build))


def find_closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


USAGE: Mapping[str, tuple[Sequence[str], str]] = {
    "unknown target": (
        ["--target", "subscriber-errors=http://127.0.0.1:1"],
        "unknown-target: 'subscriber-errors=http://127.0.0.1:1': allowed: subscribers-errors=URL, ",
    ),
    "no URL": (["--target", REACTOR], "bad-target-url"),
    "no scheme": (["--target", f"{REACTOR}=localhost:80"], "bad-target-url"),
    "unknown option": (["--fast"], "usage"),
    "no examples": (["--examples", "0"], "usage"),
    "missing replay file": (["--replay", "no-such-file.ndjson"], "unreadable-file"),
}


@pytest.mark.parametrize(("arguments", "slug"), USAGE.values(), ids=USAGE)
def test_wrong_usage_is_no_verdict(
    run_command: RunCommand, arguments: Sequence[str], slug: str, tmp_path: Path
) -> None:
    result = run_command("gate", f"--build={tmp_path}", *arguments)
    assert result.returncode == 64
    assert slug in result.stderr
    assert "next:" in result.stderr
    assert read_verdict(tmp_path) is None


def test_a_broken_line_of_a_replay_file_is_named(run_command: RunCommand, tmp_path: Path) -> None:
    file = tmp_path / "mine.ndjson"
    file.write_text('{"http_status": 200, "body": {"name": "n"}}\nnot json\n')
    result = run_command("gate", f"--build={tmp_path / 'build'}", "--replay", str(file))
    assert result.returncode == 64
    assert "not-json" in result.stderr
    assert "line 2" in result.stderr


def test_an_unreachable_provider_is_undecided_at_once_and_by_name(tmp_path: Path) -> None:
    result = run_gate(tmp_path, "--target", f"{REACTOR}=http://127.0.0.1:{find_closed_port()}")
    assert result.exit_status == 2
    assert result.verdict is not None
    assert result.verdict["verdict"] == "undecided"
    assert len(result.verdict["reasons"]) == 1
    assert result.verdict["reasons"][0].startswith(f"unreachable-target: {REACTOR}")
    assert result.verdict["suites"] == {}, "no test runs against a provider that does not answer"


def test_a_report_that_cannot_be_made_is_a_doubt_and_hides_no_reason(tmp_path: Path) -> None:
    target = f"{REACTOR}=http://127.0.0.1:{find_closed_port()}"
    (tmp_path / "no-folder").touch()
    result = run_gate(tmp_path / "build", "--target", target, "--history", str(tmp_path / "no-folder"))
    assert result.exit_status == 2
    assert result.verdict is not None
    assert [reason.partition(":")[0] for reason in result.verdict["reasons"]] == [
        "unreachable-target",
        "report-crashed",
    ]


@pytest.mark.nightly
def test_a_provider_with_another_interface_is_not_go(tmp_path: Path) -> None:
    with start_process("fixtures.services.server", "--service=directory-responses", "--version=after") as (
        other,
    ):
        result = run_gate(tmp_path, f"--target={REACTOR}={other['url']}", "--examples=1")
    assert result.exit_status in (1, 2)
    assert result.verdict is not None
    assert any(REACTOR in reason for reason in result.verdict["reasons"])


@pytest.mark.nightly
@pytest.mark.parametrize("judge", ["", 'judge = { protocols = ["fcm_v1"] }'], ids=["all", "v1 alone"])
def test_a_right_platform_with_a_wire_of_its_own_is_go(tmp_path: Path, judge: str) -> None:
    with run_platform(tmp_path, judge=judge) as targets:
        result = run_gate(tmp_path / "build", f"--targets={targets}", timeout=3600)
    assert result.verdict is not None
    assert (result.verdict["verdict"], result.verdict["reasons"], result.exit_status) == ("go", [], 0)
    assert any("does not promise own-wire" in note for note in result.verdict["notes"])
    # Nothing but waits of its own differs, and answers that no document decides.
    rules = {notice["rule"] for notice in result.verdict["notices"]}
    assert rules <= {"effects.other-wait", "effects.other-subscriber"}


@pytest.mark.nightly
def test_a_fault_is_no_go_and_the_finding_can_be_repeated(tmp_path: Path) -> None:
    fault = next(fault for fault in FAULTS if fault.name == "not-registered-ignored")
    with start_process("fixtures.faults", fault.name) as (started,):
        result = run_gate(tmp_path, f"--target={fault.service}={started['url']}", "--examples=1")
        assert result.exit_status == 1
        assert result.verdict is not None
        assert result.verdict["cases"][REACTOR]["legacy-NotRegistered"] == "failed"
        finding = next(f for f in result.verdict["findings"] if f["case"] == "legacy-NotRegistered")
        assert finding["sent"][0]["response"] == {"error": "NotRegistered"}
        assert finding["reproduce"] in result.text
        command = ["bash", "-c", f"{finding['reproduce']} --ledger={tmp_path}/again.jsonl"]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)  # noqa: S603
    assert process.returncode == 1, process.stdout
    assert finding["title"] in process.stdout


@pytest.mark.nightly
def test_a_provider_that_dies_half_way_is_undecided_for_one_reason(tmp_path: Path) -> None:
    with start_process("fixtures.services.server", "--service=directory-responses", "--version=after") as (
        started,
    ):
        target = f"--target=directory-responses={started['url']}"
        with start_gate(tmp_path, target) as process:
            wait_for(lambda: count_lines(tmp_path / "ledger.jsonl") > 20, process)
            os.kill(started["pid"], signal.SIGKILL)
            process.communicate(timeout=1200)
    verdict = read_verdict(tmp_path)
    assert process.returncode == 2
    assert verdict is not None
    unreachable = [reason for reason in verdict["reasons"] if "unreachable-target" in reason]
    assert len(unreachable) == 1
    assert "directory-responses" in unreachable[0]


@pytest.mark.nightly
def test_a_killed_run_is_undecided(tmp_path: Path) -> None:
    with start_gate(tmp_path) as process:
        wait_for(lambda: count_lines(tmp_path / "ledger.jsonl") > 5, process)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
        process.communicate(timeout=600)
    verdict = read_verdict(tmp_path)
    assert process.returncode == 2
    assert verdict is not None
    assert any(reason.startswith("ledger-without-footer") for reason in verdict["reasons"])


@contextlib.contextmanager
def start_gate(build: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a gate, and wait for its end after the block."""
    command = [*GATE, f"--build={build}", "--examples=2", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:  # noqa: S603
        yield process


def count_lines(file: Path) -> int:
    return file.read_text(encoding="utf-8").count("\n") if file.exists() else 0


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 600) -> None:
    """Wait until a condition holds, and fail if the process ends before."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert process.poll() is None, "the process ended before"
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.05)
