"""What the commands know of shards: the options, how pytest is told, and what all of them have in common."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from ci.commands import report
from ci.support.cli import Arguments, meant
from fixtures.core.project import ROOT
from fixtures.generation import known
from fixtures.platform import redis_container
from fixtures.results import policy, shards
from fixtures.results.ledger import Ledger

FOLDERS = ("ci", "fixtures", "pacts", "schemas", "suites")
FILES = ("conftest.py", "pyproject.toml", "requirements.lock")
"""What decides a run: two trees that have these in common are the same, whatever Git says."""
READ = (".json", ".ndjson", ".py", ".toml")
RUN_VARIABLE = "FCM_COMPAT_RUN"
SHORTEST_S = 0.001
"""pytest-split runs out of shards where the last tests take no time at all."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a gate that runs one shard."""
    add = parser.add_argument
    add("--shard", metavar="N/OF", help="run one part, such as 3/16: ./ci/merge says the verdict of all")
    add_run(parser)
    known_at = f"a Redis in which shards tell each other what failed (better {known.VARIABLE}=URL)"
    add("--known-failures", default=os.environ.get(known.VARIABLE, ""), metavar="URL", help=known_at)
    add("--durations", metavar="FILE", help="what shards are cut by (default durations.json of the history)")


def add_run(parser: argparse.ArgumentParser) -> None:
    """The option that says which shards belong together."""
    named = f"what the CI system calls the run of all shards (or {RUN_VARIABLE}=ID)"
    parser.add_argument("--run", default=os.environ.get(RUN_VARIABLE, ""), metavar="ID", help=named)


def check(options: argparse.Namespace, parser: Arguments, history: Path) -> None:
    """Read the options of a shard, and refuse what makes none."""
    named = options.durations
    options.durations = meant(options.here, named) if named else history / "durations.json"
    if options.known_failures and not known.usable(options.known_failures):
        parser.refuse(
            f"bad-known-failures: {redis_container.shown(options.known_failures)!r}: allowed: redis://, rediss:// "
            f"with HOST:PORT/DB, or unix:///PATH\n  next: {known.VARIABLE}=redis://127.0.0.1:6379/0"
        )
    if not options.shard:
        return
    try:
        options.shard = shards.parse(options.shard)
    except shards.BadShard as error:
        parser.refuse(f"bad-shard: {error}\n  next: {parser.prog} --shard 1/8 --run ID")
    if not options.run:
        parser.refuse(
            f"no-run: --shard {options.shard}: all shards must be told to which run they belong\n"
            f"  next: {parser.prog} --shard {options.shard} --run ID, such as the number of the build"
        )
    if recorded(options.durations) is None:
        parser.refuse(
            f"bad-durations: {str(options.durations)!r}: allowed: a JSON object of tests and seconds\n"
            f"  next: delete it; a whole run or ./ci/merge writes another one"
        )


def ask_known_failures(url: str) -> None:
    """Hand on where failures are known, not on a command line; say it if nobody is there."""
    if url:
        os.environ[known.VARIABLE] = url
        if trouble := known.trouble(url):
            print(trouble, file=sys.stderr, flush=True)


def recorded(file: Path) -> dict[str, float] | None:
    """The durations of a file, empty where there is none; None if the file holds something else."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        return None
    usable = isinstance(found, dict) and all(type(one) in (int, float) and one > 0 for one in found.values())
    return found if usable else None


def write_durations(file: Path, ran: Ledger) -> None:
    """Record how long each test of a whole run took; a run that came to no end says nothing about that."""
    if ran.tests and not ran.problems:
        found = {line["test"]: max(line["duration_s"], SHORTEST_S) for line in ran.tests}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n", encoding="utf-8")


def pytest_options(options: argparse.Namespace) -> list[str]:
    """How pytest-split and the ledger are told of a shard."""
    if not options.shard:
        return []
    told = {"number": options.shard.number, "of": options.shard.of, "run": options.run, "same": same(options)}
    return [
        f"--splits={options.shard.of}",
        f"--group={options.shard.number}",
        f"--durations-path={options.durations}",
        "--splitting-algorithm=duration_based_chunks",  # neighbours share what is set up once for all of them
        f"--shard={json.dumps(told)}",
    ]


def alone(options: argparse.Namespace) -> list[str]:
    """Why the run of a shard is no go."""
    if not options.shard:
        return []
    said = f"one-shard: {options.shard} of run {options.run} decides nothing alone"
    merge = f"./ci/merge --run {shlex.quote(options.run)} DIR"
    return [f"{said}; next: {merge}, with what all {options.shard.of} have written"]


def same(options: argparse.Namespace) -> dict[str, str]:
    """What all shards of a run have in common, as far as the ledger does not say it elsewhere."""
    return {
        **here(),
        "examples": str(options.examples),
        "replayed": digest(Path(file).read_bytes() for file in options.replay),
        "durations": digest([options.durations.read_bytes()] if options.durations.exists() else []),
    }


def expected(run: str) -> dict[str, str]:
    """What every shard of a run on this tree says of itself."""
    return {"run": run, **here()}


def here() -> dict[str, str]:
    """What is checked out here: shards of anything else say nothing about it."""
    return {
        "commit": report.commit_of(ROOT),
        "policy": digest([policy.POLICY.read_bytes()]),
        "source": digest(_named(file).encode() + file.read_bytes() for file in _sources()),
    }


def digest(contents: Iterable[bytes]) -> str:
    """A short name of some contents, empty for none."""
    found = [hashlib.sha256(content).hexdigest() for content in contents]
    return hashlib.sha256("".join(found).encode()).hexdigest()[:16] if found else ""


def _sources() -> list[Path]:
    """All files that decide a run, in an order that is the same everywhere."""
    inside = [file for name in FOLDERS for file in (ROOT / name).rglob("*") if file.suffix in READ]
    ours = [file for file in inside if "node_modules" not in file.parts]
    return sorted([*ours, *(ROOT / name for name in FILES)], key=_named)


def _named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def parts_of(folders: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """The ledgers below some folders, and which folders hold none."""
    inside = {folder: sorted(folder.rglob("ledger.jsonl")) for folder in folders}
    doubts = [
        f"no-ledger: {folder}: nothing of a shard lies there" for folder in inside if not inside[folder]
    ]
    return list(dict.fromkeys(file for files in inside.values() for file in files)), doubts
