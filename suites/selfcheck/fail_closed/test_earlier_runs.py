"""A run never ends with the verdict of another one, and is never *go* where it judged nothing."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from fixtures.results import build_folder
from suites.selfcheck.fail_closed.sandbox import (
    GateCall,
    GateFault,
    PutInPlace,
    Scene,
    edit_file,
    for_each_fault,
    run_gate,
    write_earlier_go,
)
from suites.selfcheck.fail_closed.test_run_faults import disturb
from suites.selfcheck.results.test_build_folder import hold_lock

OWN_FOLDERS = ("report", "rollout", "allure-results", "verifications")
ONLY_GO_SENDER = '[environments.staging.services.go-sender]\nurl = "http://127.0.0.1:1"\n'


def call_with(*arguments: str) -> PutInPlace:
    """The same gate with these arguments, where an earlier run said *go*."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        write_earlier_go(scene.build)
        yield GateCall(arguments)

    return put_in_place


@contextlib.contextmanager
def crash(scene: Scene) -> Iterator[GateCall]:
    """A gate that crashes before its first test, where an earlier run said *go*."""
    write_earlier_go(scene.build)
    step = "    broker = ask_about_release(config.broker)\n"
    edit_file(scene.project / "ci" / "commands" / "gate.py", step, f"    1 / 0\n{step}")
    yield GateCall()


@contextlib.contextmanager
def kill_in_set_up(scene: Scene) -> Iterator[GateCall]:
    """A gate that is killed before its Python starts, where an earlier run said *go*."""
    write_earlier_go(scene.build)
    (scene.project / ".venv").rename(scene.build.parent / "earlier-environment")
    started = scene.build.parent / "started"
    python = scene.build.parent / "python"
    python.write_text(
        f"#!/bin/sh\necho $$ > {started}.part\nmv {started}.part {started}\nexec sleep 600 >&- 2>&-\n"
    )
    python.chmod(0o755)

    def kill(process: subprocess.Popen[str]) -> None:
        while not started.exists():
            assert process.poll() is None, "the gate ended before it was killed"
            time.sleep(0.02)
        process.kill()
        os.kill(int(started.read_text(encoding="ascii")), signal.SIGKILL)

    yield GateCall(environment={"PYTHON": str(python)}, disturb=kill)


@contextlib.contextmanager
def judge_nothing(scene: Scene) -> Iterator[GateCall]:
    """A targets file whose only service is none of those that are judged."""
    file = scene.build.parent / "targets.toml"
    file.write_text(ONLY_GO_SENDER, encoding="utf-8")
    yield GateCall((f"--targets={file}", "--i-own=staging"))


@contextlib.contextmanager
def run_another(scene: Scene) -> Iterator[GateCall]:
    """Another run that writes into the same folder."""
    with hold_lock(build_folder.adopt(scene.build)):
        yield GateCall()


@contextlib.contextmanager
def leave_tests_running(scene: Scene) -> Iterator[GateCall]:
    """A gate that was killed, and whose tests still write into the folder."""
    with disturb(lambda process: process.kill())(scene) as call:
        run_gate(scene, call, re.compile("never printed"))
    yield GateCall()


@contextlib.contextmanager
def use_foreign_folder(scene: Scene) -> Iterator[GateCall]:
    """A folder of another program, with folders of the same names."""
    files = [scene.build / name / "mine.txt" for name in OWN_FOLDERS]
    for file in files:
        build_folder.write_text(file, "mine")
    yield GateCall()
    assert all(file.exists() for file in files), "the gate removed files that are not its own"


FAULTS = [
    GateFault(
        "wrong-usage-after-go", "it is called wrongly", "undecided", "usage", call_with("--fast"), ended=False
    ),
    GateFault("crash-after-go", "the gate itself crashes", "undecided", "gate-crashed", crash, ended=False),
    GateFault(
        "killed-in-set-up",
        "the gate is killed while it sets up its environment",
        "undecided",
        "",
        kill_in_set_up,
        ended=False,
    ),
    GateFault(
        "environment-without-deployment",
        "an environment is named, and no deployment in it",
        "undecided",
        "no-deployment",
        call_with("--environment=staging", "--i-own=staging"),
        ended=False,
    ),
    GateFault(
        "owner-without-deployment",
        "--i-own is given, and no deployment",
        "undecided",
        "no-deployment",
        call_with("--i-own=staging"),
        ended=False,
    ),
    GateFault(
        "no-judged-deployment", "no named deployment is judged", "none", "no-deployment", judge_nothing
    ),
    GateFault("second-gate", "another run writes into the folder", "none", "build-in-use", run_another),
    GateFault(
        "tests-outlive-gate",
        "a gate was killed, and its tests still write into the folder",
        "undecided",
        "build-in-use",
        leave_tests_running,
        ended=False,
    ),
    GateFault(
        "foreign-folder", "the build folder holds other files", "none", "foreign-folder", use_foreign_folder
    ),
]


@pytest.mark.process
@for_each_fault(
    FAULTS, by_day={fault.name for fault in FAULTS} - {"owner-without-deployment", "tests-outlive-gate"}
)
def test_no_other_run_speaks_for_this_one(
    fault: GateFault, own_scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, own_scene) == ""
