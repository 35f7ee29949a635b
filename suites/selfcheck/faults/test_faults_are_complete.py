"""The faults exercise every case, each in its own way, and the drawn reports cover every keyword."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping

import pytest

from fixtures.core import payloads
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import IdFactory
from fixtures.faults import FAULTS
from fixtures.faults.base import CLEANER
from fixtures.generation.schema_coverage import uncovered
from fixtures.services import load as load_service
from suites.selfcheck.faults.fingerprint import describe_behaviour, describe_decision, sample_reports
from suites.selfcheck.release.cleaner_faults import PATCHES
from suites.selfcheck.sample_answers import draw_answers

pytestmark = pytest.mark.aside

# Cases that no fault exercises, and keywords that no drawn report covers, with the reason.
NOT_EXERCISED: Mapping[str, str] = {}
NOT_COVERED: Mapping[str, str] = {
    "response-report.schema.json#/$defs/token/minLength: 1": (
        "no two subscribers share a token, so each is long enough to differ from all others"
    ),
}
REPORT_SCHEMAS = {
    "legacy": "legacy-response-report.schema.json",
    "fcm_v1": "fcm-v1-response-report.schema.json",
}
BATCHES = 16  # twice what a run without options draws for each case

SERVICE_FAULTS = [fault for fault in FAULTS if fault.service != CLEANER]


def test_every_case_is_exercised_by_a_fault() -> None:
    catalogue, reports = load_catalogue(), list(sample_reports())
    exercised = set()
    for fault in SERVICE_FAULTS:
        faulty, right = fault.load_faulty(), load_service(fault.service, fault.versions[-1])
        if getattr(faulty, "decide", None) is not getattr(right, "decide", None):
            for report in reports:
                case = catalogue.decide(report)
                if case and describe_decision(faulty, report) != describe_decision(right, report):
                    exercised.add(case.id)
    assert {case.id for case in catalogue.cases} - exercised == set(NOT_EXERCISED)


@pytest.mark.nightly
@pytest.mark.parametrize("protocol", REPORT_SCHEMAS)
def test_every_keyword_is_covered_by_drawn_reports(protocol: str) -> None:
    ids = IdFactory()
    cases = load_catalogue().of_protocol(protocol)
    answers = (answer for case in cases for answer in draw_answers(case, batches=BATCHES))
    reports = [payloads.address(answer, ids) for answer in answers]
    assert set(uncovered(REPORT_SCHEMAS[protocol], "", reports)) == set(NOT_COVERED)


@functools.cache
def fingerprint(service: str, fault: str) -> str:
    """The hash of all that a service does, with a fault or without one."""
    load = next((row.load for row in FAULTS if row.name == fault), load_service)
    return hashlib.sha256(describe_behaviour(service, load).encode()).hexdigest()


@pytest.mark.nightly
@pytest.mark.parametrize("service", dict.fromkeys(fault.service for fault in SERVICE_FAULTS))
def test_every_fault_changes_something_and_no_two_the_same(service: str) -> None:
    names = ["", *(fault.name for fault in SERVICE_FAULTS if fault.service == service)]
    names_by_fingerprint: dict[str, list[str]] = {}
    for name in names:
        names_by_fingerprint.setdefault(fingerprint(service, name), []).append(name or "none")
    assert [names for names in names_by_fingerprint.values() if len(names) > 1] == []


def test_faults_of_the_cleaner_replace_different_things() -> None:
    replaced = {(id(patch.owner), patch.attribute, patch.change) for patch in PATCHES.values()}
    assert len(replaced) == len(PATCHES)
