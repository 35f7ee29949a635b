"""Break each line of a module in turn, and see whether the tests notice: `./ci/mutants [--module NAME]`.

Exit 0 if each mutant was noticed or is recorded as equivalent in ci/mutants.toml, 1 if one was not, 2 if the
tests fail without any mutant, 64 wrong usage.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci import exits
from ci.arguments import Arguments
from ci.mutation import kill

CONFIG = kill.ROOT / "ci" / "mutants.toml"
PROPOSER = kill.ROOT / ".venv-mutants" / "bin" / "python"
WORK = kill.ROOT / "build" / "mutants"
QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # pytest's plugins are loaded before it starts
SHORTEST_LIMIT_S = 20.0
BASELINES = 6  # a mutant may take this many times as long as the tests do


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


@dataclass(frozen=True)
class Score:
    """What became of the mutants of one module."""

    module: str
    mutants: int
    survivors: Sequence[Mutant]
    equivalent: int
    seconds: float

    @property
    def killed(self) -> int:
        """How many mutants the tests noticed."""
        return self.mutants - self.equivalent - len(self.survivors)

    def row(self) -> str:
        """A line of the table."""
        share = self.killed / (self.mutants - self.equivalent) if self.mutants > self.equivalent else 1.0
        counts = f"{self.mutants:7} {self.killed:7} {self.equivalent:10} {len(self.survivors):9}"
        return f"{self.module:52} {counts} {share:7.1%} {self.seconds:7.0f}"


class Undecided(Exception):
    """The tests fail without any mutant, so that they can prove nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants that are asked for, module by module, and print what survived."""
    parser = Arguments("./ci/mutants", "Break each line in turn, and see whether the tests notice.")
    parser.add_argument("--module", action="append", metavar="NAME", help="only this module; repeatable")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants of each module")
    parser.add_argument("--seed", type=int, default=0, help="which mutants a sample takes")
    options = parser.parse_args(arguments)
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    if unknown := [name for name in options.module or () if name not in config["modules"]]:
        allowed = "\n    ".join(config["modules"])
        parser.refuse(f"unknown-module: {unknown[0]}\n  allowed:\n    {allowed}\n  next: ./ci/mutants --help")
    if options.sample is not None and options.sample < 1:
        parser.refuse(f"bad-sample: {options.sample}\n  allowed: 1 or more\n  next: ./ci/mutants --sample 20")
    kill.load_others()
    tree = kill.copy_of_tree(WORK / "tree")
    try:
        scores = [
            score(tree, name, config, options.sample, options.seed)
            for name in options.module or config["modules"]
        ]
    except Undecided as problem:
        sys.stderr.write(f"{problem}\n")
        return exits.UNDECIDED
    return summary(scores)


def score(tree: Path, module: str, config: Mapping[str, Any], sample: int | None, seed: int) -> Score:
    """Run the mutants of one module."""
    chosen = config["modules"][module]
    tests = config["killers"][chosen["killer"]]
    arguments = [*tests, *QUIET, f"--ledger={WORK / 'ledger.jsonl'}"]
    mutants = list(proposed(module, sentences=chosen.get("sentences", False)))
    if sample is not None and sample < len(mutants):
        mutants = random.Random(seed).sample(mutants, sample)  # noqa: S311  a choice, no secret
    kill.load_ours(tree, module)
    code, baseline_s = kill.run(tree, arguments, WORK / "log", 600)
    if code != kill.PASSED:
        said = (WORK / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise Undecided(
            f"tests-fail: of {module}, without any mutant:\n{said}\n  next: ./ci/test {' '.join(tests)}"
        )
    print(f"{module}: {len(mutants)} mutants, {baseline_s:.1f} s for all tests", flush=True)
    limit_s = max(SHORTEST_LIMIT_S, BASELINES * baseline_s)
    alive, seconds = survivors(tree, mutants, arguments, limit_s)
    recorded = {
        (row["was"], row["becomes"]) for row in config.get("equivalent", ()) if row["module"] == module
    }
    unrecorded = [mutant for mutant in alive if (mutant.was, mutant.becomes) not in recorded]
    for mutant in unrecorded:
        print(f"  survived: {mutant}", flush=True)
    return Score(module, len(mutants), unrecorded, len(alive) - len(unrecorded), seconds)


def proposed(module: str, *, sentences: bool) -> Iterator[Mutant]:
    """All mutants of a module."""
    script = kill.ROOT / "ci" / "mutation" / "propose.py"
    command = [str(PROPOSER), str(script), str(kill.ROOT / module)]
    command += ["--sentences"] if sentences else []
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603
    for line in lines.splitlines():
        yield Mutant(module, **json.loads(line))


def survivors(
    tree: Path, mutants: Sequence[Mutant], arguments: Sequence[str], limit_s: float
) -> tuple[list[Mutant], float]:
    """The mutants that no test noticed, and the seconds that all took."""
    alive, seconds = [], 0.0
    for mutant in mutants:
        file = tree / mutant.module
        right = file.read_bytes()
        try:
            file.write_text(mutant.text, encoding="utf-8")
            code, took_s = kill.run(tree, arguments, WORK / "log", limit_s)
        finally:
            file.write_bytes(right)
        seconds += took_s
        if code == kill.PASSED:
            alive.append(mutant)
    return alive, seconds


def summary(scores: Sequence[Score]) -> int:
    """Print the table; the exit code."""
    print(f"\n{'module':52} mutants  killed equivalent survivors   score seconds")
    for each in scores:
        print(each.row())
    if len(scores) > 1:
        alive = [mutant for each in scores for mutant in each.survivors]
        equivalent = sum(each.equivalent for each in scores)
        seconds = sum(each.seconds for each in scores)
        print(Score("all", sum(each.mutants for each in scores), alive, equivalent, seconds).row())
    if any(each.survivors for each in scores):
        print("survivors: a mutant that no test notices is a hole")
        print("  next: a better check or test, or an [[equivalent]] in ci/mutants.toml with the reason")
        return exits.NO_GO
    return exits.GO


if __name__ == "__main__":
    sys.exit(main())
