"""The suite bites: each seeded fault is found by the checks that claim it, and by no others there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.core.project import ROOT
from fixtures.core.topology import FLOW
from fixtures.faults import FAULTS, Fault, sample
from fixtures.faults.base import CLEANER
from fixtures.faults.tolerant import TOLERANT

pytestmark = pytest.mark.aside

FEW, SAMPLED = 6, 30
CHECKS = {"agreement", "answers", "chain", "contract", "effects", "life", "redelivery"}


def selfcheck(folder: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """What ./ci/selfcheck exits with, writes and prints."""
    command = [str(ROOT / "ci" / "selfcheck"), f"--build={folder}", *options]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)  # noqa: S603
    file = folder / "selfcheck.json"
    written = json.loads(file.read_text()) if file.is_file() else {}
    return ran.returncode, written, ran.stdout + ran.stderr


@pytest.mark.process
def test_a_few_faults_are_caught(tmp_path: Path) -> None:
    status, written, said = selfcheck(tmp_path, f"--sample={FEW}", "--quick")
    assert status == 0, said
    schemas.validate(written, "selfcheck.schema.json")
    assert written["summary"]["caught"] == written["summary"]["faults"] == FEW


@pytest.mark.nightly
def test_a_sample_of_all_services_and_files_is_caught(tmp_path: Path) -> None:
    status, written, said = selfcheck(tmp_path, f"--sample={SAMPLED}", "--quick")
    assert status == 0, said
    schemas.validate(written, "selfcheck.schema.json")
    assert written["summary"]["caught"] == written["summary"]["faults"] == SAMPLED
    assert {row["service"] for row in written["faults"]} == {*FLOW, CLEANER}


@pytest.mark.process
@pytest.mark.parametrize("name", ["any-404-unsubscribes", "problem-as-json", "a-little-late"])
def test_without_the_check_that_claims_it_a_fault_goes_unnoticed(tmp_path: Path, name: str) -> None:
    (fault,) = (fault for fault in FAULTS if fault.name == name)
    taken_away = [f"--without={check}" for check in fault.checks]
    status, written, said = selfcheck(tmp_path, f"--fault={name}", "--quick", *taken_away)
    assert status == 1, said
    assert written["summary"]["caught"] == 0
    assert written["faults"][0]["trouble"].startswith("not caught")
    assert f"--variant {name}" in said


@pytest.mark.process
def test_the_table_counts_the_tests_that_fail_and_names_the_one_that_shows_it_best(tmp_path: Path) -> None:
    status, written, said = selfcheck(tmp_path, "--fault=events-share-an-id")
    assert status == 0, said
    (row,) = written["faults"]
    world = "suites/compat/test_end_to_end.py::test_end_to_end[all-after-v1-"
    assert row["test"].startswith(world)
    assert row["tests"] > 10
    assert row["shrunk_bytes"] < 2000


@pytest.mark.process
def test_an_unknown_fault_is_wrong_usage(tmp_path: Path) -> None:
    status, written, said = selfcheck(tmp_path, "--fault=any-404-unsubscribe")
    assert (status, written) == (64, {})
    assert "unknown-variant" in said
    assert "any-404-unsubscribes" in said


def test_every_check_has_a_fault_that_only_it_claims() -> None:
    of_services = [fault for fault in FAULTS if fault.service != CLEANER]
    assert {fault.checks[0] for fault in of_services if len(fault.checks) == 1} == CHECKS
    assert {check for fault in of_services for check in fault.checks} == CHECKS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_says_what_it_is(fault: Fault) -> None:
    folder = "selfcheck" if fault.service == CLEANER else "compat"
    assert fault.service in (*FLOW, CLEANER)
    assert (ROOT / "suites" / folder / fault.caught_by).is_file()
    assert fault.wrong
    assert fault.source
    assert fault.checks
    assert fault.service == CLEANER or fault.seeded().name == fault.service


def test_right_variants_have_names_of_their_own() -> None:
    names = [*(fault.name for fault in FAULTS), *(right.name for right in TOLERANT)]
    assert len(set(names)) == len(names)


@pytest.mark.nightly
def test_a_right_variant_is_go(tmp_path: Path) -> None:
    status, written, said = selfcheck(tmp_path, "--tolerant", "--sample=2", "--examples=1")
    assert status == 0, said
    assert written["summary"]["tolerant_runs"] == 2
    assert all(row["tests"] > 400 for row in written["tolerant"])


def test_faults_have_names_of_their_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len({fault.wrong for fault in FAULTS}) == len(FAULTS)
    assert len(FAULTS) >= 100


def test_a_sample_is_fixed_and_balanced() -> None:
    assert sample(40) == sample(40)
    assert set(sample(20)) < set(sample(40))
    places = {(fault.service, fault.caught_by) for fault in FAULTS}
    assert {(fault.service, fault.caught_by) for fault in sample(len(places))} == places
