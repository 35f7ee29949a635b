"""What must become of a subscriber after one answer of FCM: the code, the outcome and the wait."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from suites.selfcheck.second_opinion.reports import Report, is_token, read_time


class Decision(NamedTuple):
    code: str
    outcome: str


LEGACY_ERRORS = {
    **dict.fromkeys(("NotRegistered", "InvalidRegistration"), "unsubscribe"),
    **dict.fromkeys(("Unavailable", "InternalServerError"), "postpone"),
    **dict.fromkeys(("DeviceMessageRateExceeded", "TopicsMessageRateExceeded"), "postpone"),
    **dict.fromkeys(("MissingRegistration", "MessageTooBig", "InvalidDataKey"), "fix_message"),
    **dict.fromkeys(("InvalidTtl", "InvalidPackageName", "InvalidParameters"), "fix_message"),
    **dict.fromkeys(("MismatchSenderId", "InvalidApnsCredential", "DeprecatedApi"), "alert"),
}
V1_ERRORS = {
    "UNREGISTERED": "unsubscribe",
    **dict.fromkeys(("QUOTA_EXCEEDED", "UNAVAILABLE", "INTERNAL"), "postpone"),
    **dict.fromkeys(
        ("THIRD_PARTY_AUTH_ERROR", "APNS_AUTH_ERROR", "SENDER_ID_MISMATCH", "UNSPECIFIED_ERROR"), "alert"
    ),
}
FCM_ERROR = ("google.firebase.fcm.v1.FcmError", "google.firebase.fcm.v1.FcmErrorCode")
APNS_ERROR = ("google.firebase.fcm.v1.ApnsError",)
BAD_REQUEST = ("google.rpc.BadRequest",)
RETRY_INFO = ("google.rpc.RetryInfo",)
APNS_TOKEN_REASONS = ("BadDeviceToken", "DeviceTokenNotForTopic")
TARGET_FIELDS = frozenset({"message.token", "message.fid"})
TOKEN_TEXT = "The registration token is not a valid FCM registration token"  # noqa: S105

LONGEST_WAIT = timedelta(hours=24)
HTTP_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
DURATION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?s")


def decide(report: Report) -> Decision:
    """Decide one report by its protocol."""
    if report.get("protocol") == "fcm_v1":
        return decide_v1(report)
    return decide_legacy(report)


def decide_legacy(report: Report) -> Decision:
    response = report["response"]
    if isinstance(response, str):
        refused = report["http_status"] == 400
        return Decision("HTTP_400", "fix_message") if refused else decide_by_status(report)
    error = response.get("error")
    if isinstance(error, str) and error:
        word = error.partition(":")[0]
        return Decision(word, LEGACY_ERRORS[word]) if word in LEGACY_ERRORS else Decision(error, "alert")
    if error is not None:
        return Decision("UNREADABLE", "alert")
    if is_token(response.get("registration_id")):
        return Decision("CANONICAL_ID", "replace_token")
    if response.get("message_id") is not None:
        return Decision("DELIVERED", "keep")
    return Decision("UNREADABLE", "alert")


def decide_by_status(report: Report) -> Decision:
    status = int(report["http_status"])
    temporary = status in (408, 429) or (500 <= status <= 599 and status not in (501, 505))
    return Decision(f"HTTP_{status}", "postpone" if temporary else "alert")


def decide_v1(report: Report) -> Decision:
    response = report["response"]
    error = response.get("error") if isinstance(response, dict) else None
    if not isinstance(error, dict):
        if report["http_status"] == 200 and isinstance(response, dict):
            delivered = isinstance(response.get("name"), str) or "error" not in response
            return Decision("DELIVERED", "keep") if delivered else Decision("UNREADABLE", "alert")
        return decide_by_status(report)
    code = next(fcm_codes(error), None)
    if code is None and (report["http_status"], error.get("status")) == (400, "INVALID_ARGUMENT"):
        code = "INVALID_ARGUMENT"
    if code == "INVALID_ARGUMENT":
        return decide_invalid_argument(error)
    if code is None:
        return decide_by_status(report)
    return Decision(code or "UNREADABLE", V1_ERRORS.get(code, "alert"))


def decide_invalid_argument(error: Mapping[str, Any]) -> Decision:
    apns = list(details_of(error, APNS_ERROR))
    reasons = [detail.get("reason") for detail in apns]
    if any(has_status_410(detail) for detail in apns) or "Unregistered" in reasons:
        return Decision("INVALID_ARGUMENT", "unsubscribe")
    if any(reason in APNS_TOKEN_REASONS for reason in reasons if isinstance(reason, str)):
        return Decision("APNS_TOKEN", "alert")
    fields = {field for detail in details_of(error, BAD_REQUEST) for field in fields_of(detail)}
    about_target = bool(fields) or error.get("message") == TOKEN_TEXT
    dead = about_target and fields <= TARGET_FIELDS
    return Decision("INVALID_ARGUMENT", "unsubscribe" if dead else "fix_message")


def has_status_410(detail: Mapping[str, Any]) -> bool:
    status = detail.get("statusCode")
    return isinstance(status, int) and status == 410


def fields_of(detail: Mapping[str, Any]) -> Iterator[str]:
    violations = detail.get("fieldViolations")
    for violation in violations if isinstance(violations, list) else []:
        if isinstance(violation, dict) and isinstance(violation.get("field"), str):
            yield violation["field"]


def fcm_codes(error: Mapping[str, Any]) -> Iterator[str]:
    for detail in details_of(error, FCM_ERROR):
        if isinstance(detail.get("errorCode"), str):
            yield detail["errorCode"]


def details_of(error: Mapping[str, Any], types: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the details of one kind; entries that cannot be read do not count."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        kind = detail.get("@type") if isinstance(detail, dict) else None
        if isinstance(kind, str) and kind.endswith(types):
            yield detail


def wait_of(report: Report) -> timedelta:
    """Return how long to wait: what FCM asked or the floor, and up to twice as long for jitter."""
    named = max([timedelta(), *retry_after(report), *retry_infos(report)])
    if report["http_status"] == 429:
        least = named or timedelta(seconds=60)
    else:
        least = max(named, timedelta(seconds=10))
    jitter = 1 + UUID(report["report_id"]).int % 1000 / 1000  # the same report always waits the same time
    return min(least * jitter, LONGEST_WAIT)


def retry_after(report: Report) -> Iterator[timedelta]:
    text = (report["retry_after"] or "").strip(" \t")
    if re.fullmatch("[0-9]+", text):
        yield timedelta(seconds=int(text[-6:])) if len(text.lstrip("0")) <= 6 else LONGEST_WAIT
    for form in HTTP_DATES:
        try:
            yield datetime.strptime(text, form).replace(tzinfo=UTC) - read_time(report["sent_at"])
        except ValueError:
            continue


def retry_infos(report: Report) -> Iterator[timedelta]:
    response = report["response"]
    error = response.get("error") if isinstance(response, dict) else None
    for detail in details_of(error, RETRY_INFO) if isinstance(error, dict) else ():
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and DURATION.fullmatch(delay):
            yield timedelta(seconds=float(delay[:-1]))
