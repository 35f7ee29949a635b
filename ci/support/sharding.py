"""Shards of a run: the options, the checkout that all have in common, and the durations that balance them."""

import argparse
import hashlib
import json
import shlex
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.support.cli import resolve_path
from fixtures.core import urls
from fixtures.core.errors import UserError
from fixtures.core.project import ROOT
from fixtures.core.redis_client import is_redis_url
from fixtures.core.run_config import RunConfig
from fixtures.core.topology import find_release_file
from fixtures.generation import example_database
from fixtures.results import policy_file, shards
from fixtures.results.ledger import Ledger
from fixtures.results.shards import Shard

# pytest-split makes too few shards if the last tests have a duration of zero.
SHORTEST_S = 0.001
# The doubt that each shard has alone, and all shards together do not have.
ONE_SHARD = "one-shard"
# Two checkouts with the same content here run the same tests, whatever Git says.
SOURCE_FOLDERS = ("ci", "fixtures", "pacts", "schemas", "suites")
SOURCE_FILES = ("conftest.py", "pyproject.toml", "requirements.lock")
SOURCE_SUFFIXES = (".json", ".ndjson", ".py", ".toml")
GIT_TIMEOUT_S = 20


@dataclass(frozen=True)
class ShardConfig:
    """One shard of a run that CI distributes: which shard, the run's name, and the durations file."""

    shard: Shard
    run: str
    durations: Path

    @property
    def pytest_arguments(self) -> list[str]:
        """The arguments for pytest-split. Neighbouring tests stay together, because they share fixtures."""
        shard = [f"--splits={self.shard.count}", f"--group={self.shard.number}"]
        return [*shard, f"--durations-path={self.durations}", "--splitting-algorithm=duration_based_chunks"]

    @property
    def doubt(self) -> str:
        """Why a single shard never says go."""
        merge = f"./ci/merge --run {shlex.quote(self.run)} DIR, with what all {self.shard.count} have written"
        return f"{ONE_SHARD}: {self.shard} of run {self.run} decides nothing alone; next: {merge}"

    def describe(self, run: RunConfig) -> dict[str, Any]:
        """The shard for the header of the ledger; `same` must be the same in all shards of the run."""
        same = {
            **describe_checkout(run.policy),
            "waivers": digest([json.dumps(run.waiver_rows).encode()] if run.waiver_rows else []),
            "examples": str(run.examples),
            "replayed": digest(Path(file).read_bytes() for file in run.replay),
            "durations": digest([self.durations.read_bytes()] if self.durations.exists() else []),
        }
        return {"number": self.shard.number, "of": self.shard.count, "run": self.run, "same": same}


def read_commit(root: Path) -> str:
    """The commit that is checked out, with a plus if files differ from it; empty outside of Git."""
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""


def describe_checkout(policy: str = "") -> dict[str, str]:
    """What all shards of a run must have in common, with their policy file if they have one of their own."""
    folders = [file for name in SOURCE_FOLDERS for file in (ROOT / name).rglob("*")]
    sources = [ROOT / name for name in SOURCE_FILES]
    sources += [
        file for file in folders if file.suffix in SOURCE_SUFFIXES and "node_modules" not in file.parts
    ]
    by_name = {file.relative_to(ROOT).as_posix(): file for file in sources}
    return {
        "commit": read_commit(ROOT),
        "policy": digest([Path(policy or policy_file.POLICY_FILE).read_bytes()]),
        "release": digest([find_release_file().read_bytes()]),
        "source": digest(name.encode() + by_name[name].read_bytes() for name in sorted(by_name)),
    }


def digest(contents: Iterable[bytes]) -> str:
    """A short digest of some contents; empty for no content."""
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16] if digests else ""


def read_shard_options(options: argparse.Namespace, default_durations: Path) -> ShardConfig | None:
    """Read and check the options of a shard; None if the whole run is wanted."""
    if options.known_failures and not is_redis_url(options.known_failures):
        url = repr(urls.redact_url(options.known_failures))
        problem = "allowed: redis://, rediss:// with HOST:PORT/DB, or unix:///PATH"
        next_step = f"{example_database.VARIABLE}=redis://127.0.0.1:6379/0"
        raise UserError("bad-known-failures", url, problem, next_step)
    if not options.shard and options.durations:
        problem = "only shards are balanced by durations"
        raise UserError("unused-durations", "--durations", problem, "add --shard N/OF, or leave it out")
    if not options.shard:
        return None
    shard = shards.parse_shard(options.shard)
    if not options.run:
        next_step = f"./ci/gate --shard {shard} --run ID, such as the number of the build"
        raise UserError("no-run", f"--shard {shard}", "the shards of a run need its name", next_step)
    durations = default_durations
    if options.durations:
        durations = resolve_path(options.caller_folder, options.durations)
        if not durations.exists():  # all shards would have to agree on none
            next_step = f"for the first shards of all: echo '{{}}' > {shlex.quote(options.durations)}"
            raise UserError("no-durations", repr(str(durations)), "no such file", next_step)
    if read_durations(durations) is None:
        problem = "allowed: a JSON object of tests and seconds"
        next_step = "delete it; a whole run or ./ci/merge writes another one"
        raise UserError("bad-durations", repr(str(durations)), problem, next_step)
    return ShardConfig(shard, options.run, durations)


def read_durations(file: Path) -> dict[str, float] | None:
    """The seconds of each test; empty if the file is missing, None if it holds anything else."""
    try:
        durations = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(durations, dict):
        return None
    usable = all(type(seconds) in (int, float) and seconds > 0 for seconds in durations.values())
    return durations if usable else None


def write_durations(file: Path, record: Ledger) -> None:
    """Write the duration of each test of a whole run; an incomplete run changes nothing."""
    if record.tests and not record.problems:
        durations = {line["test"]: max(line["duration_s"], SHORTEST_S) for line in record.tests}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(durations, indent=0, sort_keys=True) + "\n", encoding="utf-8")


def find_ledgers(folders: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """The ledgers below some folders, and a doubt for each folder without one."""
    ledgers: dict[Path, None] = {}
    doubts = []
    for folder in dict.fromkeys(folders):
        files = sorted(folder.rglob("ledger.jsonl"))
        ledgers |= dict.fromkeys(files)
        if not files:
            doubts.append(f"no-ledger: {folder}: it holds nothing of a shard")
    return list(ledgers), doubts
