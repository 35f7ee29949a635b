"""Redaction: no canary can be read, in whatever shape; what a run made itself stays."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fixtures.core import redaction
from fixtures.core.catalogue import Case, example_report, load
from fixtures.core.payloads import IdFactory, address_all, error_events
from fixtures.generation import anonymize
from suites.selfcheck.core.canaries import CANARIES, HIDDEN, MEMBER, SHAPED, SHAPES, TOLD, sightings
from suites.selfcheck.results.sample_runs import finding

pytestmark = pytest.mark.aside


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was told the canaries, and forgets them again."""
    for name, nothing in (("_known", set()), ("_fragments", {}), ("_members", set())):
        monkeypatch.setattr(redaction, name, nothing)
    redaction.learn(*TOLD.values())
    redaction.learn_members([HIDDEN])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [*TOLD, *SHAPED])
def test_no_canary_can_be_read_in_whatever_shape(name: str, shape: Callable[[str], str]) -> None:
    said = f"401 from https://x.example/a?key={shape(CANARIES[name])}&n=1: denied, subscribers stay"
    shown = redaction.text(said)
    assert sightings("", shown) == []
    assert shown.startswith("401 from ")
    assert "denied, subscribers stay" in shown


@pytest.mark.parametrize("name", TOLD)
def test_half_a_secret_is_one_too(name: str) -> None:
    secret = CANARIES[name]
    head, body = secret[: len(secret) // 2], secret[len(secret) // 2 :]
    assert sightings("", redaction.text(f"text/{head} and {body}")) == []


@pytest.mark.parametrize(
    "said",
    [
        json.dumps({HIDDEN: MEMBER, "code": "DENIED"}),
        json.dumps({"text": json.dumps({HIDDEN: MEMBER}), "code": "DENIED"}),
        f"{HIDDEN}='{MEMBER}', DENIED",
    ],
    ids=["JSON", "JSON in JSON", "text"],
)
def test_a_configured_member_tells_nothing(said: str) -> None:
    shown = redaction.text(said)
    assert MEMBER not in shown
    assert "DENIED" in shown


def test_what_a_configured_member_holds_is_hidden_elsewhere_in_the_answer() -> None:
    got = {HIDDEN: MEMBER, "error": f"nobody is {MEMBER}"}
    shown = redaction.finding({**finding(), "got": got})["got"]
    assert MEMBER not in json.dumps(shown)
    assert shown["error"].startswith("nobody is ")


@pytest.mark.parametrize("case", load().cases, ids=lambda case: case.id)
def test_what_was_sent_stays_as_it_was(case: Case) -> None:
    sent = [entry.payload for entry in error_events(address_all([example_report(case)], IdFactory()))]
    shown = redaction.finding({**finding(), "sent": sent, "got": {"results": sent}})
    assert shown["sent"] == sent
    assert shown["got"] == {"results": sent}, "what comes back of what was sent is no secret"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "too-few-tests: suites/compat: 1 ran, the policy asks for 567",
        "suites/compat/test_new_codes.py::test_x[subscribers-errors-v1-UNREGISTERED]",
        "leaves the subscriber active after legacy-DeviceMessageRateExceeded",
        "unreachable-target: directory-events-api at http://127.0.0.1:45003 does not answer: ReadTimeout",
        "fcafe123-4567-4003-8000-0000000000ab, sent_at 2026-01-01T00:00:00.000Z",
        '{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}',
        "Traceback: File suites/selfcheck/core/test_redaction.py, line 12, in test_half_a_secret_is_one_too",
    ],
)
def test_what_people_must_read_stays(said: str) -> None:
    assert redaction.text(said) == said


@pytest.mark.parametrize("letters", ["a", "a-", "aB3", "%41", "a@", "//a:", "-----BEGIN", "x.y "], ids=repr)
def test_an_answer_of_megabytes_is_quoted_in_part_and_soon(letters: str) -> None:
    got = {"status": 200, "body": letters * (4_000_000 // len(letters))}
    shown = redaction.finding({**finding(), "got": got})["got"]["body"]
    assert len(shown) < 200_000


def test_redacting_twice_is_redacting_once() -> None:
    for secret in CANARIES.values():
        once = redaction.text(f"x {secret} y")
        assert redaction.text(once) == once


def test_a_recording_without_anybody_in_it_ends_as_it_did() -> None:
    catalogue = load()
    for case in catalogue.cases:
        report = example_report(case)
        cleaned = {**report, "response": anonymize.anonymize_value(report["response"])}
        assert catalogue.decide(cleaned) == case, case.id


def test_what_is_learnt_in_a_block_is_forgotten_with_it() -> None:
    path = "/somewhere/that/was/part/of/a/secret"
    with redaction.forgetting():
        redaction.learn(path)
        redaction.learn_members(["nickname"])
        assert redaction.text(f"{path} nickname=x") == f"{redaction.MASK} nickname={redaction.MASK}"
    assert redaction.text(f"{path} nickname=x") == f"{path} nickname=x"
    assert redaction.text(TOLD["API key"]) == redaction.MASK
