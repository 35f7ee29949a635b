"""The catalogue is complete: reports have a case, and cases an example, a corpus line and equivalents."""

import pytest

from fixtures.core import catalogue as catalogues
from fixtures.core import payloads, schemas
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import IdFactory
from fixtures.core.times import parse_time
from suites.selfcheck.sample_answers import PROTOCOLS, parse_recorded, read_corpus, read_corpus_lines

CASES = load_catalogue().cases


def test_a_corpus_line_is_decided_as_it_expects() -> None:
    for line in read_corpus_lines():
        protocol = load_catalogue()[line["expect"][0]].protocol
        actual = [entry.case.id for entry in parse_recorded([{"protocol": protocol, **line}])]
        assert actual == line["expect"], line["id"]


def test_the_corpus_reaches_every_case() -> None:
    assert {entry.case for entry in read_corpus()} == set(CASES)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_report_is_decided(protocol: str) -> None:
    assert load_catalogue().of_protocol(protocol)[-1].match == {}


def test_an_example_makes_a_valid_report_of_its_case() -> None:
    for case in CASES:
        report = payloads.address(example_report(case), IdFactory())
        for schema in (catalogues.REPORT_SCHEMAS[case.protocol], "response-report.schema.json"):
            assert schemas.is_valid(report, schema), (case.id, schema)
        assert load_catalogue().decide(report) is case, case.id


def test_a_case_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="legacy-NotThere"):
        load_catalogue()["legacy-NotThere"]


# --- equivalents


def test_equivalents_have_equal_outcomes() -> None:
    for case in CASES:
        for equivalent in (load_catalogue()[name] for name in case.legacy_equivalent):
            actual = (case.protocol, equivalent.protocol, equivalent.outcome)
            assert actual == ("fcm_v1", "legacy", case.outcome), (case.id, equivalent.id)


WITHOUT_COUNTERPART = {
    "legacy-DeprecatedApi": "v1 is not being shut down",
    "legacy-canonical-id": "v1 never names another token",
    "legacy-text-400": "v1 gives its reasons as JSON; without any, the cause is unknown",
}


def test_a_legacy_case_is_named_by_its_counterpart() -> None:
    named = {name for case in CASES for name in case.legacy_equivalent}
    assert {case.id for case in load_catalogue().of_protocol("legacy")} - named == set(WITHOUT_COUNTERPART)
    assert not named & set(WITHOUT_COUNTERPART)


# --- times and texts


@pytest.mark.usefixtures("in_another_zone")
def test_an_instant_is_in_utc() -> None:
    for text in ("2026-01-01T00:00:00.5Z", "2026-01-01T02:00:00.5+02:00"):
        assert parse_time(text).isoformat() == "2026-01-01T00:00:00.500000+00:00"
