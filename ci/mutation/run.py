"""Run tests on a mutant: in a copy of the tree, in a process forked from one that has loaded all the rest.

A test process spends seconds on loading pytest, Hypothesis and the like, and a tenth of one on our tests.
The parent loads those packages once, and of ours, from the copy, what does not depend on the module under
test. The child reads all else from the copy, mutant included; so do the processes that it starts, such as
the services.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import grimp

from fixtures.core.project import ROOT

LIBRARY = "fixtures"
OTHERS = (
    "pytest", "hypothesis.strategies", "httpx", "jsonschema", "jsonschema_rs", "networkx", "pact_ffi",
    "redis", "referencing.jsonschema", "rich.console", "starlette.applications", "uvicorn", "xml.dom.minidom",
)  # fmt: skip
PASSED, FAILED = 0, 1


def load_others() -> None:
    """Load what every test process needs and no mutant changes."""
    for name in OTHERS:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # then each child loads what there is by itself: slower, and nothing else


def load_ours(tree: Path, module: str) -> None:
    """Load what the module under test has no influence on, from the tree and from nowhere else."""
    _forget(LIBRARY)
    sys.path[:] = [str(tree), *(part for part in sys.path if part not in ("", str(ROOT), str(tree)))]
    graph = grimp.build_graph(LIBRARY, cache_dir=None)
    mutated = module.removesuffix(".py").replace("/", ".")
    influenced = {mutated, *graph.find_downstream_modules(mutated)}
    packages = {name.rpartition(".")[0] for name in influenced}
    for name in sorted(graph.modules - influenced - packages):
        if not name.startswith(f"{LIBRARY}.services"):  # they run in processes of their own
            importlib.import_module(name)
    if f"{LIBRARY}.catalogue" in sys.modules:
        sys.modules[f"{LIBRARY}.catalogue"].load()
    _forget(*influenced)


def _forget(*names: str) -> None:
    """Forget these modules and all below them, so that they are loaded anew."""
    for loaded in list(sys.modules):
        if any(loaded == name or loaded.startswith(f"{name}.") for name in names):
            del sys.modules[loaded]


def copy_of_tree(folder: Path) -> Path:
    """A copy of the files that git knows or would take, without a repository and without compiled files."""
    shutil.rmtree(folder, ignore_errors=True)
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, check=True, text=True).stdout  # noqa: S603
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run(tree: Path, arguments: Sequence[str], log: Path, limit_s: float) -> tuple[int | None, float]:
    """The exit code of pytest in the tree, None if it took too long, and the seconds."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_pytest(tree, arguments, log)
    code = _waited(child, started + limit_s)
    return code, time.monotonic() - started


def _waited(child: int, until: float) -> int | None:
    pause = 0.005
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _end_group(child)
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
    _end_group(child)
    os.waitpid(child, 0)
    return None


def _end_group(child: int) -> None:
    """End what the child has left running: services, and the child itself."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return


def _be_pytest(tree: Path, arguments: Sequence[str], log: Path) -> None:
    """Become pytest in the tree; never returns."""
    code = 70
    try:
        os.setsid()
        os.chdir(tree)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        _forget("ci")
        sys.dont_write_bytecode = True  # a mutant is as long and as new as the next: Python would mix them up
        os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree)}
        code = int(importlib.import_module("pytest").main([*arguments, "-x", "-q", "-p", "no:xdist"]))
        sys.stdout.flush()
    finally:
        os._exit(code)
