"""Every answer of FCM v1 is decided as the design says: the design is written out here a second time."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from suites.selfcheck.core.test_legacy_decision_table import PAGE, Rows, assert_decided
from suites.selfcheck.sample_answers import (
    GOOGLE,
    apns_detail,
    bad_request_detail,
    fcm_error_detail,
    retry_info_detail,
    v1_answer,
)

TOKEN_TEXT = "The registration token is not a valid FCM registration token"  # noqa: S105  FCM's words
PAYLOAD = {"field": "message.data[0].value", "description": "d"}
TOKEN = {"field": "message.token", "description": "d"}


def detailed(http_status: int, *details: Any, **members: Any) -> dict[str, Any]:
    return v1_answer(http_status, **members, details=list(details))


def invalid(*details: Any, message: str = "m", http_status: int = 400) -> dict[str, Any]:
    """A v1 answer with an FcmError INVALID_ARGUMENT."""
    members = {"code": http_status, "message": message, "status": "INVALID_ARGUMENT"}
    return detailed(http_status, fcm_error_detail("INVALID_ARGUMENT"), *details, **members)


def bare(*details: Any, message: str = "m", http_status: int = 400) -> dict[str, Any]:
    """A v1 answer with the status INVALID_ARGUMENT and without FcmError."""
    return detailed(http_status, *details, message=message, status="INVALID_ARGUMENT")


INVALID_ARGUMENT: Mapping[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "nothing else": ((), {}, "fix_message"),
    "410": ((apns_detail(statusCode=410),), {}, "unsubscribe"),
    "410 after ruins": ((None, 7, "x", [], apns_detail(statusCode=410)), {}, "unsubscribe"),
    "410 and a bad payload": ((apns_detail(statusCode=410), bad_request_detail(PAYLOAD)), {}, "unsubscribe"),
    "410 as a string": ((apns_detail(statusCode="410"),), {}, "fix_message"),
    "410 as true": ((apns_detail(statusCode=True),), {}, "fix_message"),
    "BadDeviceToken": ((apns_detail(statusCode=400, reason="BadDeviceToken"),), {}, "alert"),
    "DeviceTokenNotForTopic": ((apns_detail(reason="DeviceTokenNotForTopic"),), {}, "alert"),
    "BadDeviceToken and the token field": (
        (apns_detail(reason="BadDeviceToken"), bad_request_detail(TOKEN)),
        {},
        "alert",
    ),
    "BadDeviceToken and 410": (
        (apns_detail(reason="BadDeviceToken"), apns_detail(statusCode=410)),
        {},
        "unsubscribe",
    ),
    "BadTopic": ((apns_detail(statusCode=400, reason="BadTopic"),), {}, "fix_message"),
    "reason Unregistered": ((apns_detail(reason="Unregistered"),), {}, "unsubscribe"),
    "reason unregistered": ((apns_detail(reason="unregistered"),), {}, "fix_message"),
    "reason as a list": ((apns_detail(reason=["Unregistered"]),), {}, "fix_message"),
    "Apple's words in another type": (
        ({"@type": f"{GOOGLE}google.rpc.ErrorInfo", "statusCode": 410, "reason": "Unregistered"},),
        {},
        "fix_message",
    ),
    "token field": ((bad_request_detail(TOKEN),), {}, "unsubscribe"),
    "token field twice": ((bad_request_detail(TOKEN, TOKEN),), {}, "unsubscribe"),
    "token field among ruins": (
        (bad_request_detail(None, "message.data", {"field": 7}, {}, TOKEN),),
        {},
        "unsubscribe",
    ),
    "fid field": ((bad_request_detail({"field": "message.fid"}),), {}, "unsubscribe"),
    "fid and another field": (
        (bad_request_detail({"field": "message.fid"}, PAYLOAD),),
        {},
        "fix_message",
    ),
    "another field": ((bad_request_detail(PAYLOAD),), {}, "fix_message"),
    "token and another field": ((bad_request_detail(TOKEN, PAYLOAD),), {}, "fix_message"),
    "token and another field, apart": (
        (bad_request_detail(TOKEN), bad_request_detail(PAYLOAD)),
        {},
        "fix_message",
    ),
    "token field of another name": ((bad_request_detail({"field": "message.token.x"}),), {}, "fix_message"),
    "fieldViolations an object": (
        ({"@type": f"{GOOGLE}google.rpc.BadRequest", "fieldViolations": TOKEN},),
        {},
        "fix_message",
    ),
    "text": ((), {"message": TOKEN_TEXT}, "unsubscribe"),
    "text and the token field": ((bad_request_detail(TOKEN),), {"message": TOKEN_TEXT}, "unsubscribe"),
    "text and another field": ((bad_request_detail(PAYLOAD),), {"message": TOKEN_TEXT}, "fix_message"),
    "text and a field without a name": ((bad_request_detail({}),), {"message": TOKEN_TEXT}, "unsubscribe"),
    "text with a suffix": ((), {"message": f"{TOKEN_TEXT}."}, "fix_message"),
    "text in capitals": ((), {"message": TOKEN_TEXT.upper()}, "fix_message"),
    "text with a line end": ((), {"message": f"{TOKEN_TEXT}\n"}, "fix_message"),
}

V1_WORDS = {
    "unsubscribe": "UNREGISTERED",
    "alert": "THIRD_PARTY_AUTH_ERROR APNS_AUTH_ERROR SENDER_ID_MISMATCH UNSPECIFIED_ERROR "
    "NotRegistered unregistered UNREGISTERED_ NOT_FOUND SOME_NEW_CODE",
    "postpone": "QUOTA_EXCEEDED UNAVAILABLE INTERNAL",
    "fix_message": "INVALID_ARGUMENT",
}
NO_ERROR = {
    "page": PAGE,
    "empty body": "",
    "empty object": {},
    "legacy word": {"error": "NotRegistered"},
    "null error": {"error": None},
    "error list": {"error": [{"details": [fcm_error_detail("UNREGISTERED")]}]},
    "JSON in a string": '{"error":{"details":[]}}',
}
KINDS = {
    "unsubscribe": (f"{GOOGLE}google.firebase.fcm.v1.FcmErrorCode", "google.firebase.fcm.v1.FcmError"),
    "alert": (
        f"{GOOGLE}google.rpc.ErrorInfo",
        f"{GOOGLE}google.firebase.fcm.v1.ApnsError",
        f"{GOOGLE}google.firebase.fcm.v2.FcmError",
        f"{GOOGLE}google.firebase.fcm.v1.FcmErrors",
        f"{GOOGLE}google.firebase.fcm.v1.FcmErrorCode.x",
        f"{GOOGLE}google.firebase.fcm.v1.fcmerror",
        "FcmError",
        "",
        5,
    ),
}
BARE = {
    "postpone": (
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNREGISTERED"),
        (599, "NOT_FOUND"),
        (408, "DEADLINE_EXCEEDED"),
    ),
    "alert": (
        (400, "UNREGISTERED"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (410, "UNREGISTERED"),
        (418, "UNAVAILABLE"),
        (501, "UNIMPLEMENTED"),
        (505, "UNAVAILABLE"),
        (200, "UNAVAILABLE"),
    ),
}
UNDELIVERED: tuple[Any, ...] = (PAGE, "", {"error": "NotRegistered"}, {"error": []})
FOR_A_WHILE, FOR_GOOD = (500, 503, 599, 408, 429), (400, 401, 403, 404, 410, 418, 201, 501, 505)
INTERNAL, MISMATCH = fcm_error_detail("INTERNAL"), fcm_error_detail("SENDER_ID_MISMATCH")
THREE = (fcm_error_detail("UNREGISTERED"), retry_info_detail("1s"), bad_request_detail(PAYLOAD))
V1: Rows = {
    # in the order of the design, first step
    "200": (
        "keep",
        [
            v1_answer(200, body)
            for body in (
                {"name": "projects/p/messages/1"},
                {"name": "projects/p/messages/1", "error": "NotRegistered"},
                {},
                {"error": None},
                {"other": 1},
            )
        ],
    ),
    "200 with an FcmError": ("unsubscribe", [v1_answer(200, details=[fcm_error_detail("UNREGISTERED")])]),
    "200 without an object, or with an error that is none": (
        "alert",
        [v1_answer(200, body) for body in UNDELIVERED],
    ),
    # second step
    **{
        f"{name} at {statuses[0]} and its like": (outcome, [v1_answer(status, body) for status in statuses])
        for name, body in NO_ERROR.items()
        for statuses, outcome in {FOR_A_WHILE: "postpone", FOR_GOOD: "alert"}.items()
    },
    # third step
    **{
        f"FcmError: {outcome}": (
            outcome,
            [v1_answer(400, message="m", details=[fcm_error_detail(code)]) for code in codes.split(" ")],
        )
        for outcome, codes in V1_WORDS.items()
    },
    "FcmError at any place": (
        "unsubscribe",
        [v1_answer(404, details=list(details)) for details in itertools.permutations(THREE)],
    ),
    **{
        f"@type: {outcome}": (
            outcome,
            [v1_answer(404, details=[fcm_error_detail("UNREGISTERED", kind)]) for kind in kinds],
        )
        for outcome, kinds in KINDS.items()
    },
    "errorCode without @type": ("alert", [v1_answer(404, details=[{"errorCode": "UNREGISTERED"}])]),
    "UNREGISTERED whatever else is said": (
        "unsubscribe",
        [
            v1_answer(http_status, status=status, details=[fcm_error_detail("UNREGISTERED")])
            for http_status in (400, 403, 404, 410, 429, 500, 503)
            for status in ("PERMISSION_DENIED", "INVALID_ARGUMENT", None, 7)
        ],
    ),
    "INTERNAL at 404 NOT_FOUND": ("postpone", [detailed(404, INTERNAL, status="NOT_FOUND")]),
    "SENDER_ID_MISMATCH at 400 INVALID_ARGUMENT with Apple's 410": (
        "alert",
        [detailed(400, MISMATCH, apns_detail(statusCode=410), status="INVALID_ARGUMENT")],
    ),
    "unknown FcmError with the token's text": (
        "alert",
        [v1_answer(400, status="INVALID_ARGUMENT", message=TOKEN_TEXT, details=[fcm_error_detail("NEW")])],
    ),
    # fourth step, by FcmError and bare
    **{
        f"INVALID_ARGUMENT, {name}": (outcome, [invalid(*details, **more), bare(*details, **more)])
        for name, (details, more, outcome) in INVALID_ARGUMENT.items()
    },
    "INVALID_ARGUMENT by FcmError at 500, text": (
        "unsubscribe",
        [invalid(message=TOKEN_TEXT, http_status=500)],
    ),
    "bare INVALID_ARGUMENT at 404, text": ("alert", [bare(message=TOKEN_TEXT, http_status=404)]),
    "bare INVALID_ARGUMENT at 500, 410": ("postpone", [bare(apns_detail(statusCode=410), http_status=500)]),
    "bare FAILED_PRECONDITION, 410": (
        "alert",
        [detailed(400, apns_detail(statusCode=410), status="FAILED_PRECONDITION")],
    ),
    "details that are no list": (
        "fix_message",
        [
            v1_answer(400, status="INVALID_ARGUMENT", details=details)
            for details in (fcm_error_detail("UNREGISTERED"), "UNREGISTERED", None)
        ],
    ),
    "FcmError without a code": ("fix_message", [bare({"@type": "google.firebase.fcm.v1.FcmError"})]),
    "errorCode that is none": (
        "alert",
        [
            v1_answer(404, status="NOT_FOUND", details=[fcm_error_detail(code)])
            for code in (None, 7, True, ["UNREGISTERED"], {"UNREGISTERED": 1}, "")
        ],
    ),
    # fifth step
    **{
        f"bare status: {outcome}": (
            outcome,
            [
                v1_answer(http_status, code=404, status=status, message="Requested entity was not found.")
                for http_status, status in statuses
            ],
        )
        for outcome, statuses in BARE.items()
    },
}


@pytest.mark.parametrize(("outcome", "answers"), V1.values(), ids=V1)
def test_v1_answers_are_decided_as_designed(outcome: str, answers: list[dict[str, Any]]) -> None:
    assert_decided(outcome, answers)
