"""The faults exercise every case, each in a way of its own, and what is drawn stresses every keyword."""

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
from suites.selfcheck.faults.fingerprint import SENT_AT, behaviour, decision, kinds
from suites.selfcheck.sample_answers import draw_answers

pytestmark = pytest.mark.aside

NOT_EXERCISED: Mapping[str, str] = {}
"""Cases that no fault exercises, and why."""

NOT_STRESSED: Mapping[str, str] = {
    "response-report.schema.json#/$defs/token/minLength: 1": (
        "no two subscribers share a token, so that each is long enough to be unlike all others"
    ),
}
"""Keywords that nothing drawn stresses, and why."""

REPORT_OF = {
    "legacy": "legacy-response-report.schema.json",
    "fcm_v1": "fcm-v1-response-report.schema.json",
}
MUCH = 16
"""Batches of each case: twice what a run without options draws."""

SERVICES = [fault for fault in FAULTS if fault.service != CLEANER]


def test_every_case_is_exercised_by_a_fault() -> None:
    reports = [{**answer, "sent_at": SENT_AT} for answer in kinds()]
    exercised = set()
    for fault in SERVICES:
        wrong, right = fault.seeded(), load_service(fault.service, fault.versions[-1])
        if getattr(wrong, "decide", None) is not getattr(right, "decide", None):
            differs = (one for one in reports if decision(wrong, one) != decision(right, one))
            exercised |= {case.id for one in differs if (case := load_catalogue().decide(one))}
    assert {case.id for case in load_catalogue().cases} - exercised == set(NOT_EXERCISED)


@pytest.mark.nightly
@pytest.mark.parametrize("protocol", REPORT_OF)
def test_every_keyword_is_stressed_by_what_is_drawn(protocol: str) -> None:
    identities = IdFactory()
    answers = (answer for case in load_catalogue().of_protocol(protocol) for answer in draw_answers(case, batches=MUCH))
    reports = [payloads.address(answer, identities) for answer in answers]
    assert set(uncovered(REPORT_OF[protocol], "", reports)) == set(NOT_STRESSED)


@functools.cache
def footprint(service: str, fault: str) -> str:
    """What a service does with a fault, or without one, in few letters."""
    build = next((one.load for one in FAULTS if one.name == fault), load_service)
    return hashlib.sha256(behaviour(service, build).encode()).hexdigest()


@pytest.mark.nightly
@pytest.mark.parametrize("service", dict.fromkeys(fault.service for fault in SERVICES))
def test_every_fault_changes_something_and_no_two_the_same(service: str) -> None:
    names = ["", *(fault.name for fault in SERVICES if fault.service == service)]
    by_footprint: dict[str, list[str]] = {}
    for name in names:
        by_footprint.setdefault(footprint(service, name), []).append(name or "none")
    assert [alike for alike in by_footprint.values() if len(alike) > 1] == []


def test_faults_of_the_cleaner_replace_different_things() -> None:
    patches = [fault.patch for fault in FAULTS if fault.service == CLEANER]
    assert all(patches)
    assert len({(patch.place, patch.instead) for patch in patches if patch}) == len(patches)
