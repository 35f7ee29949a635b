"""Runs the gate in a small copy of the project, whose policy expects the few tests that it holds."""

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from fixtures.core import schemas
from fixtures.core.project import ROOT
from fixtures.results import build_folder
from fixtures.results.build_folder import RunFiles
from fixtures.results.policy_file import format_expected_tests

REACTOR, KEEPER = "subscribers-errors", "directory-responses"
TIMEOUT_S = 1.0  # of a deployment, for one answer
PATIENCE_S = 600.0
COPIED = (
    *(
        "conftest.py",
        "pyproject.toml",
        "requirements.lock",
        "fixtures",
        "ci",
        "schemas",
        "pacts",
        "suites/compat",
        "suites/plugins",
    ),
    *(f"suites/{file.name}" for file in (ROOT / "suites").glob("*.py")),
)
SUITES = (
    *("__init__", "conftest", "parameters"),
    *("test_every_instance", "test_mixed_batches", "test_old_codes_still_unsubscribe", "test_replay"),
)
SLICE = "(subscribers-errors or directory-responses) and (NotRegistered or test_the_empty_batch)"
OLD_CODES = "suites/compat/test_old_codes_still_unsubscribe.py::test_old_codes_still_unsubscribe"
TESTS = (
    "suites/compat/test_mixed_batches.py::test_the_empty_batch_is_taken[directory-responses]",
    "suites/compat/test_mixed_batches.py::test_the_empty_batch_is_taken[subscribers-errors]",
    f"{OLD_CODES}[directory-responses-legacy-NotRegistered]",
    f"{OLD_CODES}[subscribers-errors-legacy-NotRegistered]",
)
REPORTS = 4
SUITE_PROCESS = "ci/support/suite_process.py"
TEST_FOLDERS = 'TESTS = ("suites/compat", '
POLICY = """every_case_at_every_provider = false
every_case_in_every_world = false
rollout = false
reports = {reports}
expected_tests = "ci/expected_tests.json"
"""
EARLIER_RUN = "earlier-run"
# Of a gate that was refused, crashed or killed.
UNENDED_EXITS = (2, 64, 70, 130, -2, -9)
# These tests may run under pytest-xdist, whose settings must not reach the gate.
FOREIGN_VARIABLES = ("PYTEST_", "FCM_", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Scene:
    """The copy of the project, the build folder, and the URLs of right reference services."""

    project: Path
    build: Path
    service_urls: Mapping[str, str]


@dataclass(frozen=True)
class GateCall:
    """How the gate is called while a fault is in place; `disturb` acts on its running process."""

    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    disturb: Callable[[subprocess.Popen[str]], None] | None = None
    # Runs in the gate's process before the gate does, such as to limit what it may do.
    prepare: Callable[[], object] = lambda: None
    # Whether `environment` is all that the gate finds.
    empty_environment: bool = False
    # Where the gate runs, if not in the scene of the fault.
    scene: Scene | None = None


PutInPlace: TypeAlias = Callable[[Scene], AbstractContextManager[GateCall]]


@dataclass(frozen=True)
class GateFault:
    """Something that goes wrong around a run.

    `verdict` is `undecided` or `no-go`, `none` if the gate refuses to begin or is killed, or `go` if it must
    make no difference. The verdict and the terminal must show the pattern `reason`. `waits_s`: the configured
    time-outs that must pass first. A run that has not `ended` leaves the verdict with which it began.
    """

    name: str
    what: str
    verdict: str
    reason: str
    put_in_place: PutInPlace
    waits_s: float = 0.0
    ended: bool = True


@dataclass(frozen=True)
class GateResult:
    """What a gate printed, wrote and exited with; `known_s`: seconds until its reason could be read."""

    exit_status: int
    text: str
    verdict: Mapping[str, Any] | None
    known_s: float | None
    # The files that still hold what an earlier run wrote.
    stale: Sequence[str] = ()

    @property
    def reasons(self) -> str:
        return "\n".join(self.verdict["reasons"]) if self.verdict else ""


def create_project(project: Path) -> Path:
    """Copy what a gate needs; the gate of the copy says *go*."""
    for name in COPIED:
        source, copy = ROOT / name, project / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("node_modules"))
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    for file in (project / "suites" / "compat").glob("*.py"):
        if file.stem not in SUITES:
            file.unlink()
    # Allure takes longer than everything else and does not change the verdict.
    (project / "ci" / "setup" / "report.sh").write_text("#!/bin/sh\nexit 64\n", encoding="utf-8")
    (project / ".venv").symlink_to(sys.prefix)
    folders = 'TESTS = ("suites/rollout", "suites/contracts", "suites/compat", "suites/selfcheck/checks")'
    edit_file(project / SUITE_PROCESS, folders, f"{TEST_FOLDERS})")
    select_tests(project, SLICE, TESTS, REPORTS)
    return project


def select_tests(project: Path, only: str, test_ids: Iterable[str], reports: int) -> None:
    """Let the project run the tests that `only` selects, and let its policy expect these."""
    file = project / SUITE_PROCESS
    line = f'and not nightly", "-k": {json.dumps(only)},'
    text, times = re.subn('and not nightly",.*', lambda _match: line, file.read_text(encoding="utf-8"))
    assert times == 1, f"{file.name} must state the marks on a line of their own"
    file.write_text(text, encoding="utf-8")
    (project / "ci" / "gate_policy.toml").write_text(POLICY.format(reports=reports), encoding="utf-8")
    expected = format_expected_tests(test_ids)
    (project / "ci" / "expected_tests.json").write_text(expected, encoding="utf-8")


def add_pytest_plugin(project: Path, name: str) -> None:
    """Let the project's gate name one more plugin."""
    edit_file(project / SUITE_PROCESS, "PLUGINS = (", f'PLUGINS = ("{name}", ')


def add_pytest_options(project: Path, *options: str) -> None:
    """Append to `addopts`."""
    values = json.dumps(options)[1:-1].replace("\\", "\\\\")
    file = project / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    changed, times = re.subn(r"^(addopts = \[.*)\]$", rf"\1, {values}]", text, flags=re.MULTILINE)
    assert times == 1, "addopts must be on one line"
    file.write_text(changed, encoding="utf-8")


def edit_file(file: Path, old: str, new: str) -> None:
    """Replace a text that occurs once in a file."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def deploy(service: str, url: str, scene: Scene, **members: Any) -> tuple[str, ...]:
    """Write a targets file with this service, with a short time-out. Returns the gate's options for it.

    The service must keep the pacts of this suite: where it need not, a breach of a contract is a notice.
    """
    rows = {"url": url, "timeout_s": TIMEOUT_S, "pacts": "suite", **members}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in rows.items())
    scene.build.mkdir(parents=True, exist_ok=True)
    file = scene.build.parent / f"{scene.build.name}.toml"
    file.write_text(f"[environments.lab.services.{service}]\n{text}", encoding="utf-8")
    return (f"--targets={file}", "--i-own=lab")


def run_fault(fault: GateFault, scene: Scene) -> GateResult:
    """Run the gate with a fault in place."""
    with fault.put_in_place(scene) as call:
        return run_gate(call.scene or scene, call, re.compile(fault.reason))


def run_gate(scene: Scene, call: GateCall, reason: re.Pattern[str]) -> GateResult:
    """Run the gate of a project copy, and measure when it first prints the reason."""
    started = time.monotonic()
    lines: list[str] = []
    known_s = None
    environment = {name: v for name, v in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)}
    environment = {} if call.empty_environment else environment
    command = ["./ci/gate", "--examples=1", "-n1", f"--build={scene.build}"]
    with subprocess.Popen(  # noqa: S603  our own gate
        [*command, *call.arguments],
        cwd=scene.project,
        env={**environment, **call.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=functools.partial(_prepare_process, call.prepare),  # noqa: PLW1509  no thread here holds a lock
    ) as process:
        assert process.stdout is not None
        if call.disturb:
            call.disturb(process)
        for line in process.stdout:
            lines.append(line)
            if known_s is None and reason.search(line):
                known_s = time.monotonic() - started
    verdict, stale = read_verdict(scene.build), find_stale_files(scene.build)
    return GateResult(process.returncode, "".join(lines), verdict, known_s, stale)


def write_earlier_go(build: Path) -> None:
    """Leave in a build folder what a run that was *go* leaves."""
    files = RunFiles(build_folder.adopt(build), build / "history")
    empty = {"findings": [], "cases": {}, "versions": {}, "reports": 0, "seed": 0, "duration_s": 0}
    go = {"verdict": "go", "run": EARLIER_RUN, "environment": "local", "reasons": [], **empty}
    texts = {files.verdict: json.dumps(go), files.ledger: EARLIER_RUN}
    for file in (files.junit, files.markdown, files.pages / "index.html", files.rollout / "answer.json"):
        texts[file] = f"GO {EARLIER_RUN}"
    for file, text in texts.items():
        build_folder.write_text(file, text)


def find_stale_files(build: Path) -> list[str]:
    """The files below a build folder that still hold what `write_earlier_go` wrote."""
    files = [file for file in build.rglob("*") if file.is_file()]
    return [str(file) for file in files if EARLIER_RUN.encode() in file.read_bytes()]


def _prepare_process(prepare: Callable[[], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell may start the tests with Ctrl-C ignored
    prepare()


def read_verdict(build: Path) -> Mapping[str, Any] | None:
    """Read and validate verdict.json; None if there is none."""
    file = build / "verdict.json"
    if not file.is_file():
        return None
    verdict: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    schemas.validate(verdict, "verdict.schema.json")
    return verdict


def find_mistake(fault: GateFault, result: GateResult) -> str:
    """What the gate did wrong with a fault; empty if nothing."""
    exits = {"go": (0,), "no-go": (1,), "undecided": (2,), "none": UNENDED_EXITS}[fault.verdict]
    if not fault.ended:
        exits = UNENDED_EXITS
        if "has-not-ended" not in result.reasons:
            return f"verdict.json does not say that the run has not ended:\n{result.reasons}"
    if result.stale:
        return f"an earlier run still speaks: {result.stale}"
    word = result.verdict["verdict"] if result.verdict else "none"
    if word != fault.verdict or result.exit_status not in exits:
        return f"it says {word}, and exits {result.exit_status}:\n{result.text[-3000:]}"
    if word not in {"none", "go"} and fault.ended and not re.search(fault.reason, result.reasons):
        return f"verdict.json does not say {fault.reason!r}:\n{result.reasons}"
    if not re.search(fault.reason, result.text):
        return f"the terminal does not say {fault.reason!r}:\n{result.text[-3000:]}"
    return ""


def for_each_fault(
    faults: Sequence[GateFault], *, by_day: Collection[str]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A test for each fault; those that are not in `by_day` are marked nightly."""
    marks = {fault.name: () if fault.name in by_day else (pytest.mark.nightly,) for fault in faults}
    return pytest.mark.parametrize(
        "fault", [pytest.param(fault, id=fault.name, marks=marks[fault.name]) for fault in faults]
    )
