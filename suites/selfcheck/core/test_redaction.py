"""Secrets are masked in every encoding, and what a run made itself stays readable."""

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.core.own_ids import OWN_IDS, SUBSCRIBER
from fixtures.core.payloads import LIKE_FCM, LONGEST, IdFactory, address_all, create_token, error_events
from fixtures.core.redaction import Redactor
from fixtures.generation.anonymize import Anonymizer
from suites.selfcheck.core.canaries import (
    CANARIES,
    ENCODINGS,
    HIDDEN_MEMBER,
    LEARNT,
    MEMBER,
    SHAPED,
    find_canaries,
)
from suites.selfcheck.results.sample_runs import make_finding


@pytest.fixture
def redactor() -> Redactor:
    """A redactor that has learnt the canaries."""
    redactor = Redactor()
    redactor.learn(*LEARNT.values())
    redactor.hidden_members.add(HIDDEN_MEMBER)
    return redactor


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("name", [*LEARNT, *SHAPED])
def test_no_canary_can_be_read_in_whatever_shape(
    redactor: Redactor, name: str, encode: Callable[[str], str]
) -> None:
    encoded = encode(CANARIES[name])
    for text in (
        f"https://x.example/a?key={encoded}&n=1",
        f"token={encoded} (no)",
        f"got {encoded}",
        encoded,
        json.dumps({"error": f"token={encoded} (no)"}),
        json.dumps({"body": json.dumps({"error": f"token={encoded} (no)"})}),
    ):
        redacted = redactor.redact_text(f"401 from {text}: denied, subscribers stay")
        assert find_canaries("", redacted) == []
        assert redacted.startswith("401 from ")
        assert "denied, subscribers stay" in redacted


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("name", [*LEARNT, *SHAPED])
def test_no_half_of_a_canary_stays(redactor: Redactor, name: str, encode: Callable[[str], str]) -> None:
    encoded = encode(CANARIES[name])
    redacted = redactor.redact_text(f"token={encoded} (no), got {encoded}")
    assert encoded[: len(encoded) // 2] not in redacted
    assert encoded[len(encoded) // 2 :] not in redacted


@pytest.mark.parametrize("name", LEARNT)
def test_half_a_secret_is_one_too(redactor: Redactor, name: str) -> None:
    secret = CANARIES[name]
    head, body = secret[: len(secret) // 2], secret[len(secret) // 2 :]
    assert find_canaries("", redactor.redact_text(f"text/{head} and {body}")) == []


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({HIDDEN_MEMBER: MEMBER, "code": "DENIED"}),
        json.dumps({"text": json.dumps({HIDDEN_MEMBER: MEMBER}), "code": "DENIED"}),
        f"{HIDDEN_MEMBER}='{MEMBER}', DENIED",
    ],
    ids=["JSON", "JSON in JSON", "text"],
)
def test_a_configured_member_tells_nothing(redactor: Redactor, text: str) -> None:
    redacted = redactor.redact_text(text)
    assert MEMBER not in redacted
    assert "DENIED" in redacted


def test_what_a_configured_member_holds_is_hidden_elsewhere_in_the_answer(redactor: Redactor) -> None:
    got = {HIDDEN_MEMBER: MEMBER, "error": f"there is no {MEMBER}"}
    redacted = redactor.redact_finding({**make_finding(), "got": got})["got"]
    assert MEMBER not in json.dumps(redacted)
    assert redacted["error"].startswith("there is no ")


@pytest.mark.parametrize("name", ["private_key_id", "Password", "SecretAccessKey"])
def test_a_member_that_is_called_a_secret_is_one(redactor: Redactor, name: str) -> None:
    row = {name: "2f9bd1c7a04e", "code": "DENIED"}
    assert redactor.redact_value(row) == {name: "(redacted)", "code": "DENIED"}
    for text in (json.dumps(row), json.dumps(json.dumps(row)), quote(json.dumps(row))):
        assert "2f9bd1c7a04e" not in redactor.redact_text(text)


def test_a_number_is_a_secret_as_its_text_is(redactor: Redactor) -> None:
    assert redactor.redact_value({"device": int(SHAPED["IMEI"]), "count": 12}) == {
        "device": "(redacted)",
        "count": 12,
    }


@pytest.mark.parametrize("case", load_catalogue().cases, ids=lambda case: case.id)
def test_what_was_sent_stays_as_it_was(redactor: Redactor, case: Case) -> None:
    sent = [entry.payload for entry in error_events(address_all([example_report(case)], IdFactory()))]
    redacted = redactor.redact_finding({**make_finding(), "sent": sent, "got": {"results": sent}})
    assert redacted["sent"] == sent
    assert redacted["got"] == {"results": sent}, "what comes back of what was sent is no secret"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "too-few-tests: suites/compat: 1 ran, the policy asks for 567",
        "suites/compat/test_new_codes.py::test_x[subscribers-errors-v1-UNREGISTERED]",
        "leaves the subscriber active after legacy-DeviceMessageRateExceeded",
        "unreachable-target: directory-events-api at http://127.0.0.1:45003 does not answer: ReadTimeout",
        '{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}',
        "3 of 12 tests, 0.123456789012345 s, 1b9d6bcdbbfd4b2d9b5dab8dfbbd4bed1b9d6bcd, 12:00:00+02:00",
        "Traceback: File suites/selfcheck/core/test_redaction.py, line 12, in test_half_a_secret_is_one_too",
    ],
)
def test_what_people_must_read_stays(redactor: Redactor, text: str) -> None:
    assert redactor.redact_text(text) == text


@pytest.mark.parametrize("kind", ["", LIKE_FCM, LONGEST])
def test_own_ids_and_tokens_stay(redactor: Redactor, kind: str) -> None:
    text = f"{OWN_IDS.create_id(SUBSCRIBER)} {create_token(kind, OWN_IDS.create_token())}"
    assert redactor.redact_text(text) == text


@pytest.mark.parametrize("letters", ["a", "a-", "aB3", "%41", "a@", "//a:", "-----BEGIN", "x.y "], ids=repr)
def test_an_answer_of_megabytes_is_quoted_in_part_and_soon(redactor: Redactor, letters: str) -> None:
    got = {"status": 200, "body": letters * (4_000_000 // len(letters))}
    redacted = redactor.redact_finding({**make_finding(), "got": got})["got"]["body"]
    assert len(redacted) < 200_000


def test_redacting_twice_is_redacting_once(redactor: Redactor) -> None:
    for secret in CANARIES.values():
        once = redactor.redact_text(f"x {secret} y")
        assert redactor.redact_text(once) == once


def test_a_recording_without_anybody_in_it_ends_as_it_did() -> None:
    catalogue = load_catalogue()
    for case in catalogue.cases:
        report = example_report(case)
        cleaned = {**report, "response": Anonymizer().anonymize_value(report["response"])}
        assert catalogue.decide(cleaned) == case, case.id


def test_a_hidden_value_is_masked_in_other_members_of_a_text() -> None:
    redactor = Redactor()
    redactor.hidden_members.add("customer")
    text = '500 {"customer": "account of grace h.", "who": "account of grace h.'  # cut off
    assert "grace" not in redactor.redact_text(text)
