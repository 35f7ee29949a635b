"""A small house: a copy of the project whose suites hold few tests, and whose policy asks for just those."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.core import schemas
from fixtures.core.project import ROOT
from fixtures.results.expected_tests import format_expected_tests
from suites.selfcheck.fail_closed.model import Fault, Scene, Setting

COPIED = (
    "conftest.py",
    "pyproject.toml",
    "fixtures",
    "ci",
    "schemas",
    "pacts",
    "suites/compat",
    "suites/plugins",
    *(f"suites/{file.name}" for file in (ROOT / "suites").glob("*.py")),
)
SUITES = (
    "__init__",
    "conftest",
    "parameters",
    "test_mixed_batches",
    "test_old_codes_still_unsubscribe",
    "test_replay",
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
POLICY = """every_case_at_every_provider = false
every_case_in_every_world = false
rollout = false
reports = {reports}
expected_tests = "ci/expected_tests.json"
"""
PATIENCE_S = 600.0
FOREIGN = ("PYTEST_", "FCM_", "PYTHONDONTWRITEBYTECODE")
"""What is somebody's own setting: these tests may themselves be run by pytest-xdist."""


@dataclass(frozen=True)
class Told:
    """What a gate printed, wrote and exited with, and when its reason could be read."""

    exit_status: int
    text: str
    verdict: Mapping[str, Any] | None
    seconds: float
    known_s: float | None

    @property
    def reasons(self) -> str:
        """Why, as the verdict says it."""
        return "\n".join(self.verdict["reasons"]) if self.verdict else ""


def built(house: Path) -> Path:
    """Copy what a gate needs; nothing in it is wrong, and its gate says *go*."""
    for name in COPIED:
        source, copy = ROOT / name, house / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    for file in (house / "suites" / "compat").glob("*.py"):
        if file.stem not in SUITES:
            file.unlink()
    # Allure takes longer than all the rest, and has no say.
    (house / "ci" / "setup" / "report.sh").write_text("#!/bin/sh\nexit 64\n", encoding="utf-8")
    select_tests(house, SLICE, TESTS, REPORTS)
    return house


def select_tests(house: Path, only: str, test_ids: Iterable[str], reports: int) -> None:
    """Let the project copy run the tests that `only` selects, and let its policy expect these."""
    addopts(house, "-k", only)
    (house / "ci" / "gate_policy.toml").write_text(POLICY.format(reports=reports), encoding="utf-8")
    expected = format_expected_tests(test_ids)
    (house / "ci" / "expected_tests.json").write_text(expected, encoding="utf-8")


def addopts(house: Path, *options: str) -> None:
    """Add to what pytest is always told; what is said last counts."""
    file = house / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    told = json.dumps(options)[1:-1].replace("\\", "\\\\")
    changed, times = re.subn(r"^(addopts = \[.*)\]$", rf"\1, {told}]", text, flags=re.MULTILINE)
    assert times == 1, "addopts stand in one line"
    file.write_text(changed, encoding="utf-8")


def edited(file: Path, old: str, new: str) -> None:
    """Change a text that stands in a file once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def command(build: Path) -> list[str]:
    """The gate of the house that one stands in."""
    return [sys.executable, "-m", "ci.commands.gate", "--examples=1", "-n1", f"--build={build}"]


def ran(fault: Fault, scene: Scene) -> Told:
    """Run the gate with a fault in place."""
    with fault.made(scene) as setting:
        return gate(scene, setting, re.compile(fault.because))


def gate(scene: Scene, setting: Setting, because: re.Pattern[str]) -> Told:
    """Run the gate of a house, and note when its reason is first told."""
    began, lines, known = time.monotonic(), [], None
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    with subprocess.Popen(  # noqa: S603  our own gate
        [*command(scene.build), *setting.arguments],
        cwd=scene.house,
        env={**clean, **setting.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_prepared(setting.most_bytes),  # noqa: PLW1509  no thread of ours holds a lock there
    ) as process:
        assert process.stdout is not None
        if setting.meddle:
            setting.meddle(process)
        for line in process.stdout:
            lines.append(line)
            if known is None and because.search(line):
                known = time.monotonic() - began
    return Told(process.returncode, "".join(lines), verdict_in(scene.build), time.monotonic() - began, known)


def _prepared(most_bytes: int | None) -> Callable[[], None]:
    """What the gate's process is before it begins: able to be interrupted, whoever started the tests."""

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return prepare


def verdict_in(build: Path) -> Mapping[str, Any] | None:
    """The verdict that was written, which satisfies its schema; None if there is none."""
    file = build / "verdict.json"
    if not file.is_file():
        return None
    verdict: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    schemas.validate(verdict, "verdict.schema.json")
    return verdict


def amiss(fault: Fault, told: Told) -> str:
    """What the gate did wrong with a fault; empty if nothing."""
    exits = {"no-go": (1,), "undecided": (2,), "none": (2, 64, 70, 130, -2, -9)}[fault.verdict]
    word = told.verdict["verdict"] if told.verdict else "none"
    if word != fault.verdict or told.exit_status not in exits:
        return f"it says {word}, and exits {told.exit_status}:\n{told.text[-3000:]}"
    if word != "none" and not re.search(fault.because, told.reasons):
        return f"verdict.json does not tell {fault.because!r}:\n{told.reasons}"
    if not re.search(fault.because, told.text):
        return f"the terminal does not tell {fault.because!r}:\n{told.text[-3000:]}"
    return ""
