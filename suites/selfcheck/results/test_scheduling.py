"""Tests with an expensive common fixture run in one worker, in a real run with several workers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.core.project import ROOT
from suites.plugins.selection import AT_ONE_INSTANCE, find_group


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("suites/rollout/test_wrong_plans.py::test_a[b]", "suites/rollout/"),
        ("suites/contracts/test_x.py::test_x[y]", "suites/contracts/"),
        ("suites/compat/test_end_to_end.py::test_x[mixed-v1-x]", "suites/compat/test_end_to_end.py"),
        ("suites/selfcheck/core/test_x.py::test_x", "suites/selfcheck/core/test_x.py"),
    ],
    ids=["rollout", "contracts", "compat", "self-checks"],
)
def test_each_test_has_a_group(test: str, group: str) -> None:
    assert find_group(test) == group


def test_all_tests_at_one_instance_have_one_group() -> None:
    fixtures = ("isolated_scenario_of", "sender_scenario_of", "end_to_end_scenario_of")
    files = [
        f"suites/compat/{file.name}"
        for file in sorted((ROOT / "suites/compat").glob("test_*.py"))
        if any(name in file.read_text(encoding="utf-8") for name in fixtures)
    ]
    assert files == sorted(AT_ONE_INSTANCE)
    assert len({find_group(f"{file}::test_x", at_one_instance=True) for file in files}) == 1
    assert len({find_group(f"{file}::test_x") for file in files}) == len(files)


TWO_FILES = ("suites/compat/test_redelivery.py", "suites/compat/test_mixed_batches.py")


@pytest.mark.nightly
@pytest.mark.process
def test_one_worker_runs_a_group(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    command = [
        sys.executable,
        "-m",
        "pytest",
        *TWO_FILES,
        "-k",
        "subscribers-errors and (twins or stale or refused)",
    ]
    command += ["-n2", "--dist=loadgroup", "-m", "not process and not aside", "--examples=1"]
    subprocess.run([*command, f"--ledger={file}"], cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    workers: dict[str, set[str]] = {}
    for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        if line["kind"] == "test":
            workers.setdefault(find_group(line["test"]), set()).add(line["worker"])
    assert {group: names for group, names in workers.items() if len(names) > 1} == {}
    assert len(set[str]().union(*workers.values())) > 1
