"""Tests that share what takes long to make go to one worker, in a real run of several."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.core.project import ROOT
from suites.plugins.scheduling import group_of, next_of

pytestmark = pytest.mark.aside


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("suites/rollout/test_wrong_plans.py::test_a[b]", "suites/rollout/"),
        ("suites/compat/test_end_to_end.py::test_end_to_end[mixed-v1-x]", "suites/compat/test_end_to_end.py"),
        ("suites/compat/test_x.py::test_x[subscribers-errors-v1-INTERNAL]", "suites/compat/ v1-INTERNAL]"),
        ("suites/compat/test_x.py::test_x[else]", "suites/compat/test_x.py::test_x[else]"),
        (
            "suites/compat/test_subscriber_lifecycle.py::test_x[all]",
            "suites/compat/test_subscriber_lifecycle.py",
        ),
        ("suites/selfcheck/test_x.py::test_x", "suites/selfcheck/test_x.py"),
        ("suites/contracts/test_x.py::test_x[y]", "suites/contracts/"),
    ],
    ids=["rollout", "worlds", "case", "no case", "lives", "self-checks", "contracts"],
)
def test_a_test_has_its_group(test: str, group: str) -> None:
    assert group_of(test) == group


ROLLOUT, CONTRACTS, WORLDS = "suites/rollout/", "suites/contracts/", "suites/compat/test_end_to_end.py"
LIVES = "suites/compat/test_subscriber_lifecycle.py"
CASE, OTHER_CASE, ALONE = "suites/compat/ v1-a]", "suites/compat/ v1-b]", "suites/compat/test_x.py::test_x"
CHECKS, CATALOGUE = "suites/selfcheck/test_x.py", "suites/selfcheck/core/test_catalogue.py"


@pytest.mark.parametrize(
    ("waiting", "own", "others", "taken"),
    [
        ([CONTRACTS, CASE, ROLLOUT], [], [], ROLLOUT),
        ([CONTRACTS, CASE, WORLDS], [], [ROLLOUT], WORLDS),
        ([CONTRACTS, CASE, CHECKS], [], [ROLLOUT], CASE),
        ([CHECKS, OTHER_CASE, CONTRACTS], [WORLDS], [CASE], CONTRACTS),
        ([CHECKS, OTHER_CASE, LIVES], [WORLDS], [ALONE], LIVES),
        ([OTHER_CASE, CHECKS], [WORLDS], [CASE], CHECKS),
        ([CONTRACTS, ALONE, CHECKS], [ROLLOUT], [], CHECKS),
        ([CONTRACTS, CASE, ALONE], [ROLLOUT], [], ALONE),
        ([CONTRACTS, CHECKS, OTHER_CASE], [CASE], [], OTHER_CASE),
        ([CONTRACTS, CHECKS, ALONE], [CATALOGUE], [], ALONE),
        ([OTHER_CASE, ALONE], [WORLDS], [CASE], OTHER_CASE),
        ([CATALOGUE, CHECKS], [WORLDS], [CASE], CHECKS),
    ],
    ids=[
        "the longest first",
        "worlds while there is room",
        "somebody draws",
        "one who draws is enough",
        "lives are not drawn from",
        "the others help last",
        "the smallest behind the longest",
        "or else the smallest that is drawn",
        "who draws goes on",
        "the catalogue is drawn from",
        "nothing else is left",
        "nobody else tells cases apart",
    ],
)
def test_a_worker_takes_what_suits_it(
    waiting: list[str], own: list[str], others: list[str], taken: str
) -> None:
    sizes = {CONTRACTS: 712, LIVES: 2, ALONE: 1}
    tests = {group: range(sizes.get(group, 6)) for group in waiting}
    assert next_of(tests, own, [*own, *others]) == taken


@pytest.mark.process
def test_a_group_is_run_by_one_worker(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    chosen = "INTERNAL or UNAVAILABLE or delivered"
    command = [sys.executable, "-m", "pytest", "suites/compat", "-k", chosen]
    options = [
        "-n2",
        "--dist=loadgroup",
        "-m",
        "not process and not aside",
        "--examples=1",
        f"--ledger={file}",
    ]
    subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    workers: dict[str, set[str]] = {}
    for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        if line["kind"] == "test":
            workers.setdefault(group_of(line["test"]), set()).add(line["worker"])
    assert {name: found for name, found in workers.items() if len(found) > 1} == {}
    assert len(set[str]().union(*workers.values())) > 1
