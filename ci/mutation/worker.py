"""Runs tests on mutants of one module, in a copy of the tree: `python -m ci.mutation.worker MODULE TESTS...`.

A test process spends seconds on importing pytest, Hypothesis and the like, and a tenth of a second on our
tests. So this process first imports those packages, and ours that do not depend on the module under test.
For each mutant it forks a child, which imports the rest from the copy, the mutant included; so do the
processes that the child starts, such as the services.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import grimp

LIBRARY = "fixtures"
OTHERS = (
    "pytest", "hypothesis.strategies", "httpx", "jsonschema", "jsonschema_rs", "networkx", "pact_ffi",
    "redis", "referencing.jsonschema", "rich.console", "starlette.applications", "uvicorn", "xml.dom.minidom",
)  # fmt: skip
PASSED, CRASHED = 0, 70
SHORTEST_LIMIT_S, LONGEST_S = 20.0, 600.0
BASELINES = 6  # a mutant may take this many times as long as the tests do without any


def import_packages(mutated_file: str) -> None:
    """Import what every test process needs and the mutated module cannot influence."""
    for name in OTHERS:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # slower: each child looks for it
    graph = grimp.build_graph(LIBRARY, cache_dir=None)
    mutated = mutated_file.removesuffix(".py").replace("/", ".")
    influenced = {mutated, *graph.find_downstream_modules(mutated)}
    for name in sorted(graph.modules - influenced):
        packages = {name[:end] for end, letter in enumerate(name) if letter == "."}
        # The services run in processes of their own.
        if not packages & influenced and not name.startswith(f"{LIBRARY}.services"):
            importlib.import_module(name)
    catalogue = f"{LIBRARY}.core.catalogue"
    if catalogue not in influenced:
        importlib.import_module(catalogue).load_catalogue()  # it is cached, and takes longer than most tests


def run_pytest(arguments: Sequence[str], log: Path, limit_s: float) -> int | None:
    """Run pytest in a child; return its exit code, or None if it takes too long."""
    child = get_context("fork").Process(target=become_pytest, args=(arguments, log))
    child.start()
    assert child.pid is not None
    try:
        child.join(limit_s)
        return child.exitcode
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # with what it has left running, such as services
        child.join()


def become_pytest(arguments: Sequence[str], log: Path) -> None:
    """Run pytest in this process and exit, whatever threads the tests have left."""
    code = CRASHED
    try:
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = int(importlib.import_module("pytest").main([*arguments, "-x", "-q", "-p", "no:xdist"]))
        sys.stdout.flush()
    finally:
        os._exit(code)


def main() -> None:
    """Read the texts of mutants as JSON; print the numbers of those that survive, and the seconds in all."""
    module, *arguments = sys.argv[1:]
    texts = json.load(sys.stdin)
    file, log = Path(module), Path("pytest.log").absolute()
    result: dict[str, Any] = {"problem": "", "survivors": [], "seconds": 0}
    import_packages(module)
    started = time.monotonic()
    if run_pytest(arguments, log, LONGEST_S) == PASSED:
        limit_s = max(SHORTEST_LIMIT_S, BASELINES * (time.monotonic() - started))
        started = time.monotonic()
        original = file.read_bytes()
        for number, text in enumerate(texts):
            file.write_text(text, encoding="utf-8")
            if run_pytest(arguments, log, limit_s) == PASSED:
                result["survivors"].append(number)
        file.write_bytes(original)
        result["seconds"] = time.monotonic() - started
    else:
        output = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        next_step = f"./ci/test {' '.join(arguments)}"
        result["problem"] = f"tests-fail: of {module}, without any mutant:\n{output}\n  next: {next_step}"
    print(json.dumps(result))


if __name__ == "__main__":
    main()
