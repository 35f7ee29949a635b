"""Running Allure for the report: Node as a process, its pages made safe, what it saw compared."""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

from fixtures.core.project import ROOT
from fixtures.results.report.allure import disagreement, order
from fixtures.results.report.allure_hardening import NotAllure, hardened
from fixtures.results.report.model import Run

ALLURE = ROOT / "ci" / "allure"
MAKE = ALLURE / "make.mjs"
SET_UP_S, MAKE_S = 300, 300
PAGES = ("awesome/index.html", "dashboard/index.html")
HOW = "next: see that npm is there and reaches its registry, then ./ci/report"


@dataclass(frozen=True)
class Seen:
    """Why Allure is missing, or what its report gets wrong; both empty if all is well."""

    missing: str = ""
    problem: str = ""


def clear(*folders: Path) -> None:
    """Take away what an earlier run left: Allure would show its pages for ours."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write texts into a folder, by name; what UTF-8 cannot hold, such as half a character, as its escape."""
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="backslashreplace")


@dataclass(frozen=True)
class Node:
    """What runs Allure and waits for its order, or why nothing does."""

    process: subprocess.Popen[str] | None
    excuse: str = ""


@contextlib.contextmanager
def started() -> Iterator[Node]:
    """Let Node load Allure, which takes a while in which its order can be written; it ends with the block."""
    node, excuse = set_up()
    with tempfile.TemporaryDirectory(prefix="fcm-compat-") as folder:
        process = None
        try:
            if node:
                process = subprocess.Popen(  # noqa: S603  the lock's Node and our own script
                    [node, str(MAKE)], stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=folder, text=True
                )
        except OSError as error:
            excuse = f"{type(error).__name__} at {node}"
        try:
            yield Node(process, excuse)
        finally:
            if process is not None:
                process.kill()
                process.communicate()


def generate(
    node: Node, runs: Sequence[Run], folders: Mapping[str, Path], facts: Mapping[str, str], *, known: bool
) -> Seen:
    """Make Allure's pages; a machine that cannot is told how to, and its verdict stays as it is."""
    if node.process is None:
        return Seen(missing=f"no Allure report: {node.excuse}; {HOW}")
    output = folders["output"]
    told = order(runs, folders={key: str(path) for key, path in folders.items()}, known=known, about=facts)
    try:
        return Seen(problem=disagreement(runs, _made(node.process, told, output)))
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        clear(output)
        said = (str(error).splitlines() or [type(error).__name__])[0][:300]
        return Seen(missing=f"no Allure report: allure-failed: {said}; {HOW}")


def set_up() -> tuple[str, str]:
    """The Node that runs Allure, or why there is none."""
    with tempfile.TemporaryFile() as said, (ALLURE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several gates of one checkout may come here at once
        try:
            done = subprocess.run(  # noqa: S603  our own script
                [str(ROOT / "ci" / "setup" / "report.sh")],
                stdout=subprocess.PIPE,
                stderr=said,
                timeout=SET_UP_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return "", f"{type(error).__name__} at ci/setup/report.sh"
        if done.returncode == 0:
            return done.stdout.decode().strip(), ""
        said.seek(0)
        lines = [line.strip() for line in said.read().decode(errors="replace").splitlines() if line.strip()]
        return "", lines[0][:300] if lines else "ci/setup/report.sh failed"


def _made(node: subprocess.Popen[str], told: Mapping[str, object], output: Path) -> Mapping[str, object]:
    """What Allure saw, once its pages are written and made safe."""
    said, wrong = node.communicate(json.dumps(told), timeout=MAKE_S)
    if node.returncode != 0:
        raise NotAllure(wrong.strip()[-300:] or f"node exited {node.returncode}")
    nonce = secrets.token_urlsafe(16)
    for page in PAGES:
        file = output / page
        file.write_text(hardened(file.read_text(encoding="utf-8"), nonce), encoding="utf-8")
    (output / "index.html").unlink(
        missing_ok=True
    )  # Allure's own landing page, with analytics; ours is the first
    seen: Mapping[str, object] = json.loads(said.strip().splitlines()[-1])
    return seen


def output_of(command: Sequence[str]) -> str:
    """What a command prints; empty if it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
