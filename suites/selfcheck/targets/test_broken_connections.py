"""A broken connection is never a finding: the request is repeated, or the test is undecided."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.core.project import ROOT
from fixtures.results import ledger
from fixtures.targets.client import Unreachable, connect_deployment
from fixtures.targets.config import Deployment
from fixtures.targets.embedded import start_process
from suites.selfcheck.targets.slow_network import SlowNetwork, behind_network

pytestmark = pytest.mark.process

SERVICES = ("directory-responses", "subscribers-errors")
TESTS = {
    "providers": ("suites/compat/test_redelivery.py", "suites/compat/test_mixed_batches.py"),
    "pacts": ("suites/contracts/test_providers_honour_pacts.py", "-k", "the_provider_honours"),
    "worlds": ("suites/compat/test_end_to_end.py", "-k", "all-after-v1 and test_end_to_end"),
}


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("tests", TESTS.values(), ids=TESTS)
def test_a_broken_connection_is_no_finding(tmp_path: Path, tests: tuple[str, ...], seed: int) -> None:
    network = SlowNetwork(delay_s=0.002, resets=1.0, random=random.Random(seed))  # noqa: S311
    options = [part for name in SERVICES for part in ("--service", name)]
    store = f"--store={tmp_path / 'store.sqlite'}"
    with (
        start_process("fixtures.services.server", *options, "--version=after", store, services=2) as lines,
        behind_network(network, {line["service"]: line["url"] for line in lines}) as urls,
    ):
        targets = [f"--target={name}={url}" for name, url in urls.items()]
        command = [sys.executable, "-m", "pytest", *tests, *targets, f"--ledger={tmp_path}/ledger.jsonl"]
        result = subprocess.run(  # noqa: S603
            [*command, "--examples=1"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
        )
    record = ledger.read_ledger(tmp_path / "ledger.jsonl")
    assert network.counts["resets"] > 0
    assert record.tests, result.stdout
    assert [line["test"] for line in record.tests if line["result"] == "failed"] == [], result.stdout
    reasons = {line["message"].split(":")[0] for line in record.tests if line["result"] == "broken"}
    assert reasons <= {"unreachable-target", "unobservable-target"}, result.stdout


def test_an_observation_is_repeated_and_a_delivery_is_not() -> None:
    options = ("--service=subscribers-errors", "--version=after")
    with start_process("fixtures.services.server", *options) as (line,):
        for method, connections in (("GET", 3), ("POST", 1)):
            network = SlowNetwork(delay_s=0, resets=1.0, random=BreakAtFirstRequest())
            with behind_network(network, {"subscribers-errors": line["url"]}) as urls:
                client = connect_deployment(Deployment("subscribers-errors", urls["subscribers-errors"]))
                with pytest.raises(Unreachable):
                    client.send(method, "/v1/errors", None if method == "GET" else b'{"errors": []}')
                client.close()
            assert network.counts["connections"] == connections


class BreakAtFirstRequest(random.Random):
    def randint(self, a: int, _b: int) -> int:
        return a
