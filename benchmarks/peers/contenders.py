"""The contenders: each gets the URL of a provider and says whether something is wrong with it."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.contracts.pact.verification import VerifierProcess, verify_pact
from fixtures.core.project import ROOT
from fixtures.faults import FAULTS, Fault, sample
from fixtures.targets.embedded import start_process

# A pact with each provider as a careful team writes it by hand: an interaction for each code that it knows,
# exact where the consumer needs a value, by type elsewhere. A second delivery has no place in a pact.
PACTS = ROOT / "benchmarks" / "peers" / "pacts"
OWN = ROOT / ".venv-peers"
JAR = next(OWN.glob("lib/python*/site-packages/specmatic/core/specmatic.jar"), OWN / "specmatic.jar")
SCHEMATHESIS_S = 30

Judge = Callable[[str, str, float], bool | None]


@dataclass(frozen=True)
class ContenderRun:
    """One contender at one service: whether it was red (None if it did not finish), and what it cost."""

    red: bool | None
    seconds: float
    requests: int


def why_unavailable(name: str) -> str | None:
    """Why a contender cannot run on this machine; None if it can."""
    if name == "Schemathesis" and not (OWN / "bin" / "schemathesis").exists():
        return "not installed: ./ci/setup/peers.sh"
    if name == "Specmatic" and shutil.which("java") is None:
        return "no Java on this machine"
    if name == "Specmatic" and not JAR.exists():
        return "not installed: ./ci/setup/peers.sh"
    return None


def choose_faults(count: int) -> list[Fault]:
    """A balanced choice of `count` faults, of services that can be served alone."""
    return [fault for fault in sample(len(FAULTS)) if fault.shows_alone][:count]


def judge_service(judge: Judge, provider: str, fault: str, limit_s: float) -> ContenderRun:
    """Let a contender judge a service; `fault` is a name, or `-` for the right service."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-peers-") as folder:
        request_log = Path(folder) / "requests"
        with start_process("benchmarks.peers.counted_service", provider, fault, str(request_log)) as (line,):
            started = time.monotonic()
            red = judge(provider, line["url"], limit_s)
            return ContenderRun(red, time.monotonic() - started, request_log.stat().st_size)


def judge_by_compat_suite(provider: str, url: str, limit_s: float) -> bool | None:
    """The compat suite of this provider, until its first finding."""
    # Only one provider has counts by code, and the names of these tests do not say which.
    selection = f"{provider} or counts_by_code" if provider == "directory-responses" else provider
    with tempfile.TemporaryDirectory(prefix="fcm-compat-peers-") as folder:
        options = ["-k", selection, f"--target={provider}={url}", f"--ledger={folder}/ledger.jsonl"]
        command = [sys.executable, "-m", "pytest", "suites/compat", "-q", "-x", "--examples=3", *options]
        return _is_red(command, limit_s, cwd=ROOT)


def judge_by_pact(provider: str, url: str, _limit_s: float) -> bool | None:
    """The hand-written pact, by Pact's own Verifier."""
    pact = (PACTS / f"{provider}.json").read_text(encoding="utf-8")
    with contextlib.closing(VerifierProcess(plain_http=True)) as verifier:
        return bool(verify_pact(verifier, pact, url, states=True).problems)


def judge_by_schemathesis(provider: str, url: str, limit_s: float) -> bool | None:
    """All phases and checks, to the first failure; a provider may accept partly invalid batches."""
    options = (
        f"--seed 1 --exclude-checks negative_data_rejection --max-time {SCHEMATHESIS_S} --max-failures 1"
    )
    command = [str(OWN / "bin" / "schemathesis"), "run", document(provider), "--url", url, *options.split()]
    return _is_red(command, limit_s)


def judge_by_specmatic(provider: str, url: str, limit_s: float) -> bool | None:
    """Tests generated from the document."""
    command = ["java", "-jar", str(JAR), "test", "--lenient", f"--testBaseURL={url}", document(provider)]
    return _is_red(command, limit_s)


def document(provider: str) -> str:
    """The OpenAPI document of a provider."""
    return str(ROOT / "docs" / "openapi" / f"{provider}.json")


def _is_red(command: Sequence[str], limit_s: float, cwd: Path | None = None) -> bool | None:
    """Whether a command exits 1 rather than 0; None if it does not end in time, or otherwise."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-peers-") as folder:
        try:
            result = subprocess.run(  # noqa: S603  the contenders of this file
                command, cwd=cwd or folder, capture_output=True, check=False, timeout=limit_s
            )
        except subprocess.TimeoutExpired:
            return None
    return {0: False, 1: True}.get(result.returncode)


CONTENDERS: dict[str, Judge] = {
    "fcm-compat": judge_by_compat_suite,
    "Pact, by hand": judge_by_pact,
    "Schemathesis": judge_by_schemathesis,
    "Specmatic": judge_by_specmatic,
}
