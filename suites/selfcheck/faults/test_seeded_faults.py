"""The suite notices: each seeded fault is found by the checks that claim it, and by no others there."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.core.project import ROOT
from fixtures.core.topology import FLOW
from fixtures.faults import FAULTS, Fault, find_fault, sample
from fixtures.faults.rows import CLEANER
from fixtures.faults.tolerant import TOLERANT_VARIANTS
from suites.selfcheck.release.cleaner_faults import PATCHES

SMALL_SAMPLE = 3
# One fault of each service and promise.
LARGE_SAMPLE = len({(fault.service, fault.promise) for fault in FAULTS})
CHECKS = {
    *("agreement", "answers", "bystanders", "chain", "contract", "effects", "forwarding", "handover", "late"),
    *("life", "postponing", "records", "redelivery", "sender"),
}
SERVICE_FAULTS = [fault for fault in FAULTS if fault.service != CLEANER]


def run_selfcheck(folder: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run ./ci/selfcheck; return its exit status, its JSON file and its output."""
    command = [str(ROOT / "ci" / "selfcheck"), f"--build={folder}", *options]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)  # noqa: S603
    file = folder / "selfcheck.json"
    content = json.loads(file.read_text()) if file.is_file() else {}
    return result.returncode, content, result.stdout + result.stderr


def list_marked_promises(folder: str) -> set[str]:
    """Collect the tests of a folder, and return the promises of their marks."""
    promises: set[str] = set()

    class MarkReader:
        def pytest_collection_finish(self, session: pytest.Session) -> None:
            marks = [mark for test in session.items for mark in test.iter_markers("catches")]
            promises.update(mark.kwargs["promise"] for mark in marks)

    arguments = [str(ROOT / folder), "--collect-only", "-q", "--rootdir", str(ROOT)]
    assert pytest.main(arguments, plugins=[MarkReader()]) == 0
    return promises


def test_every_promise_of_a_fault_is_proved_by_a_test_and_every_mark_has_a_fault() -> None:
    marked = list_marked_promises("suites/compat")
    assert marked == {fault.promise for fault in SERVICE_FAULTS}
    marked = list_marked_promises("suites/selfcheck/release")
    cleaner_faults = [fault for fault in FAULTS if fault.service == CLEANER]
    cases = {check for fault in cleaner_faults for check in fault.checks}
    assert marked == {fault.promise for fault in cleaner_faults} | cases


@pytest.mark.process
def test_a_few_faults_are_caught(tmp_path: Path) -> None:
    status, content, output = run_selfcheck(tmp_path, f"--sample={SMALL_SAMPLE}", "--quick")
    assert status == 0, output
    schemas.validate(content, "selfcheck.schema.json")
    assert content["summary"]["caught"] == content["summary"]["faults"] == SMALL_SAMPLE


@pytest.mark.nightly
def test_a_sample_of_all_services_and_promises_is_caught(tmp_path: Path) -> None:
    status, content, output = run_selfcheck(tmp_path, f"--sample={LARGE_SAMPLE}", "--quick")
    assert status == 0, output
    schemas.validate(content, "selfcheck.schema.json")
    assert content["summary"]["caught"] == content["summary"]["faults"] == LARGE_SAMPLE
    assert {row["service"] for row in content["faults"]} == {*FLOW, CLEANER}


@pytest.mark.process
@pytest.mark.parametrize(
    "name",
    [
        "any-404-unsubscribes",
        *(pytest.param(name, marks=pytest.mark.nightly) for name in ("problem-as-json", "a-little-late")),
    ],
)
def test_without_the_check_that_claims_it_a_fault_goes_unnoticed(tmp_path: Path, name: str) -> None:
    without = [f"--without={check}" for check in find_fault(name).checks]
    status, content, output = run_selfcheck(tmp_path, f"--fault={name}", "--quick", *without)
    assert status == 1, output
    assert content["summary"]["caught"] == 0
    assert content["faults"][0]["trouble"].startswith("not caught")
    assert f"--variant {name}" in output


@pytest.mark.nightly
@pytest.mark.process
def test_the_table_counts_the_tests_that_fail_and_names_the_one_that_shows_it_best(tmp_path: Path) -> None:
    status, content, output = run_selfcheck(tmp_path, "--fault=events-share-an-id")
    assert status == 0, output
    (row,) = content["faults"]
    assert row["caught_by"] == "suites/compat/test_end_to_end.py"
    assert row["test"].startswith(f"{row['caught_by']}::test_end_to_end[all-after-v1-")
    assert row["tests"] > 10
    assert row["shrunk_bytes"] < 2000


@pytest.mark.process
def test_an_unknown_fault_is_wrong_usage(tmp_path: Path) -> None:
    status, content, output = run_selfcheck(tmp_path, "--fault=any-404-unsubscribe")
    assert (status, content) == (64, {})
    assert "unknown-variant" in output
    assert "any-404-unsubscribes" in output


def test_every_check_has_a_fault_that_only_it_claims() -> None:
    assert {fault.checks[0] for fault in SERVICE_FAULTS if len(fault.checks) == 1} == CHECKS
    assert {check for fault in SERVICE_FAULTS for check in fault.checks} == CHECKS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_says_what_it_is(fault: Fault) -> None:
    assert fault.service in (*FLOW, CLEANER)
    assert fault.description
    assert fault.source
    assert fault.checks
    assert fault.service == CLEANER or fault.load_faulty().name == fault.service


def test_every_fault_of_the_cleaner_has_a_patch() -> None:
    assert set(PATCHES) == {fault.name for fault in FAULTS if fault.service == CLEANER}


def test_faults_of_the_cleaner_replace_different_things() -> None:
    replaced = {(id(owner), attribute, change) for owner, attribute, change in PATCHES.values()}
    assert len(replaced) == len(PATCHES)


def test_tolerant_variants_have_unique_names() -> None:
    names = [*(fault.name for fault in FAULTS), *(variant.name for variant in TOLERANT_VARIANTS)]
    assert len(set(names)) == len(names)


@pytest.mark.nightly
def test_a_tolerant_variant_is_go(tmp_path: Path) -> None:
    status, content, output = run_selfcheck(tmp_path, "--tolerant", "--sample=2", "--examples=1")
    assert status == 0, output
    assert content["summary"]["tolerant_runs"] == 2
    assert all(row["tests"] > 300 for row in content["tolerant"])


def test_faults_have_unique_names_and_descriptions() -> None:
    assert (
        len({fault.name for fault in FAULTS}) == len({fault.description for fault in FAULTS}) == len(FAULTS)
    )
    assert len(FAULTS) >= 100


def test_a_sample_is_fixed_and_balanced() -> None:
    assert sample(40) == sample(40)
    assert set(sample(20)) < set(sample(40))
    groups = {(fault.service, fault.promise) for fault in FAULTS}
    assert {(fault.service, fault.promise) for fault in sample(len(groups))} == groups
