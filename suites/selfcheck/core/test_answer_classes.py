"""The classes of answers: what is documented, plausible and impossible, and what no document decides."""

from typing import Any

import pytest

from fixtures.core.answer_classes import classify_answer
from fixtures.core.catalogue import example_report, load_catalogue
from suites.selfcheck.sample_answers import (
    apns_detail,
    fcm_error_detail,
    legacy_answer,
    read_corpus,
    v1_answer,
)

TOKEN_TEXT = "The registration token is not a valid FCM registration token"  # noqa: S105

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

# What a proxy, an operator or RFC 9110 explains, but neither Google nor a recorded answer shows. Cases with
# `known: false` have no documented form either.
WITHOUT_DOCUMENT = {
    *(f"legacy-text-{status}" for status in (403, 408, 429, 501, 505)),
    *(f"v1-text-{status}" for status in (400, 403, 408, 429, 501, 505)),
    *("v1-bare-408", "v1-bare-505"),
    *("v1-bare-INVALID_ARGUMENT-apns-gone", "v1-bare-INVALID_ARGUMENT-apns-token"),
}


def dead_token(
    http_status: int = 404, *more: Any, code: Any = "UNREGISTERED", **members: Any
) -> dict[str, Any]:
    error = {"code": http_status, "message": "m", "status": "NOT_FOUND", **members}
    return v1_answer(http_status, **{"details": [fcm_error_detail(code), *more], **error})


def of_type(name: str) -> dict[str, str]:
    return {"@type": name, "errorCode": "UNREGISTERED"}


CLASSES: dict[str, tuple[dict[str, Any], str]] = {
    "unregistered": (dead_token(), "documented"),
    "of an unknown protocol": ({**dead_token(), "protocol": None}, "impossible"),
    "with an unknown member": (dead_token(future={"nested": []}), "documented"),
    "with Apple's answer": (
        dead_token(404, apns_detail(statusCode=410, reason="Unregistered")),
        "documented",
    ),
    "a date": ({**v1_answer(503, ""), "retry_after": "Sun, 06 Nov 1994 08:49:37 GMT"}, "documented"),
    "a page": (v1_answer(404, "<HTML></HTML>"), "documented"),
    "a wait at 404": ({**dead_token(), "retry_after": "120"}, "plausible"),
    "an unreadable wait": ({**v1_answer(503, ""), "retry_after": "soon"}, "plausible"),
    "another date": ({**v1_answer(503, ""), "retry_after": "Sunday, 06-Nov-94 08:49:37 GMT"}, "plausible"),
    "a page at any status": (v1_answer(299, "<HTML></HTML>"), "plausible"),
    "an unknown code": (dead_token(code="DEVICE_ASLEEP"), "plausible"),
    "an unknown code that is no error": (dead_token(204, code="DEVICE_ASLEEP"), "impossible"),
    "another rpc status": (dead_token(status="PERMISSION_DENIED"), "plausible"),
    "no code": (dead_token(code=None), "plausible"),
    "a code at a status of a proxy": (dead_token(503), "plausible"),
    "a code at a status of another": (dead_token(418), "impossible"),
    "two codes": (dead_token(404, fcm_error_detail("QUOTA_EXCEEDED")), "impossible"),
    "the same code twice": (dead_token(404, fcm_error_detail("UNREGISTERED")), "plausible"),
    "a code of another beginning": (dead_token(details=[of_type(f"NOT_{FCM_ERROR}")]), "impossible"),
    "a code without the beginning": (
        dead_token(details=[of_type(FCM_ERROR.partition("/")[2])]),
        "impossible",
    ),
    "a type in small letters": (dead_token(details=[of_type(FCM_ERROR.lower())]), "impossible"),
    "a letter more": (dead_token(details=[of_type(f"{FCM_ERROR}s")]), "impossible"),
    "a letter less": (dead_token(details=[of_type(FCM_ERROR[:-1])]), "impossible"),
    "another version": (dead_token(details=[of_type(FCM_ERROR.replace("v1", "v2"))]), "impossible"),
    "a near miss of another type": (dead_token(404, of_type(f"{BAD_REQUEST}s")), "impossible"),
    "the name of 2018": (dead_token(details=[of_type(f"{FCM_ERROR}Code")]), "documented"),
    "a type of tomorrow": (dead_token(404, of_type(f"{FCM_ERROR[:-8]}WebpushError")), "plausible"),
    "a code of a wrong type": (dead_token(code=7), "impossible"),
    "an interim status": (v1_answer(102, ""), "impossible"),
    "a status that does not exist": (v1_answer(700, ""), "impossible"),
    "a legacy word": (legacy_answer({"error": "NotRegistered"}), "documented"),
    "a legacy word of tomorrow": (legacy_answer({"error": "Err"}), "plausible"),
    "a legacy word at 503": (legacy_answer({"error": "NotRegistered"}, 503), "impossible"),
    "a legacy number": (legacy_answer({"error": 7}), "impossible"),
    "a topic's answer": (legacy_answer({"message_id": 6985435902064854329}), "documented"),
}


@pytest.mark.parametrize(("answer", "expected"), CLASSES.values(), ids=CLASSES)
def test_an_answer_is_of_its_class(answer: dict[str, Any], expected: str) -> None:
    assert classify_answer(answer) == expected


def test_the_example_of_a_case_is_documented() -> None:
    for case in load_catalogue().cases:
        is_documented = case.known and case.id not in WITHOUT_DOCUMENT
        expected = "documented" if is_documented else "plausible"
        assert classify_answer(example_report(case)) == expected, case.id


def test_no_recorded_answer_is_impossible() -> None:
    assert [entry.id for entry in read_corpus() if classify_answer(entry.answer) == "impossible"] == []


# --- unspecified answers

ALLOWED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "decided": (dead_token(), {"unsubscribe"}),
    "two codes": (
        dead_token(404, fcm_error_detail("QUOTA_EXCEEDED")),
        {"unsubscribe", "postpone", "alert"},
    ),
    "impossible": (dead_token(429), {"unsubscribe", "postpone", "alert"}),
    "a success beside an error": (
        legacy_answer({"message_id": "1", "error": "NotRegistered"}),
        {"unsubscribe", "keep", "alert"},
    ),
    "a new token beside an error": (
        legacy_answer({"registration_id": "new", "error": "NotRegistered"}),
        {"unsubscribe", "replace_token", "keep", "alert"},
    ),
    "a word at 503": (legacy_answer({"error": "NotRegistered"}, 503), {"unsubscribe", "postpone", "alert"}),
    "nothing": (v1_answer(200, {}), {"keep", "alert"}),
    "an error that is a word": (v1_answer(400, {"error": "NotRegistered"}), {"alert"}),
    "a type of another beginning": (
        dead_token(details=[of_type(f"NOT_{FCM_ERROR}")]),
        {"unsubscribe", "alert", "fix_message", "postpone"},
    ),
    "cut off": (v1_answer(404, '{"error": {"code": 404, "mess'), {"alert"}),
    "cut off at 200": (v1_answer(200, '{"name": "projects/'), {"keep", "alert"}),
    "JSON in a text": (v1_answer(404, '{"error": {}}'), {"alert"}),
    "a token text in a list of wrong details": (
        v1_answer(400, code=400, message=TOKEN_TEXT, status="INVALID_ARGUMENT", details=[7]),
        {"unsubscribe", "fix_message", "alert"},
    ),
}


@pytest.mark.parametrize(("answer", "expected"), ALLOWED.values(), ids=ALLOWED)
def test_the_allowed_outcomes_are_those_of_all_signs(answer: dict[str, Any], expected: set[str]) -> None:
    assert load_catalogue().allowed_outcomes(answer) == expected


def test_the_deciding_outcome_is_always_allowed() -> None:
    answers = [example_report(row) for row in (*load_catalogue().cases, *load_catalogue().unspecified)]
    for answer in answers:
        deciding = load_catalogue().decide(answer)
        assert deciding is not None
        assert deciding.outcome in load_catalogue().allowed_outcomes(answer)


def test_an_example_of_a_case_is_decided() -> None:
    for case in load_catalogue().cases:
        assert load_catalogue().allowed_outcomes(example_report(case)) == {case.outcome}, case.id
