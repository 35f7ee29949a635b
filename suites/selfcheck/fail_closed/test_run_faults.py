"""A run that is disturbed is never a go: killed processes, a damaged ledger, a full disk, a wrong clock."""

import contextlib
import functools
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from suites.selfcheck.fail_closed.sandbox import (
    PATIENCE_S,
    GateCall,
    GateFault,
    PutInPlace,
    Scene,
    add_pytest_plugin,
    for_each_fault,
    write_earlier_go,
)

PLUGIN = "disturbing_plugin"


def with_plugin(hook: str) -> PutInPlace:
    """A plugin of pytest that disturbs the run from within."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        text = (
            f"import os, pathlib, signal, time\nfrom suites.plugins.options import get_run_config\n\n\n{hook}"
        )
        (scene.project / f"{PLUGIN}.py").write_text(text, encoding="utf-8")
        add_pytest_plugin(scene.project, PLUGIN)
        yield GateCall()

    return put_in_place


def damage_ledger(change: str) -> PutInPlace:
    """Change the ledger after pytest has written it and before the gate reads it."""
    return with_plugin(
        "def pytest_unconfigure(config):\n"
        "    if hasattr(config, 'workerinput'): return\n"
        "    run = get_run_config(config)\n"
        "    ledger = pathlib.Path(run.ledger)\n"
        f"    text = ledger.read_text()\n    {change}\n"
    )


def in_a_test(action: str, *, in_worker: bool = True) -> PutInPlace:
    """Let a worker, or the process that records, do something while a test runs."""
    process = "PYTEST_XDIST_WORKER' in os.environ" if in_worker else "PYTEST_XDIST_WORKER' not in os.environ"
    return with_plugin(f"def pytest_runtest_logreport(report):\n    if '{process}: {action}\n")


def disturb(action: Callable[[subprocess.Popen[str]], None]) -> PutInPlace:
    """Act on the gate's process while its tests run."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        def act(process: subprocess.Popen[str]) -> None:
            ledger = scene.build / "ledger.jsonl"
            deadline = time.monotonic() + PATIENCE_S
            while not (ledger.is_file() and ledger.read_text().count("\n") > 1):
                assert process.poll() is None, "the gate ended before its first test"
                assert time.monotonic() < deadline, "no test ran in time"
                time.sleep(0.02)
            action(process)

        yield GateCall(disturb=act)

    return put_in_place


def list_children(process: subprocess.Popen[str]) -> list[int]:
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(child) for child in path.read_text(encoding="ascii").split()]


def kill_gate(process: subprocess.Popen[str]) -> None:
    children = list_children(process)
    process.kill()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def kill_recorder(process: subprocess.Popen[str]) -> None:
    os.kill(list_children(process)[0], signal.SIGKILL)


def limit_files(max_bytes: int) -> PutInPlace:
    """No file can grow beyond so many bytes, as on a full disk."""
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (max_bytes, max_bytes))
    return lambda _scene: contextlib.nullcontext(GateCall(prepare=limit))


def after_a_go(put_in_place: PutInPlace) -> PutInPlace:
    """The same fault, in a folder in which an earlier run said *go*."""

    @contextlib.contextmanager
    def put_after_go(scene: Scene) -> Iterator[GateCall]:
        write_earlier_go(scene.build)
        with put_in_place(scene) as call:
            yield call

    return put_after_go


@contextlib.contextmanager
def no_build_folder(scene: Scene) -> Iterator[GateCall]:
    """A file where the build folder should be."""
    scene.build.write_text("", encoding="utf-8")
    yield GateCall()


@contextlib.contextmanager
def set_clock_back(scene: Scene) -> Iterator[GateCall]:
    """A clock that is set back by an hour during the run."""
    ledger = scene.build / "ledger.jsonl"
    (scene.project / "ci" / "commands" / "__init__.py").write_text(
        "import os, time\n\nreal = time.time\n\n\ndef set_back():\n"
        f"    return real() - (3600 if os.path.exists({str(ledger)!r}) else 0)\n\n\ntime.time = set_back\n",
        encoding="utf-8",
    )
    yield GateCall()


LOSE_A_LINE = "lines = text.splitlines(True); ledger.write_text(''.join(lines[:2] + lines[3:]))"
CUT_A_WORD = "ledger.write_text(text.replace('\"passed\"', '\"pas', 1))"
ROWS: tuple[tuple[str, str, PutInPlace, str, str], ...] = (
    (
        "worker-killed",
        "a worker is killed",
        in_a_test("os.kill(os.getpid(), signal.SIGKILL)"),
        "undecided",
        "crashed|worker",
    ),
    ("worker-exits", "a worker exits with 0", in_a_test("os._exit(0)"), "undecided", "crashed|worker"),
    (
        "recorder-killed",
        "the recording process is killed",
        disturb(kill_recorder),
        "undecided",
        "ledger-without-footer",
    ),
    (
        "recorder-exits",
        "the recording process exits with 0 in mid-run",
        in_a_test("os._exit(0)", in_worker=False),
        "undecided",
        "ledger-without-footer",
    ),
    (
        "gate-interrupted",
        "a user presses Ctrl-C",
        disturb(lambda process: process.send_signal(signal.SIGINT)),
        "undecided",
        "interrupted",
    ),
    (
        "gate-terminated",
        "the CI system ends the job",
        after_a_go(disturb(lambda process: process.terminate())),
        "undecided",
        "interrupted",
    ),
    (
        "ledger-truncated",
        "the ledger loses its last kilobyte",
        damage_ledger("ledger.write_text(text[:-1000])"),
        "undecided",
        "ledger-without-footer",
    ),
    (
        "ledger-loses-a-line",
        "the ledger loses a line",
        damage_ledger(LOSE_A_LINE),
        "undecided",
        "ledger-truncated",
    ),
    (
        "ledger-garbled",
        "a line of the ledger is garbled",
        damage_ledger(CUT_A_WORD),
        "undecided",
        "ledger-truncated: line 2",
    ),
    (
        "ledger-empty",
        "the ledger is empty",
        damage_ledger("ledger.write_text('')"),
        "undecided",
        "ledger-without-header",
    ),
    ("ledger-gone", "the ledger is gone", damage_ledger("ledger.unlink()"), "undecided", "ledger-missing"),
    (
        "ledger-of-another-run",
        "the ledger is another run's",
        damage_ledger("ledger.write_text(text.replace(run.run_id, 'another'))"),
        "undecided",
        "ledger-of-another-run",
    ),
    (
        "ledger-header-of-another-run",
        "the ledger's header is another run's",
        damage_ledger("ledger.write_text(text.replace(run.run_id, 'another', 1))"),
        "undecided",
        "ledger-mixed|ledger-of-another-run",
    ),
    (
        "ledger-bytes",
        "the ledger holds bytes that are no text",
        damage_ledger("ledger.write_bytes(b'\\xff\\xfe' + text.encode())"),
        "undecided",
        "ledger-missing",
    ),
    ("disk-full-half-way", "no file can grow beyond 2 kB", limit_files(2_000), "undecided", "File too large"),
    ("disk-full-at-once", "nothing can be written", limit_files(0), "none", "File too large|cannot-write"),
    (
        "no-build-folder",
        "a file is where the build folder should be",
        no_build_folder,
        "none",
        "cannot-write",
    ),
    ("clock-set", "the clock is set back by an hour", set_clock_back, "undecided", "clock-set"),
)
KILLED = GateFault(
    "gate-killed",
    "the gate is killed in mid-run, where an earlier run said go",
    "undecided",
    "",
    after_a_go(disturb(kill_gate)),
    ended=False,
)
FAULTS = [KILLED, *(GateFault(name, what, verdict, reason, put) for name, what, put, verdict, reason in ROWS)]


@pytest.mark.process
@for_each_fault(FAULTS, by_day={"worker-killed"})
def test_a_disturbed_run_is_never_go(
    fault: GateFault, own_scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, own_scene) == ""
