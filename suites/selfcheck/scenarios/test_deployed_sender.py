"""A deployed go-sender, started by the suite or at fixed ports, is judged as the embedded one is."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.core.project import ROOT
from fixtures.faults.scoring import RunResult
from fixtures.targets.started import find_free_port
from suites.selfcheck.scenarios.judged_deployments import judge_deployments, write_targets_file
from suites.selfcheck.targets.test_doctor import run_doctor

pytestmark = pytest.mark.process

REFERENCE = [sys.executable, "-m", "suites.selfcheck.scenarios.reference_sender"]
ADDRESSES = ["{fcm_url}", "{events_url}", "{redis_url}"]
GO_EXAMPLE = ROOT / "docs" / "examples" / "go-sender"


def judge(folder: Path, row: str, within_s: float = 15) -> RunResult:
    """Run the tests of go-sender at the deployment that a row of a targets file describes."""
    return judge_deployments(folder, {"go-sender": row}, "test_go_sender", within_s=within_s)


def start_row(*options: str, addresses: list[str] = ADDRESSES) -> str:
    command = json.dumps([*REFERENCE, *addresses, *options])
    return f'start = {command}\nenv = {{ PYTHONPATH = "{ROOT}" }}\n'


def list_broken(result: RunResult) -> set[str]:
    return {
        reason for _, reason in result.broken if not reason.startswith("go-sender is not judged on legacy")
    }


@pytest.mark.nightly
def test_a_right_sender_is_go(tmp_path: Path) -> None:
    result = judge(tmp_path, start_row())
    assert (result.findings, list_broken(result), result.exit_status) == ((), set(), 0)


def test_a_faulty_sender_is_no_go(tmp_path: Path) -> None:
    result = judge(tmp_path, start_row("--variant=page-reported-as-unregistered"))
    assert {(finding["rule"], finding["case"]) for finding in result.findings} == {
        ("sender.outcome", "v1-text-404")
    }
    assert list_broken(result) == set()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(
            start_row(addresses=["http://127.0.0.1:9", *ADDRESSES[1:]]),
            "nothing-came-through",
            id="elsewhere",
        ),
        pytest.param('start = ["./no-sender"]\nready = 5\n', "service-exited", id="not-there"),
        pytest.param(
            'start = ["/bin/sh", "-c", "sleep 1"]\n',
            "service-exited",
            id="it-ends",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_a_sender_that_cannot_be_judged_is_undecided(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, row: str, reason: str
) -> None:
    result = judge(tmp_path, row, 2)
    assert result.findings == ()
    (message,) = list_broken(result)
    assert reason in message
    exit_code, (answer,) = run_doctor(capsys, f"--targets={tmp_path / 'targets.toml'}")
    assert (exit_code, reason in answer["said"]) == (2, True)


def test_the_doctor_asks_a_sender_at_its_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    row = start_row() + 'url = "http://127.0.0.1:9"\nready = 0\n'
    file = write_targets_file(tmp_path, {"go-sender": row}, 15)
    exit_code, (answer,) = run_doctor(capsys, f"--targets={file}")
    assert (exit_code, answer["question"]) == (0, "surroundings"), answer


def test_a_sender_at_fixed_ports_is_judged(tmp_path: Path) -> None:
    fcm, events, redis = (find_free_port() for _ in range(3))
    command = [
        *REFERENCE,
        f"http://127.0.0.1:{fcm}",
        f"http://127.0.0.1:{events}",
        f"redis://127.0.0.1:{redis}",
    ]
    # It ends at once, because nothing listens yet: a supervisor would start it again.
    loop = ["/bin/sh", "-c", 'until "$@"; do sleep 0.2; done', "sh", *command]
    with subprocess.Popen(loop, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True) as process:  # noqa: S603  our own service
        try:
            result = judge(tmp_path, f"ports = {{ fcm = {fcm}, events = {events}, redis = {redis} }}\n")
        finally:
            subprocess.run(["/bin/kill", "-KILL", "--", f"-{process.pid}"], check=True)  # noqa: S603
    assert (result.findings, list_broken(result), result.exit_status) == ((), set(), 0)


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("go") is None, reason="no Go: apt-get install golang-go")
def test_the_example_in_go_is_judged(tmp_path: Path) -> None:
    program = tmp_path / "go-sender"
    command = ["go", "build", "-o", str(program), "."]
    subprocess.run(command, cwd=GO_EXAMPLE, check=True)  # noqa: S603  our own program
    row = (GO_EXAMPLE / "targets.toml").read_text(encoding="utf-8").partition("]\n")[2]
    result = judge(tmp_path, row)
    assert (result.findings, list_broken(result), result.exit_status) == ((), set(), 0)
