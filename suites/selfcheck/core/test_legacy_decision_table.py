"""Every answer of legacy FCM is decided as the design says: the design is written out here a second time."""

from collections.abc import Mapping
from typing import Any

import pytest

from fixtures.core import payloads
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import IdFactory
from fixtures.services import fcm
from suites.selfcheck.sample_answers import legacy_answer

PAGE = "<HTML><HEAD><TITLE>Not Found</TITLE></HEAD></HTML>"

# The outcome of answers, by a name for them.
Rows = Mapping[str, tuple[str, list[dict[str, Any]]]]


LEGACY_WORDS = {
    "unsubscribe": "NotRegistered InvalidRegistration",
    "postpone": "Unavailable InternalServerError DeviceMessageRateExceeded TopicsMessageRateExceeded",
    "fix_message": "MissingRegistration MessageTooBig InvalidDataKey InvalidTtl InvalidPackageName "
    "InvalidParameters InvalidParameters:Bad_topic",
    "alert": "MismatchSenderId InvalidApnsCredential DeprecatedApi "
    "notregistered NOTREGISTERED NotRegistered\n NotRegistered; :NotRegistered UNREGISTERED Not_Registered "
    "InvalidRegistrations Err",
}
TEXT_STATUSES = {
    "postpone": (500, 502, 503, 504, 599, 408, 429),
    "fix_message": (400,),
    "alert": (401, 403, 404, 410, 413, 418, 301, 204, 501, 505),
}
LEGACY_RESULTS: Rows = {
    "delivered": ("keep", [{"message_id": "1:0"}]),
    "canonical id": (
        "replace_token",
        [{"message_id": "1", "registration_id": "n"}, {"registration_id": "n"}],
    ),
    "error beside canonical id": ("unsubscribe", [{"registration_id": "n", "error": "NotRegistered"}]),
    "unknown error beside canonical id": ("alert", [{"registration_id": "n", "error": "X"}]),
    "null error beside canonical id": ("replace_token", [{"registration_id": "n", "error": None}]),
    "canonical id that is none": ("keep", [{"message_id": "1", "registration_id": none} for none in ("", 7)]),
    "error that is no string": (
        "alert",
        [{"error": {"code": "NotRegistered"}}, {"error": ["NotRegistered"]}],
    ),
}
LEGACY: Rows = {
    **{
        f"words: {outcome}": (
            outcome,
            [
                legacy_answer({"error": code}, status)
                for code in codes.split(" ")
                for status in (200, 404, 503)
            ],
        )
        for outcome, codes in LEGACY_WORDS.items()
    },
    **{
        name: (outcome, [legacy_answer(result) for result in results])
        for name, (outcome, results) in LEGACY_RESULTS.items()
    },
    "result at 500": ("postpone", [legacy_answer({"message_id": "1:0"}, 500)]),
    "404 page": ("alert", [legacy_answer(PAGE, 404)]),
    "word as text": ("alert", [legacy_answer("Error=NotRegistered", 200)]),
    **{
        f"text: {outcome}": (outcome, [legacy_answer(text, s) for s in statuses for text in ("refused", "")])
        for outcome, statuses in TEXT_STATUSES.items()
    },
}


def assert_decided(outcome: str, answers: list[dict[str, Any]]) -> None:
    """Assert that the catalogue and the reference services give each answer this outcome."""
    assert answers
    for answer in answers:
        case = load_catalogue().decide(answer)
        assert case is not None, answer
        assert case.outcome == outcome, (case.id, answer)
        report = payloads.address(answer, IdFactory())
        assert fcm.decide(report).outcome == outcome, answer


@pytest.mark.parametrize(("outcome", "answers"), LEGACY.values(), ids=LEGACY)
def test_legacy_answers_are_decided_as_designed(outcome: str, answers: list[dict[str, Any]]) -> None:
    assert_decided(outcome, answers)
