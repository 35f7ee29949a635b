"""A connection that breaks in the middle of an exchange is never a finding: asked again, or undecided."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.deployed import Network, proxied
from fixtures.core.project import ROOT
from fixtures.results import ledger
from fixtures.targets.client import TargetClient, Unreachable
from fixtures.targets.config import Deployment
from fixtures.targets.rate_limit import Budget
from fixtures.targets.target import served

pytestmark = pytest.mark.process

NAMES = ("directory-responses", "subscribers-errors")
TESTS = {
    "providers": ("suites/compat/test_redelivery.py", "suites/compat/test_mixed_batches.py"),
    "pacts": ("suites/contracts/test_providers_honour_pacts.py", "-k", "the_provider_honours"),
    "worlds": ("suites/compat/test_end_to_end.py", "-k", "all-after-v1 and test_end_to_end"),
}


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("tests", TESTS.values(), ids=TESTS)
def test_a_broken_connection_is_no_finding(tmp_path: Path, tests: tuple[str, ...], seed: int) -> None:
    network = Network(delay_s=0.002, resets=1.0, chance=random.Random(seed))  # noqa: S311
    options = [part for name in NAMES for part in ("--service", name)]
    store = f"--store={tmp_path / 'store.sqlite'}"
    with (
        served("fixtures.services.server", *options, "--version=after", store, services=2) as lines,
        proxied(network, {line["service"]: line["url"] for line in lines}) as urls,
    ):
        targets = [f"--target={name}={url}" for name, url in urls.items()]
        command = [sys.executable, "-m", "pytest", *tests, *targets, f"--ledger={tmp_path}/ledger.jsonl"]
        ran = subprocess.run(  # noqa: S603
            [*command, "--examples=1"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
        )
    found = ledger.read(tmp_path / "ledger.jsonl")
    assert network.seen["resets"] > 0
    assert found.tests, ran.stdout
    assert [line["test"] for line in found.tests if line["result"] == "failed"] == [], ran.stdout
    reasons = {line["message"].split(":")[0] for line in found.tests if line["result"] == "broken"}
    assert reasons <= {"unreachable-target", "unobservable-target"}, ran.stdout


def test_a_look_is_asked_again_and_a_delivery_is_not() -> None:
    with served("fixtures.services.server", "--service=subscribers-errors", "--version=after") as (line,):
        for method, times in (("GET", 3), ("POST", 1)):
            network = Network(delay_s=0, resets=1.0, chance=FirstRequest())
            with proxied(network, {"it": line["url"]}) as urls:
                door = TargetClient(Deployment("subscribers-errors", urls["it"]), Budget())
                with pytest.raises(Unreachable):
                    door.exchange(method, "/v1/errors", None if method == "GET" else b'{"errors": []}')
                door.close()
            assert network.seen["connections"] == times


class FirstRequest(random.Random):
    """Every connection breaks at its first request."""

    def randint(self, a: int, _b: int) -> int:
        """The least."""
        return a
