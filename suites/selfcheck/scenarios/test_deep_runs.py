"""A deep run explores within its limits, and its findings are judged by every later gate."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from ci.commands import deep
from ci.support.exploration import seed_of_round
from fixtures.core import schemas
from fixtures.core.project import ROOT

PROJECT_FILES = ("ci", "fixtures", "pacts", "schemas", "suites", "conftest.py", "pyproject.toml")
DEAD_DEVICES = "subscribers-errors and v1-UNREGISTERED and test_new_codes"
DECIDE = "def decide(report: Report) -> Decision:\n"
# A fault that few batches show.
FAULT = """\
    if report["http_status"] == 503 and report["retry_after"] is None:
        return Decision("fcm_v1", "OTHER", "alert")
"""


# --- options

WRONG_USAGE: Mapping[str, tuple[tuple[str, ...], str]] = {
    "no budget": ((), "no-budget"),
    "a budget without a unit": (("--budget=30",), "bad-budget: '30'"),
    "no time at all": (("--budget=0m",), "bad-budget: '0m'"),
    "a budget in words": (("--budget=all night",), "bad-budget"),
    "another profile": (("--profile=shallow", "--budget=1m"), "unknown-profile: 'shallow': allowed: deep"),
    "no examples": (("--budget=1m", "--examples=0"), "--examples 0"),
    "an unknown variant": (("--budget=1m", "--variant=wrong-somehow"), "unknown-variant"),
    "an unknown target": (("--budget=1m", "--target=unknown=http://127.0.0.1:1"), "unknown-target"),
    "nothing to add": (("--add=no-such-file.ndjson",), "unreadable-file"),
}


@pytest.mark.parametrize(("arguments", "problem"), WRONG_USAGE.values(), ids=WRONG_USAGE)
def test_wrong_usage_is_refused(
    arguments: tuple[str, ...], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status: object
    try:
        status = deep.main([f"--build={tmp_path}", *arguments])
    except SystemExit as stopped:
        status = stopped.code
    message = capsys.readouterr().err
    assert (status, list(tmp_path.iterdir())) == (64, [])
    assert problem in message
    assert "next:" in message


@pytest.mark.parametrize(("budget", "seconds"), [("90s", 90), ("30m", 1800), ("8h", 28800)])
def test_a_budget_is_a_number_and_a_unit(budget: str, seconds: int) -> None:
    assert deep.parse_budget(budget) == seconds


def test_each_round_has_a_seed_of_its_own() -> None:
    seeds = [seed_of_round(seed, number) for seed in (0, 1) for number in range(1, 50)]
    assert len(set(seeds)) == len(seeds)
    assert seeds[0] == seed_of_round(0, 1)


# --- whole runs


def run_module(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in a folder."""
    arguments = [sys.executable, "-m", *command]
    return subprocess.run(  # noqa: S603
        arguments, cwd=folder, capture_output=True, text=True, check=False, timeout=900
    )


def run_gate(folder: Path, seed: int) -> subprocess.CompletedProcess[str]:
    """Run the tests of dead devices with one batch each."""
    ledger = f"--ledger={folder / 'ledger.jsonl'}"
    return run_module(
        folder, "pytest", "suites/compat", "-k", DEAD_DEVICES, f"--seed={seed}", "--examples=1", ledger
    )


@pytest.fixture
def faulty_project(tmp_path: Path) -> Path:
    """A copy of the project whose services are wrong about a rare answer."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in PROJECT_FILES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    file = folder / "fixtures" / "services" / "fcm_v1.py"
    text = file.read_text(encoding="utf-8")
    assert text.count(DECIDE) == 1
    file.write_text(text.replace(DECIDE, DECIDE + FAULT), encoding="utf-8")
    return folder


@pytest.mark.nightly
@pytest.mark.process
def test_later_gates_find_what_a_deep_run_has_found(faulty_project: Path) -> None:
    seed = next(seed for seed in range(8) if run_gate(faulty_project, seed).returncode == 0)
    options = ("--profile=deep", "--budget=10m", "--rounds=1", "--examples=160", "-n=1")
    run = run_module(
        faulty_project, "ci.commands", "deep", *options, f"--seed={seed}", f"--only={DEAD_DEVICES}"
    )
    assert run.returncode == 1, run.stdout + run.stderr
    result = json.loads((faulty_project / "build/deep/deep.json").read_text())
    schemas.validate(result, "deep.schema.json")
    first = result["findings"][0]
    assert first["seed"] == seed_of_round(seed, first["round"])
    assert f"--seed {first['seed']} --examples 160" in first["reproduce"]
    examples = faulty_project / "build/deep/found.ndjson"
    assert f"./ci/deep --add {examples}" in run.stdout
    assert run_module(faulty_project, "ci.commands", "deep", "--add", str(examples)).returncode == 0
    gate = run_gate(faulty_project, seed)
    assert gate.returncode == 1, gate.stdout
    assert '"http_status":503' in gate.stdout


@pytest.mark.process
def test_a_deep_run_without_findings_gives_no_verdict(tmp_path: Path) -> None:
    options = ("--budget=10m", "--rounds=1", "--examples=3", "-n=1", f"--only={DEAD_DEVICES}")
    run = run_module(ROOT, "ci.commands", "deep", f"--build={tmp_path}", *options)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "this is no verdict" in run.stdout
    result = json.loads((tmp_path / "deep/deep.json").read_text())
    schemas.validate(result, "deep.schema.json")
    assert result["reports"] == result["curve"][-1][1] > 0
    assert result["behaviours"] > 0
    assert result["coverage"]["cases"]["v1-UNREGISTERED"]["reached"]["subscribers-errors"] > 10
    assert (tmp_path / "deep/curve.svg").read_text().startswith("<svg")
    assert not (tmp_path / "deep/found.ndjson").exists()


@pytest.mark.nightly
@pytest.mark.process
def test_an_interrupted_deep_run_reports_what_it_covered(tmp_path: Path) -> None:
    options = ("--budget=10m", f"--build={tmp_path}", "-n=1", f"--only={DEAD_DEVICES}")
    command = [sys.executable, "-m", "ci.commands", "deep", *options]
    with subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 300
        while not list(tmp_path.glob("deep/notes/*.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=300)
    assert process.returncode == 2, output + errors
    assert "interrupted" in errors
    assert json.loads((tmp_path / "deep/deep.json").read_text())["reports"] > 0


COULD_NOT_RUN = {
    "an unreachable target": (("--target=subscribers-errors=http://127.0.0.1:1",), "round-ended-badly"),
    "nothing is selected": (("--only=no_such_test",), "no-tests"),
}


@pytest.mark.nightly
@pytest.mark.process
@pytest.mark.parametrize(("options", "problem"), COULD_NOT_RUN.values(), ids=COULD_NOT_RUN)
def test_a_deep_run_that_could_not_run_says_so(
    tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    run = run_module(ROOT, "ci.commands", "deep", "--budget=10m", f"--build={tmp_path}", "-n=1", *options)
    assert run.returncode == 2, run.stdout + run.stderr
    assert problem in run.stderr
    assert "could not run" in run.stdout
