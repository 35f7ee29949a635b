"""What is checked out: the commit, and a digest of all files that decide a run."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from fixtures.core.project import ROOT
from fixtures.results import policy

# Two checkouts with the same content here run the same tests, whatever Git says.
SOURCE_FOLDERS = ("ci", "fixtures", "pacts", "schemas", "suites")
SOURCE_FILES = ("conftest.py", "pyproject.toml", "requirements.lock")
SOURCE_SUFFIXES = (".json", ".ndjson", ".py", ".toml")
GIT_TIMEOUT_S = 20


def read_commit(root: Path) -> str:
    """The commit that is checked out, with a plus if files differ from it; empty outside of Git."""
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""


def describe_checkout() -> dict[str, str]:
    """What all shards of a run must have in common."""
    folders = [file for name in SOURCE_FOLDERS for file in (ROOT / name).rglob("*")]
    sources = [ROOT / name for name in SOURCE_FILES]
    sources += [
        file for file in folders if file.suffix in SOURCE_SUFFIXES and "node_modules" not in file.parts
    ]
    by_name = {file.relative_to(ROOT).as_posix(): file for file in sources}
    return {
        "commit": read_commit(ROOT),
        "policy": digest([policy.POLICY_FILE.read_bytes()]),
        "source": digest(name.encode() + by_name[name].read_bytes() for name in sorted(by_name)),
    }


def digest(contents: Iterable[bytes]) -> str:
    """A short digest of some contents; empty for no content."""
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16] if digests else ""
