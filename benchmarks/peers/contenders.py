"""Who is set side by side: each gets the URL of a provider, and says whether something is wrong with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import handwritten
from fixtures.contracts.pact.verification import verification_of
from fixtures.core.project import ROOT
from fixtures.faults import FAULTS, Fault, sample
from fixtures.targets.target import served

OWN = ROOT / ".venv-peers"
JAR = next(OWN.glob("lib/python*/site-packages/specmatic/core/specmatic.jar"), OWN / "specmatic.jar")
SCHEMATHESIS_S = 30

Judge = Callable[[str, str, float], bool | None]


@dataclass(frozen=True)
class Run:
    """One contender on one service: whether it was red, None if it did not finish, and what it cost."""

    red: bool | None
    seconds: float
    requests: int


def unavailable(name: str) -> str | None:
    """Why a contender cannot run here; None if it can."""
    if name == "Schemathesis" and not (OWN / "bin" / "schemathesis").exists():
        return "not installed: ./ci/setup/peers.sh"
    if name == "Specmatic" and shutil.which("java") is None:
        return "no Java on this machine"
    if name == "Specmatic" and not JAR.exists():
        return "not installed: ./ci/setup/peers.sh"
    return None


def chosen(count: int) -> list[Fault]:
    """A balanced choice of so many faults, of services that can be served alone."""
    return [fault for fault in sample(len(FAULTS)) if fault.served_alone][:count]


def run(judge: Judge, provider: str, fault: str, limit_s: float) -> Run:
    """Let a contender judge a service; `fault` is a name, or - for the right service."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-peers-") as name:
        noted = Path(name) / "requests"
        with served("benchmarks.peers.served", provider, fault, str(noted)) as (line,):
            started = time.monotonic()
            red = judge(provider, line["url"], limit_s)
            return Run(red, time.monotonic() - started, noted.stat().st_size)


def ours(provider: str, url: str, limit_s: float) -> bool | None:
    """The compat suite of this provider, until its first finding."""
    # The sums by code are asked of one provider only, which the test's name does not say.
    chosen = f"{provider} or counts_by_code" if provider == handwritten.RESPONSES else provider
    with tempfile.TemporaryDirectory(prefix="fcm-compat-peers-") as name:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "suites/compat",
            "-q",
            "-x",
            "-k",
            chosen,
            "--examples",
            "3",
        ]
        command += [f"--target={provider}={url}", f"--ledger={name}/ledger.jsonl"]
        return _red(command, limit_s, green=0, red=1)


def pact(provider: str, url: str, _limit_s: float) -> bool | None:
    """The hand-written pact, by Pact's own Verifier."""
    return bool(verification_of(handwritten.pact_of(provider), url, states=True).problems)


def schemathesis(provider: str, url: str, limit_s: float) -> bool | None:
    """All phases and checks, to the first failure; negative data may be taken, as tolerant readers do."""
    command = [str(OWN / "bin" / "schemathesis"), "run", document(provider), "--url", url, "--seed", "1"]
    command += ["--exclude-checks", "negative_data_rejection", "--max-time", str(SCHEMATHESIS_S)]
    command += ["--max-failures", "1"]
    return _red(command, limit_s, green=0, red=1)


def specmatic(provider: str, url: str, limit_s: float) -> bool | None:
    """Tests generated from the document; without --lenient it refuses our documents before any request."""
    command = ["java", "-jar", str(JAR), "test", "--lenient", f"--testBaseURL={url}", document(provider)]
    return _red(command, limit_s, green=0, red=1)


def document(provider: str) -> str:
    """The OpenAPI document of a provider."""
    return str(ROOT / "docs" / "openapi" / f"{provider}.json")


def _red(command: Sequence[str], limit_s: float, *, green: int, red: int) -> bool | None:
    """Whether a command ends red; None if it does not end in time, or otherwise than it should."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-peers-") as name:
        cwd = ROOT if command[0] == sys.executable else Path(name)
        try:
            done = subprocess.run(command, cwd=cwd, capture_output=True, check=False, timeout=limit_s)  # noqa: S603
        except subprocess.TimeoutExpired:
            return None
    return {green: False, red: True}.get(done.returncode)


CONTENDERS: dict[str, Judge] = {
    "fcm-compat": ours,
    "Pact, by hand": pact,
    "Schemathesis": schemathesis,
    "Specmatic": specmatic,
}
