"""Faults of the run itself: somebody dies, the record is spoiled, the disk is full, the clock is set."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from suites.selfcheck.fail_closed.model import Fault, Made, Scene, Setting
from suites.selfcheck.fail_closed.sandbox import PATIENCE_S, addopts

SPOILER = "spoiler"
RECORDER_ONLY = (
    "    if hasattr(config, 'workerinput'): return\n    ledger = pathlib.Path(config.option.ledger)\n"
)


def plugged(hook: str) -> Made:
    """A plugin in pytest, which spoils the run from within."""

    @contextlib.contextmanager
    def made(scene: Scene) -> Iterator[Setting]:
        text = f"import os, pathlib, signal, time\n\n\n{hook}"
        (scene.house / f"{SPOILER}.py").write_text(text, encoding="utf-8")
        addopts(scene.house, "-p", SPOILER)
        yield Setting()

    return made


def at_the_end(change: str) -> Made:
    """The ledger, when pytest is done with it and nobody has read it."""
    return plugged(
        f"def pytest_unconfigure(config):\n{RECORDER_ONLY}    text = ledger.read_text()\n    {change}\n"
    )


def within_a_test(deed: str, *, worker: bool = True) -> Made:
    """Something that a process does while a test runs: a worker, or the one that records."""
    who = "PYTEST_XDIST_WORKER' in os.environ" if worker else "PYTEST_XDIST_WORKER' not in os.environ"
    return plugged(f"def pytest_runtest_logreport(report):\n    if '{who}: {deed}\n")


def meddled(deed: Callable[[Scene, subprocess.Popen[str]], None]) -> Made:
    """Something that is done to the gate while its tests run."""

    @contextlib.contextmanager
    def made(scene: Scene) -> Iterator[Setting]:
        def meddle(process: subprocess.Popen[str]) -> None:
            ledger = scene.build / "ledger.jsonl"
            until(lambda: ledger.is_file() and ledger.read_text().count("\n") > 1, process)
            deed(scene, process)

        yield Setting(meddle=meddle)

    return made


def until(ready: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something is so, as long as the gate lives."""
    end = time.monotonic() + PATIENCE_S
    while not ready():
        assert process.poll() is None, "the gate ended before"
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def killed(_scene: Scene, process: subprocess.Popen[str]) -> None:
    """Kill the gate; its pytest ends as soon as it writes to nobody."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    process.kill()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            _kill(int(child))


def pytest_killed(_scene: Scene, process: subprocess.Popen[str]) -> None:
    """Kill the process that records."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    _kill(int(children[0]))


def interrupted(_scene: Scene, process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C."""
    process.send_signal(signal.SIGINT)


def terminated(_scene: Scene, process: subprocess.Popen[str]) -> None:
    """End it as CI systems end a job."""
    process.terminate()


def _kill(pid: int) -> None:
    import os  # noqa: PLC0415

    os.kill(pid, signal.SIGKILL)


def limited(most_bytes: int) -> Made:
    """A disk that takes no more than so much into a file."""

    @contextlib.contextmanager
    def made(_scene: Scene) -> Iterator[Setting]:
        yield Setting(most_bytes=most_bytes)

    return made


def stale(inner: Made) -> Made:
    """The same, in a folder in which an earlier run said *go*."""

    @contextlib.contextmanager
    def made(scene: Scene) -> Iterator[Setting]:
        scene.build.mkdir(parents=True)
        (scene.build / "verdict.json").write_text('{"verdict": "go"}', encoding="utf-8")
        with inner(scene) as setting:
            yield setting

    return made


@contextlib.contextmanager
def no_folder(scene: Scene) -> Iterator[Setting]:
    """A file where the build folder should be."""
    scene.build.write_text("", encoding="utf-8")
    yield Setting()


@contextlib.contextmanager
def clock_set(scene: Scene) -> Iterator[Setting]:
    """A clock that somebody sets an hour back during the run."""
    shadow = scene.build.parent / f"{scene.build.name}-clock"
    shadow.mkdir()
    began = scene.build / "ledger.jsonl"
    (shadow / "sitecustomize.py").write_text(
        "import os, time\n\nreal = time.time\n\n\ndef set_back():\n"
        f"    return real() - (3600 if os.path.exists({str(began)!r}) else 0)\n\n\ntime.time = set_back\n",
        encoding="utf-8",
    )
    yield Setting(environment={"PYTHONPATH": str(shadow)})


ROWS: Mapping[str, tuple[str, Made, str, str]] = {
    "worker-killed": (
        "a worker is killed",
        within_a_test("os.kill(os.getpid(), signal.SIGKILL)"),
        "undecided",
        "crashed|worker",
    ),
    "worker-exits": (
        "a worker exits as if all were well",
        within_a_test("os._exit(0)"),
        "undecided",
        "crashed|worker",
    ),
    "recorder-killed": (
        "the recording process is killed",
        meddled(pytest_killed),
        "undecided",
        "ledger-without-footer",
    ),
    "recorder-exits": (
        "the recording process exits 0 in the middle",
        within_a_test("os._exit(0)", worker=False),
        "undecided",
        "ledger-without-footer",
    ),
    "gate-killed": (
        "the gate is killed half-way, where an earlier run said go",
        stale(meddled(killed)),
        "none",
        "",
    ),
    "gate-interrupted": ("somebody presses Ctrl-C", meddled(interrupted), "undecided", "interrupted"),
    "gate-terminated": ("the CI system ends the job", stale(meddled(terminated)), "undecided", "interrupted"),
    "ledger-truncated": (
        "the ledger loses its last kilobyte",
        at_the_end("ledger.write_text(text[:-1000])"),
        "undecided",
        "ledger-without-footer",
    ),
    "ledger-loses-a-line": (
        "the ledger loses a line",
        at_the_end("lines = text.splitlines(True); ledger.write_text(''.join(lines[:2] + lines[3:]))"),
        "undecided",
        "ledger-truncated",
    ),
    "ledger-garbled": (
        "a line of the ledger is garbled",
        at_the_end("ledger.write_text(text.replace('\"passed\"', '\"pas', 1))"),
        "undecided",
        "ledger-truncated: line 2",
    ),
    "ledger-empty": (
        "the ledger is empty",
        at_the_end("ledger.write_text('')"),
        "undecided",
        "ledger-without-header",
    ),
    "ledger-gone": ("the ledger is gone", at_the_end("ledger.unlink()"), "undecided", "ledger-missing"),
    "ledger-of-another-run": (
        "the ledger is another run's",
        at_the_end("ledger.write_text(text.replace(config.option.run_id, 'another'))"),
        "undecided",
        "ledger-of-another-run",
    ),
    "ledger-of-nobody": (
        "the ledger's header is another run's",
        at_the_end("ledger.write_text(text.replace(config.option.run_id, 'another', 1))"),
        "undecided",
        "ledger-mixed|ledger-of-another-run",
    ),
    "ledger-bytes": (
        "the ledger holds bytes that are no text",
        at_the_end("ledger.write_bytes(b'\\xff\\xfe' + text.encode())"),
        "undecided",
        "ledger-missing",
    ),
    "disk-full-half-way": ("no file may grow beyond 2 kB", limited(2_000), "undecided", "File too large"),
    "disk-full-at-once": ("the disk takes nothing", limited(0), "none", "File too large|cannot-write"),
    "no-build-folder": ("nothing can be written where it should be", no_folder, "none", "cannot-write"),
    "clock-set": ("the clock is set back by an hour", clock_set, "undecided", "clock-set"),
}

FAULTS = tuple(
    Fault(name, what, verdict, because, made) for name, (what, made, verdict, because) in ROWS.items()
)
