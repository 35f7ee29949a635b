"""Break each line of a module in turn, and see whether the tests notice: `./ci/mutants [--module NAME]`.

Exit 0 if each mutant was noticed or is recorded as equivalent in ci/mutation/mutants.toml, 1 if one was not, 2 if the
tests fail without any mutant, 64 wrong usage.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ci.mutation import run as kill
from ci.support import exits
from ci.support.cli import Arguments
from fixtures.core.project import ROOT

CONFIG = ROOT / "ci" / "mutation" / "mutants.toml"
PROPOSER = ROOT / ".venv-mutants" / "bin" / "python"
WORK = ROOT / "build" / "mutants"
QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # pytest's plugins are loaded before it starts
SHORTEST_LIMIT_S, LONGEST_S = 20.0, 600.0
BASELINES = 6  # a mutant may take this many times as long as the tests do
WORKERS = os.cpu_count() or 2
SLICE = 8
"""Mutants that a worker takes at once: few, so that no worker is left with many at the end."""


@dataclass(frozen=True)
class Mutant:
    """One change of a module: where, from which lines to which, and the text of the whole module."""

    module: str
    line: int
    was: str
    becomes: str
    text: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line}\n    was     {self.was}\n    becomes {self.becomes}"


@dataclass
class Score:
    """What became of the mutants of one module, as far as its workers have come."""

    module: str
    mutants: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    equivalent: int = 0
    seconds: float = 0
    """Of all workers together."""
    problem: str = ""
    """Why its mutants prove nothing, if they do not."""

    @property
    def killed(self) -> int:
        """How many mutants the tests noticed."""
        return self.mutants - self.equivalent - len(self.survivors)

    def row(self) -> str:
        """A line of the table."""
        share = self.killed / (self.mutants - self.equivalent) if self.mutants > self.equivalent else 1.0
        counts = f"{self.mutants:7} {self.killed:7} {self.equivalent:10} {len(self.survivors):9}"
        told = f"{counts} {share:7.1%}" if not self.problem else f"{self.mutants:7} {'undecided':>35}"
        return f"{self.module:52} {told} {self.seconds:7.0f}"


@dataclass(frozen=True)
class Slice:
    """Some mutants of one module, and the command line of the tests that must notice them."""

    module: str
    mutants: Sequence[Mutant]
    arguments: tuple[str, ...]


class Undecided(Exception):
    """The tests fail without any mutant, so that they can prove nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants that are asked for, module by module, and print what survived."""
    parser = Arguments("./ci/mutants", "Break each line in turn, and see whether the tests notice.")
    parser.add_argument("--module", action="append", metavar="NAME", help="only this module; repeatable")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants of each module")
    parser.add_argument("--seed", type=int, default=0, help="which mutants a sample takes")
    parser.add_argument(
        "-n", dest="workers", type=int, default=WORKERS, help=f"processes (default {WORKERS})"
    )
    options = parser.parse_args(arguments)
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    if unknown := [name for name in options.module or () if name not in config["modules"]]:
        allowed = "\n    ".join(config["modules"])
        parser.refuse(f"unknown-module: {unknown[0]}\n  allowed:\n    {allowed}\n  next: ./ci/mutants --help")
    if options.sample is not None and options.sample < 1:
        parser.refuse(f"bad-sample: {options.sample}\n  allowed: 1 or more\n  next: ./ci/mutants --sample 20")
    if options.workers < 1:
        parser.refuse(
            f"bad-workers: {options.workers}\n  allowed: 1 or more\n  next: ./ci/mutants -n {WORKERS}"
        )
    shutil.rmtree(WORK, ignore_errors=True)
    modules = options.module or config["modules"]
    slices = [each for name in modules for each in slices_of(name, config, options.sample, options.seed)]
    return summary(scores(slices, config, options.workers))


def slices_of(module: str, config: Mapping[str, Any], sample: int | None, seed: int) -> Iterator[Slice]:
    """The mutants of one module, as work for several workers."""
    chosen = config["modules"][module]
    arguments = (*config["killers"][chosen["killer"]], *QUIET)
    mutants = list(proposed(module, sentences=chosen.get("sentences", False)))
    if sample is not None and sample < len(mutants):
        mutants = random.Random(seed).sample(mutants, sample)  # noqa: S311  a choice, no secret
    print(f"{module}: {len(mutants)} mutants", flush=True)
    for first in range(0, len(mutants), SLICE):
        yield Slice(module, mutants[first : first + SLICE], arguments)


def scores(slices: Sequence[Slice], config: Mapping[str, Any], workers: int) -> list[Score]:
    """What became of all mutants, by module; tells of survivors at once."""
    found = {each.module: Score(each.module) for each in slices}
    fresh = get_context("spawn")  # no copy of our threads, and the same on every system
    with ProcessPoolExecutor(workers, mp_context=fresh, initializer=prepare) as pool:
        waiting = {pool.submit(survivors, each): each for each in slices}
        for done in as_completed(waiting):
            score = found[waiting[done].module]
            score.mutants += len(waiting[done].mutants)
            try:
                alive, took_s = done.result()
            except Undecided as problem:
                score.problem = str(problem)
                continue
            score.seconds += took_s
            for mutant in alive:
                if is_recorded(mutant, config):
                    score.equivalent += 1
                else:
                    score.survivors.append(mutant)
                    print(f"  survived: {mutant}", flush=True)
    return list(found.values())


def is_recorded(mutant: Mutant, config: Mapping[str, Any]) -> bool:
    """Tell whether ci/mutation/mutants.toml says why nothing notices a mutant."""
    told = (mutant.module, mutant.was, mutant.becomes)
    return any((row["module"], row["was"], row["becomes"]) == told for row in config.get("equivalent", ()))


def proposed(module: str, *, sentences: bool) -> Iterator[Mutant]:
    """All mutants of a module."""
    script = ROOT / "ci" / "mutation" / "propose.py"
    command = [str(PROPOSER), str(script), str(ROOT / module)]
    command += ["--sentences"] if sentences else []
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603
    for line in lines.splitlines():
        yield Mutant(module, **json.loads(line))


def prepare() -> None:
    """Make a worker ready, with a copy of the tree that is its own."""
    kill.load_others()
    kill.copy_of_tree(work() / "tree")


def work() -> Path:
    """Where this worker works."""
    return WORK / str(os.getpid())


@lru_cache(maxsize=1)
def limit_s(module: str, arguments: tuple[str, ...]) -> float:
    """How long this worker may take over a mutant of a module, for which it is made ready.

    Raises Undecided if the tests fail without any mutant.
    """
    kill.load_ours(work() / "tree", module)
    code, baseline_s = kill.run(work() / "tree", arguments, work() / "log", LONGEST_S)
    if code != kill.PASSED:
        said = (work() / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
        tests = " ".join(arguments)
        raise Undecided(f"tests-fail: of {module}, without any mutant:\n{said}\n  next: ./ci/test {tests}")
    return max(SHORTEST_LIMIT_S, BASELINES * baseline_s)


def survivors(slice_: Slice) -> tuple[list[Mutant], float]:
    """The mutants that no test noticed, and the seconds that all took."""
    limit = limit_s(slice_.module, slice_.arguments)
    alive, seconds = [], 0.0
    for mutant in slice_.mutants:
        file = work() / "tree" / mutant.module
        right = file.read_bytes()
        try:
            file.write_text(mutant.text, encoding="utf-8")
            code, took_s = kill.run(work() / "tree", slice_.arguments, work() / "log", limit)
        finally:
            file.write_bytes(right)
        seconds += took_s
        if code == kill.PASSED:
            alive.append(mutant)
    return alive, seconds


def summary(scores: Sequence[Score]) -> int:
    """Print the table; the exit code."""
    for score in scores:
        if score.problem:
            print(score.problem, file=sys.stderr)
    print(f"\n{'module':52} mutants  killed equivalent survivors   score seconds")
    for score in scores:
        print(score.row())
    decided = [score for score in scores if not score.problem]
    if len(decided) > 1:
        together = Score("all")
        for score in decided:
            together.mutants += score.mutants
            together.survivors += score.survivors
            together.equivalent += score.equivalent
            together.seconds += score.seconds
        print(together.row())
    if any(score.survivors for score in scores):
        print("survivors: a mutant that no test notices is a hole")
        print(
            "  next: a better check or test, or an [[equivalent]] in ci/mutation/mutants.toml with the reason"
        )
        return exits.NO_GO
    return exits.GO if decided == list(scores) else exits.UNDECIDED


if __name__ == "__main__":
    sys.exit(main())
