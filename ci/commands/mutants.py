"""`./ci/mutants [--module NAME]`: change each line of a module in turn, and see whether the tests notice.

Exits 0 if each mutant was noticed or is recorded as equivalent in ci/mutation/mutants.toml, 1 if one was not,
2 if the tests fail without any mutant, 64 for wrong usage.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ci.support.cli import Answer, command
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode
from fixtures.core.errors import UserError
from fixtures.core.project import BUILD, ROOT

CONFIG = ROOT / "ci" / "mutation" / "mutants.toml"
GENERATOR = ROOT / "ci" / "mutation" / "generate.py"
GENERATOR_PYTHON = ROOT / ".venv-mutants" / "bin" / "python"
# Plugins are imported before pytest runs.
PYTEST_OPTIONS = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of a module, as ci/mutation/generate.py describes it; `text` is the whole changed module."""

    scope: str
    was: str
    becomes: str
    occurrence: int
    line: int
    old_line: str
    new_line: str
    text: str

    def is_recorded(self, row: Mapping[str, Any]) -> bool:
        recorded = row["scope"], row["was"], row["becomes"], row.get("occurrence", 1)
        return recorded == (self.scope, self.was, self.becomes, self.occurrence)

    def __str__(self) -> str:
        names = ("scope", "was", "becomes", "occurrence")
        key = [f"{name} = {json.dumps(getattr(self, name))}" for name in names]
        lines = [f"line {self.line}", f"- {self.old_line}", f"+ {self.new_line}", *key]
        return "\n    ".join(lines)


@dataclass
class Score:
    """How many mutants of a module the tests noticed; `problem` says why they prove nothing, if so."""

    module: str
    mutants: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    equivalent: int = 0
    seconds: float = 0  # of all workers together
    problem: str = ""

    def format_row(self) -> str:
        relevant = self.mutants - self.equivalent
        killed = relevant - len(self.survivors)
        share = killed / relevant if relevant else 1.0
        result = f"{self.mutants:7} {killed:7} {self.equivalent:10} {len(self.survivors):9} {share:7.1%}"
        if self.problem:
            result = f"{self.mutants:7} {'undecided':>35}"
        return f"{self.module:52} {result} {self.seconds:7.0f}"


@command("mutants")
def main(_: CommandParser, options: argparse.Namespace) -> Answer:
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    options.module = options.module or list(config["modules"])
    check_options(options, config)
    folder = BUILD / "mutants"
    shutil.rmtree(folder, ignore_errors=True)
    trees = [copy_tree(folder / str(number)) for number in range(options.workers)]
    scores = [score_module(name, config, options, trees) for name in options.module]
    return Answer(print_scores(scores), [asdict(score) for score in scores])


def check_options(options: argparse.Namespace, config: Mapping[str, Any]) -> None:
    for name in options.module:
        if name not in config["modules"]:
            allowed = "\n    ".join(config["modules"])
            value = f"{name}\n  allowed:\n    {allowed}"
            raise UserError("unknown-module", value, "", "./ci/mutants --help")
    for name, example in (("sample", "--sample 20"), ("workers", "-n 2")):
        if (number := getattr(options, name)) is not None and number < 1:
            value = f"{number}\n  allowed: 1 or more"
            raise UserError(f"bad-{name}", value, "", f"./ci/mutants {example}")


def copy_tree(folder: Path) -> Path:
    """Copy the files that git tracks or would track, without compiled files."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, check=False, text=True)  # noqa: S603
    if listed.returncode:
        problem = f"git cannot list its files: {listed.stderr.strip()}"
        raise UserError("no-git-clone", str(ROOT), problem, "run ./ci/mutants in a clone of the repository")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def score_module(
    module: str, config: Mapping[str, Any], options: argparse.Namespace, trees: Sequence[Path]
) -> Score:
    """Divide the mutants of one module among the copies of the tree, and run the tests on each."""
    settings = config["modules"][module]
    mutants = generate_mutants(module, sentences=settings.get("sentences", False))
    if options.sample is not None and options.sample < len(mutants):
        mutants = random.Random(options.seed).sample(mutants, options.sample)  # noqa: S311  no secret
    print(f"{module}: {len(mutants)} mutants", flush=True)
    score = Score(module, len(mutants))
    equivalents = [row for row in config.get("equivalent", ()) if row["module"] == module]
    arguments = (*config["killers"][settings["killer"]], *PYTEST_OPTIONS)
    parts = [mutants[start :: len(trees)] for start in range(len(trees))]
    with ThreadPoolExecutor(len(trees)) as pool:
        for part, result in zip(
            parts, pool.map(partial(run_worker, module, arguments), trees, parts), strict=True
        ):
            score.seconds += result["seconds"]
            score.problem = score.problem or result["problem"]
            for mutant in (part[number] for number in result["survivors"]):
                if any(mutant.is_recorded(row) for row in equivalents):
                    score.equivalent += 1
                else:
                    score.survivors.append(mutant)
                    print(f"  survived: {module}, {mutant}", flush=True)
    return score


def generate_mutants(module: str, *, sentences: bool) -> list[Mutant]:
    command = [str(GENERATOR_PYTHON), str(GENERATOR), str(ROOT / module)]
    command += ["--sentences"] if sentences else []
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout  # noqa: S603
    return [Mutant(**json.loads(line)) for line in output.splitlines()]


def run_worker(
    module: str, arguments: Sequence[str], tree: Path, mutants: Sequence[Mutant]
) -> dict[str, Any]:
    """Run the tests on mutants in a copy of the tree; return what ci/mutation/worker.py prints."""
    # A mutant is often as long and as new as the one before it: Python would take its bytecode.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tree)}
    command = [sys.executable, "-m", "ci.mutation.worker", module, *arguments]
    texts = json.dumps([mutant.text for mutant in mutants])
    finished = subprocess.run(  # noqa: S603
        command, cwd=tree, env=environment, input=texts, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        problem = f"worker-failed: of {module}:\n{finished.stderr[-2000:]}"
        return {"problem": problem, "survivors": [], "seconds": 0}
    result: dict[str, Any] = json.loads(finished.stdout)
    return result


def print_scores(scores: Sequence[Score]) -> int:
    """Print the table; return the exit code."""
    decided = [score for score in scores if not score.problem]
    for score in scores:
        if score.problem:
            print(score.problem, file=sys.stderr)
    print(f"\n{'module':52} mutants  killed equivalent survivors   score seconds")
    for score in scores:
        print(score.format_row())
    total = Score("all")
    for score in decided:
        total.mutants += score.mutants
        total.survivors += score.survivors
        total.equivalent += score.equivalent
        total.seconds += score.seconds
    if len(decided) > 1:
        print(total.format_row())
    if total.survivors:
        print("survivors: a mutant that no test notices is a gap in the tests")
        print(
            "  next: a better check or test, or an [[equivalent]] in ci/mutation/mutants.toml with the reason"
        )
        return ExitCode.NO_GO
    return ExitCode.GO if decided == list(scores) else ExitCode.UNDECIDED
