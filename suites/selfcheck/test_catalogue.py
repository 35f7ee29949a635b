"""The catalogue is whole: every report has a case, each case an example, a corpus line and equivalents."""

from __future__ import annotations

import pytest
from jsonschema_rs.canonical import Satisfiability

from fixtures import catalogue as catalogues
from fixtures import payloads, schemas
from fixtures.catalogue import example_report, load
from fixtures.payloads import Identities
from suites.selfcheck.samples import PROTOCOLS, corpus, corpus_lines, recorded

CASES = load().cases


def test_a_corpus_line_is_decided_as_it_expects() -> None:
    for line in corpus_lines():
        protocol = load()[line["expect"][0]].protocol
        found = [entry.case.id for entry in recorded([{"protocol": protocol, **line}])]
        assert found == line["expect"], line["id"]


def test_the_corpus_reaches_every_case() -> None:
    assert {entry.case for entry in corpus()} == set(CASES)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_report_is_decided(protocol: str) -> None:
    assert load().uncovered(protocol).satisfiability() == Satisfiability.NO


def test_an_example_makes_a_valid_report_of_its_case() -> None:
    for case in CASES:
        report = payloads.address(example_report(case), Identities())
        for schema in (catalogues.REPORT_SCHEMA[case.protocol], "response-report.schema.json"):
            assert schemas.is_valid(report, schema), (case.id, schema)
        assert load().decide(report) is case, case.id


# --- equivalents


def test_equivalents_have_equal_outcomes() -> None:
    for case in CASES:
        for equivalent in (load()[name] for name in case.legacy_equivalent):
            found = (case.protocol, equivalent.protocol, equivalent.outcome)
            assert found == ("fcm_v1", "legacy", case.outcome), (case.id, equivalent.id)


WITHOUT_COUNTERPART = {
    "legacy-DeprecatedApi": "v1 is not being shut down",
    "legacy-canonical-id": "v1 never names another token",
    "legacy-text-400": "v1 gives its reasons as JSON; without any, nobody knows whose fault it is",
}


def test_a_legacy_case_is_named_by_its_counterpart() -> None:
    named = {name for case in CASES for name in case.legacy_equivalent}
    assert {case.id for case in load().of("legacy")} - named == set(WITHOUT_COUNTERPART)
    assert not named & set(WITHOUT_COUNTERPART)
