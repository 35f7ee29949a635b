"""The catalogue says what the design says: complete, in order, with its waits; a wrong one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs.canonical import Satisfiability

from fixtures import catalogue as catalogues
from fixtures import payloads, schemas
from fixtures.catalogue import CATALOGUE, Case, CatalogueError, example_report, load, wait_s
from fixtures.payloads import Identities
from fixtures.services import fcm
from suites.selfcheck.samples import corpus, corpus_lines, legacy, recorded, reports, v1

CASES = load().cases
PROTOCOLS = ("legacy", "fcm_v1")
GOOGLE = "type.googleapis.com/"
TOKEN_TEXT = "The registration token is not a valid FCM registration token"  # noqa: S105  FCM's words
PAYLOAD = {"field": "message.data[0].value", "description": "d"}
TOKEN = {"field": "message.token", "description": "d"}
PAGE = "<HTML><HEAD><TITLE>Not Found</TITLE></HEAD></HTML>"


def fcm_error(code: Any, kind: str = f"{GOOGLE}google.firebase.fcm.v1.FcmError") -> dict[str, Any]:
    """FCM's own detail."""
    return {"@type": kind, "errorCode": code}


def apns(**members: Any) -> dict[str, Any]:
    """Apple's detail."""
    return {"@type": f"{GOOGLE}google.firebase.fcm.v1.ApnsError", **members}


def bad_request(*violations: Any) -> dict[str, Any]:
    """Google's detail about the fields of the request."""
    return {"@type": f"{GOOGLE}google.rpc.BadRequest", "fieldViolations": list(violations)}


def retry_info(delay: Any) -> dict[str, Any]:
    """Google's detail about the time to wait."""
    return {"@type": f"{GOOGLE}google.rpc.RetryInfo", "retryDelay": delay}


def invalid(*details: Any, message: str = "m", http_status: int = 400) -> dict[str, Any]:
    """A v1 answer of which FcmError says INVALID_ARGUMENT."""
    return v1(
        http_status,
        code=http_status,
        message=message,
        status="INVALID_ARGUMENT",
        details=[fcm_error("INVALID_ARGUMENT"), *details],
    )


def bare(*details: Any, message: str = "m", http_status: int = 400) -> dict[str, Any]:
    """A v1 answer with status INVALID_ARGUMENT and no FcmError."""
    return v1(http_status, message=message, status="INVALID_ARGUMENT", details=list(details))


# --- the corpus, and completeness


@pytest.mark.parametrize("line", corpus_lines(), ids=lambda line: line["id"])
def test_a_corpus_line_is_decided_as_it_expects(line: dict[str, Any]) -> None:
    protocol = load()[line["expect"][0]].protocol
    assert [entry.case.id for entry in recorded([{"protocol": protocol, **line}])] == line["expect"]


def test_the_corpus_reaches_every_case() -> None:
    assert {entry.case for entry in corpus()} == set(CASES)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_report_is_decided(protocol: str) -> None:
    assert load().uncovered(protocol).satisfiability() == Satisfiability.NO


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_example_makes_a_valid_report_of_its_case(case: Case) -> None:
    report = payloads.address(example_report(case), Identities())
    schemas.validate(report, catalogues.REPORT_SCHEMA[case.protocol])
    schemas.validate(report, "response-report.schema.json")
    assert load().decide(report) is case


# --- equivalents


@pytest.mark.parametrize("case", [case for case in CASES if case.legacy_equivalent], ids=lambda case: case.id)
def test_equivalents_have_equal_outcomes(case: Case) -> None:
    assert case.protocol == "fcm_v1"
    assert {load()[name].protocol for name in case.legacy_equivalent} == {"legacy"}
    assert {load()[name].outcome for name in case.legacy_equivalent} == {case.outcome}


WITHOUT_COUNTERPART = {
    "legacy-DeprecatedApi": "v1 is not being shut down",
    "legacy-canonical-id": "v1 never names another token",
    "legacy-text-400": "v1 gives its reasons as JSON; without any, nobody knows whose fault it is",
}


@pytest.mark.parametrize("case", load().of("legacy"), ids=lambda case: case.id)
def test_a_legacy_case_is_named_by_its_counterpart(case: Case) -> None:
    namers = [other.id for other in CASES if case.id in other.legacy_equivalent]
    assert bool(namers) != (case.id in WITHOUT_COUNTERPART)


# --- the design, section 4, written out a second time

LEGACY_WORDS = {
    "unsubscribe": "NotRegistered InvalidRegistration",
    "postpone": "Unavailable InternalServerError DeviceMessageRateExceeded TopicsMessageRateExceeded",
    "fix_message": "MissingRegistration MessageTooBig InvalidDataKey InvalidTtl InvalidPackageName "
    "InvalidParameters",
    "alert": "MismatchSenderId InvalidApnsCredential DeprecatedApi "
    "notregistered NOTREGISTERED NotRegistered\n UNREGISTERED Not_Registered InvalidRegistrations Err",
}

V1_WORDS = {
    "unsubscribe": "UNREGISTERED",
    "alert": "THIRD_PARTY_AUTH_ERROR APNS_AUTH_ERROR SENDER_ID_MISMATCH UNSPECIFIED_ERROR "
    "NotRegistered unregistered UNREGISTERED_ NOT_FOUND SOME_NEW_CODE",
    "postpone": "QUOTA_EXCEEDED UNAVAILABLE INTERNAL",
    "fix_message": "INVALID_ARGUMENT",
}

INVALID_ARGUMENT: Mapping[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "nothing else": ((), {}, "fix_message"),
    "410": ((apns(statusCode=410),), {}, "unsubscribe"),
    "410 after ruins": ((None, 7, "x", [], apns(statusCode=410)), {}, "unsubscribe"),
    "410 and a bad payload": ((apns(statusCode=410), bad_request(PAYLOAD)), {}, "unsubscribe"),
    "410 as a string": ((apns(statusCode="410"),), {}, "fix_message"),
    "410 as true": ((apns(statusCode=True),), {}, "fix_message"),
    "400": ((apns(statusCode=400, reason="BadDeviceToken"),), {}, "fix_message"),
    "reason Unregistered": ((apns(reason="Unregistered"),), {}, "unsubscribe"),
    "reason unregistered": ((apns(reason="unregistered"),), {}, "fix_message"),
    "reason as a list": ((apns(reason=["Unregistered"]),), {}, "fix_message"),
    "Apple's words in another type": (
        ({"@type": f"{GOOGLE}google.rpc.ErrorInfo", "statusCode": 410, "reason": "Unregistered"},),
        {},
        "fix_message",
    ),
    "token field": ((bad_request(TOKEN),), {}, "unsubscribe"),
    "token field twice": ((bad_request(TOKEN, TOKEN),), {}, "unsubscribe"),
    "token field among ruins": (
        (bad_request(None, "message.data", {"field": 7}, {}, TOKEN),),
        {},
        "unsubscribe",
    ),
    "another field": ((bad_request(PAYLOAD),), {}, "fix_message"),
    "token and another field": ((bad_request(TOKEN, PAYLOAD),), {}, "fix_message"),
    "token and another field, apart": (
        (bad_request(TOKEN), bad_request(PAYLOAD)),
        {},
        "fix_message",
    ),
    "token field of another name": (
        (bad_request({"field": "message.token.x"}),),
        {},
        "fix_message",
    ),
    "fieldViolations an object": (
        ({"@type": f"{GOOGLE}google.rpc.BadRequest", "fieldViolations": TOKEN},),
        {},
        "fix_message",
    ),
    "text": ((), {"message": TOKEN_TEXT}, "unsubscribe"),
    "text and the token field": ((bad_request(TOKEN),), {"message": TOKEN_TEXT}, "unsubscribe"),
    "text and another field": ((bad_request(PAYLOAD),), {"message": TOKEN_TEXT}, "fix_message"),
    "text and a field without a name": ((bad_request({}),), {"message": TOKEN_TEXT}, "unsubscribe"),
    "text with a suffix": ((), {"message": f"{TOKEN_TEXT}."}, "fix_message"),
    "text in capitals": ((), {"message": TOKEN_TEXT.upper()}, "fix_message"),
    "text with a line end": ((), {"message": f"{TOKEN_TEXT}\n"}, "fix_message"),
}

DESIGN: dict[str, tuple[dict[str, Any], str]] = {
    **{
        f"legacy {word!r} at {status}": (legacy({"error": word}, status), outcome)
        for outcome, words in LEGACY_WORDS.items()
        for word in words.split(" ")
        for status in (200, 404, 503)
    },
    "legacy delivered": (legacy({"message_id": "1:0"}), "keep"),
    "legacy canonical id": (legacy({"message_id": "1:0", "registration_id": "new"}), "replace_token"),
    "legacy canonical id alone": (legacy({"registration_id": "new"}), "replace_token"),
    "legacy error beside canonical id": (
        legacy({"registration_id": "new", "error": "NotRegistered"}),
        "unsubscribe",
    ),
    "legacy unknown error beside canonical id": (legacy({"registration_id": "n", "error": "X"}), "alert"),
    "legacy null error beside canonical id": (
        legacy({"registration_id": "n", "error": None}),
        "replace_token",
    ),
    "legacy empty canonical id": (legacy({"message_id": "1", "registration_id": ""}), "keep"),
    "legacy canonical id of another type": (legacy({"message_id": "1", "registration_id": 7}), "keep"),
    "legacy error of another type": (legacy({"error": {"code": "NotRegistered"}}), "alert"),
    "legacy error list": (legacy({"error": ["NotRegistered"]}), "alert"),
    "legacy result at 500": (legacy({"message_id": "1:0"}, 500), "postpone"),
    "legacy 404 page": (legacy(PAGE, 404), "alert"),
    "legacy word as text": (legacy("Error=NotRegistered", 200), "alert"),
    **{
        f"legacy text at {status}": (legacy(text, status), outcome)
        for text in ("refused", "")
        for status, outcome in {
            **dict.fromkeys((500, 502, 503, 504, 599, 408, 429), "postpone"),
            400: "fix_message",
            **dict.fromkeys((401, 403, 404, 410, 413, 418, 301, 204), "alert"),
        }.items()
    },
    # FCM v1 in the order of the design, first step
    "v1 200": (v1(200, {"name": "projects/p/messages/1"}), "keep"),
    "v1 200 with nothing": (v1(200, {}), "keep"),
    "v1 200 with a page": (v1(200, PAGE), "keep"),
    "v1 200 with an FcmError": (v1(200, details=[fcm_error("UNREGISTERED")]), "keep"),
    # second step
    **{
        f"v1 {name} at {status}": (v1(status, body), outcome)
        for name, body in {
            "page": PAGE,
            "empty body": "",
            "empty object": {},
            "legacy word": {"error": "NotRegistered"},
            "null error": {"error": None},
            "error list": {"error": [{"details": [fcm_error("UNREGISTERED")]}]},
            "JSON in a string": '{"error":{"details":[]}}',
        }.items()
        for status, outcome in {
            **dict.fromkeys((500, 503, 599, 408, 429), "postpone"),
            **dict.fromkeys((400, 401, 403, 404, 410, 418, 201), "alert"),
        }.items()
    },
    # third step
    **{
        f"v1 FcmError {word!r}": (v1(400, message="m", details=[fcm_error(word)]), outcome)
        for outcome, words in V1_WORDS.items()
        for word in words.split(" ")
    },
    **{
        f"v1 FcmError {place} of three": (v1(404, details=details), "unsubscribe")
        for place, details in {
            "first": [fcm_error("UNREGISTERED"), retry_info("1s"), bad_request(PAYLOAD)],
            "second": [retry_info("1s"), fcm_error("UNREGISTERED"), bad_request(PAYLOAD)],
            "third": [retry_info("1s"), bad_request(PAYLOAD), fcm_error("UNREGISTERED")],
        }.items()
    },
    **{
        f"v1 @type {kind}": (v1(404, details=[fcm_error("UNREGISTERED", kind)]), outcome)
        for kind, outcome in {
            f"{GOOGLE}google.firebase.fcm.v1.FcmErrorCode": "unsubscribe",
            "google.firebase.fcm.v1.FcmError": "unsubscribe",
            f"{GOOGLE}google.rpc.ErrorInfo": "alert",
            f"{GOOGLE}google.firebase.fcm.v1.ApnsError": "alert",
            f"{GOOGLE}google.firebase.fcm.v2.FcmError": "alert",
            f"{GOOGLE}google.firebase.fcm.v1.FcmErrors": "alert",
            f"{GOOGLE}google.firebase.fcm.v1.FcmErrorCode.x": "alert",
            f"{GOOGLE}google.firebase.fcm.v1.fcmerror": "alert",
            "FcmError": "alert",
            "": "alert",
        }.items()
    },
    "v1 errorCode without @type": (v1(404, details=[{"errorCode": "UNREGISTERED"}]), "alert"),
    "v1 @type of another type": (v1(404, details=[{"@type": 5, "errorCode": "UNREGISTERED"}]), "alert"),
    **{
        f"v1 UNREGISTERED at {http_status} {status}": (
            v1(http_status, status=status, details=[fcm_error("UNREGISTERED")]),
            "unsubscribe",
        )
        for http_status in (400, 403, 404, 410, 429, 500, 503)
        for status in ("PERMISSION_DENIED", "INVALID_ARGUMENT", None, 7)
    },
    "v1 INTERNAL at 404 NOT_FOUND": (
        v1(404, status="NOT_FOUND", details=[fcm_error("INTERNAL")]),
        "postpone",
    ),
    "v1 SENDER_ID_MISMATCH at 400 INVALID_ARGUMENT with Apple's 410": (
        v1(400, status="INVALID_ARGUMENT", details=[fcm_error("SENDER_ID_MISMATCH"), apns(statusCode=410)]),
        "alert",
    ),
    "v1 unknown FcmError with the token's text": (
        v1(400, status="INVALID_ARGUMENT", message=TOKEN_TEXT, details=[fcm_error("NEW")]),
        "alert",
    ),
    # fourth step, by FcmError and bare
    **{
        f"v1 {how}, {name}": (answer(*details, **more), outcome)
        for how, answer in {"INVALID_ARGUMENT": invalid, "bare INVALID_ARGUMENT": bare}.items()
        for name, (details, more, outcome) in INVALID_ARGUMENT.items()
    },
    "v1 INVALID_ARGUMENT by FcmError at 500, text": (
        invalid(message=TOKEN_TEXT, http_status=500),
        "unsubscribe",
    ),
    "v1 bare INVALID_ARGUMENT at 404, text": (bare(message=TOKEN_TEXT, http_status=404), "alert"),
    "v1 bare INVALID_ARGUMENT at 500, 410": (bare(apns(statusCode=410), http_status=500), "postpone"),
    "v1 bare FAILED_PRECONDITION, 410": (
        v1(400, status="FAILED_PRECONDITION", details=[apns(statusCode=410)]),
        "alert",
    ),
    "v1 details an object": (
        v1(400, status="INVALID_ARGUMENT", details=fcm_error("UNREGISTERED")),
        "fix_message",
    ),
    "v1 details a string": (v1(400, status="INVALID_ARGUMENT", details="UNREGISTERED"), "fix_message"),
    "v1 details null": (v1(400, status="INVALID_ARGUMENT", details=None), "fix_message"),
    "v1 FcmError without a code": (
        v1(400, status="INVALID_ARGUMENT", details=[{"@type": "google.firebase.fcm.v1.FcmError"}]),
        "fix_message",
    ),
    **{
        f"v1 errorCode {code!r}": (v1(404, status="NOT_FOUND", details=[fcm_error(code)]), "alert")
        for code in (None, 7, True, ["UNREGISTERED"], {"UNREGISTERED": 1}, "")
    },
    # fifth step
    **{
        f"v1 bare {http_status}": (
            v1(http_status, code=404, status=status, message="Requested entity was not found."),
            outcome,
        )
        for (http_status, status), outcome in {
            (429, "RESOURCE_EXHAUSTED"): "postpone",
            (500, "INTERNAL"): "postpone",
            (503, "UNREGISTERED"): "postpone",
            (599, "NOT_FOUND"): "postpone",
            (408, "DEADLINE_EXCEEDED"): "postpone",
            (400, "UNREGISTERED"): "alert",
            (401, "UNAUTHENTICATED"): "alert",
            (403, "PERMISSION_DENIED"): "alert",
            (404, "NOT_FOUND"): "alert",
            (410, "UNREGISTERED"): "alert",
            (418, "UNAVAILABLE"): "alert",
        }.items()
    },
}


@pytest.mark.parametrize(("answer", "outcome"), DESIGN.values(), ids=DESIGN)
def test_the_design_is_kept(answer: dict[str, Any], outcome: str) -> None:
    case = load().decide(answer)
    assert case is not None
    assert case.outcome == outcome, case.id
    report = payloads.address(answer, Identities())
    assert fcm.decide(report).outcome == outcome


# --- waits

NOW = datetime(2044, 11, 6, 8, 44, 37, tzinfo=UTC)
POSTPONES = {
    "legacy": legacy({"error": "Unavailable"}),
    "fcm_v1": v1(503, details=[fcm_error("UNAVAILABLE")]),
}

RETRY_AFTER: dict[str, tuple[str | None, float]] = {
    "none": (None, 10),
    "0": ("0", 10),
    "9": ("9", 10),
    "120": ("120", 120),
    "120 with spaces": (" 120\t", 120),
    "007": ("0011", 11),
    "a day": ("86400", 86400),
    "more than a day": ("86401", 86400),
    "huge": ("9" * 4000, 86400),
    "negative": ("-300", 10),
    "a fraction": ("300.5", 10),
    "hexadecimal": ("0x100", 10),
    "other digits": ("٤٢٠", 10),
    "words": ("soon", 10),
    "empty": ("", 10),
    "infinity": ("inf", 10),
    "IMF-fixdate": ("Sun, 06 Nov 2044 08:49:37 GMT", 300),
    "RFC 850": ("Sunday, 06-Nov-44 08:49:37 GMT", 300),
    "asctime": ("Sun Nov  6 08:49:37 2044", 300),
    "a date that has passed": ("Sun, 06 Nov 2044 08:39:37 GMT", 10),
    "a date next year": ("Mon, 06 Nov 2045 08:49:37 GMT", 86400),
    "no date": ("Sun, 99 Foo 2044 08:49:37 GMT", 10),
    "ISO 8601": ("2044-11-06T08:49:37Z", 10),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("header", "expected"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_retry_after(protocol: str, header: str | None, expected: float) -> None:
    assert waits({**POSTPONES[protocol], "retry_after": header}) == (expected, expected)


RETRY_INFO: dict[str, tuple[Any, float]] = {
    "42s": ("42s", 42),
    "a fraction": ("30.5s", 30.5),
    "nanoseconds": ("30.000000001s", 30.000000001),
    "under the floor": ("3.5s", 10),
    "negative": ("-42s", 10),
    "more than a day": ("90000s", 86400),
    "no unit": ("42", 10),
    "another unit": ("42m", 10),
    "a number": (42, 10),
    "an exponent": ("1e3s", 10),
    "a line end": ("42s\n", 10),
    "other digits": ("٤٢s", 10),
    "null": (None, 10),
    "an object": ({"seconds": 42}, 10),
}


@pytest.mark.parametrize(("delay", "expected"), RETRY_INFO.values(), ids=RETRY_INFO)
def test_retry_info(delay: Any, expected: float) -> None:
    answer = v1(503, details=[None, retry_info(delay), fcm_error("UNAVAILABLE")])
    assert waits(answer) == (expected, expected)


LARGEST: dict[str, tuple[int, str | None, list[str], float]] = {
    "floor of 429": (429, None, [], 60),
    "floor of 429 over both": (429, "30", ["45s"], 60),
    "Retry-After over the floor of 429": (429, "61", ["45s"], 61),
    "RetryInfo over Retry-After": (503, "30", ["45s"], 45),
    "Retry-After over RetryInfo": (503, "50", ["45s"], 50),
    "the larger RetryInfo": (503, None, ["20s", "40s", "30s"], 40),
    "RetryInfo beside garbage": (503, "soon", ["20s", "-90s"], 20),
    "no more than a day": (429, "100000", ["99999s"], 86400),
}


@pytest.mark.parametrize(("status", "header", "delays", "expected"), LARGEST.values(), ids=LARGEST)
def test_the_largest_wait_wins(status: int, header: str | None, delays: list[str], expected: float) -> None:
    details = [fcm_error("QUOTA_EXCEEDED"), *map(retry_info, delays)]
    assert waits({**v1(status, details=details), "retry_after": header}) == (expected, expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_only_postponed_subscribers_wait(case: Case) -> None:
    answer = {**example_report(case), "retry_after": "300"}
    assert wait_s(case, answer, answered_at=NOW) == (300 if case.outcome == "postpone" else None)


def waits(answer: dict[str, Any]) -> tuple[float | None, float | None]:
    """How long the catalogue waits, and how long the services do."""
    case = load().decide(answer)
    assert case is not None
    report = payloads.address(answer, Identities(), sent_at=NOW)
    return wait_s(case, report, answered_at=NOW), fcm.decide(report).wait_s


# --- the reference services decide alike


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_services_decide_alike(case: Case) -> None:
    for report in reports(case):
        decision = fcm.decide(report)
        expected = wait_s(case, report, answered_at=catalogues.instant(report["sent_at"]))
        assert (decision.protocol, decision.code, decision.outcome) == (
            case.protocol,
            case.code,
            case.outcome,
        )
        assert decision.wait_s == expected, report["retry_after"]


# --- a catalogue that is wrong

Change = Callable[[dict[str, Any]], None]


def row(data: Mapping[str, Any], case_id: str) -> dict[str, Any]:
    """A case of the file, to be changed in place."""
    return next(case for case in data["cases"] if case["id"] == case_id)


def changed(case_id: str, **members: Any) -> Change:
    """Some members of a case made something else."""
    return lambda data: row(data, case_id).update(members)


def alone(case_id: str, **members: Any) -> Change:
    """A catalogue of one case, with some members changed: what its schema refuses is refused fast."""

    def change(data: dict[str, Any]) -> None:
        data["cases"] = [{**row(data, case_id), **members}]

    return change


def moved_to_the_end(case_id: str) -> Change:
    """A case after all others."""
    return lambda data: data["cases"].append(data["cases"].pop(data["cases"].index(row(data, case_id))))


def twin(data: dict[str, Any]) -> None:
    """A second case with the id of the first."""
    data["cases"].append({**data["cases"][-1], "id": "legacy-NotRegistered"})


def alone_without_id(data: dict[str, Any]) -> None:
    """A case that cannot be named."""
    data["cases"] = data["cases"][:1]
    del data["cases"][0]["id"]


def reads_the_stars(data: dict[str, Any]) -> None:
    """A wait that depends on what no answer tells."""
    data["cases"] = data["cases"][:1]
    data["waits"]["back-off"]["reads"].append("the stars")


WRONG: dict[str, tuple[Change, str, str, str]] = {
    "twin id": (twin, "catalogue-twin", "legacy-NotRegistered", "two cases have this id"),
    "unknown wait": (
        changed("v1-INTERNAL", wait="for ever"),
        "catalogue-unknown-wait",
        "v1-INTERNAL",
        "wait 'for ever'; there are: back-off",
    ),
    "unmatchable case": (
        changed("v1-INTERNAL", match={"allOf": [{"type": "object"}, {"type": "string"}]}),
        "catalogue-unmatchable-case",
        "v1-INTERNAL",
        "no value at all",
    ),
    "impossible status": (
        changed(
            "legacy-text-429",
            match={
                "type": "object",
                "required": ["http_status"],
                "properties": {"http_status": {"enum": [1], "minimum": 2}},
            },
        ),
        "catalogue-unmatchable-case",
        "legacy-text-429",
        "no value at all",
    ),
    "example that does not match": (
        changed("legacy-text-404", example={"http_status": 403, "retry_after": None, "response": ""}),
        "catalogue-unmatched-example",
        "legacy-text-404",
        "does not satisfy its match",
    ),
    "hidden case": (
        moved_to_the_end("v1-bare-404"),
        "catalogue-hidden-case",
        "v1-bare-404",
        "the earlier case 'v1-bare-other' takes every report",
    ),
    "hidden example": (
        changed(
            "legacy-text-404",
            match={"properties": {"http_status": {"minimum": 403}}},
            example={"http_status": 403, "retry_after": None, "response": "x"},
        ),
        "catalogue-hidden-example",
        "legacy-text-404",
        "by the earlier case 'legacy-text-403'",
    ),
    "unknown equivalent": (
        changed("v1-UNREGISTERED", legacy_equivalent=["legacy-NotThere"]),
        "catalogue-unknown-equivalent",
        "v1-UNREGISTERED",
        "'legacy-NotThere' is no legacy case; there are: legacy-NotRegistered, ",
    ),
    "equivalent of its own protocol": (
        changed("v1-UNREGISTERED", legacy_equivalent=["v1-delivered"]),
        "catalogue-unknown-equivalent",
        "v1-UNREGISTERED",
        "'v1-delivered' is no legacy case",
    ),
    "unequal equivalents": (
        changed("legacy-NotRegistered", outcome="alert"),
        "catalogue-unequal-equivalents",
        "v1-UNREGISTERED",
        "its outcome is unsubscribe, that of its legacy equivalent legacy-NotRegistered is alert",
    ),
    "postpone without wait": (
        alone("v1-INTERNAL", wait=None),
        "catalogue-invalid",
        "v1-INTERNAL",
        "/wait",
    ),
    "wait without postpone": (
        alone("v1-UNREGISTERED", wait="back-off"),
        "catalogue-invalid",
        "v1-UNREGISTERED",
        "/wait",
    ),
    "unknown member": (alone("v1-INTERNAL", whyy="x"), "catalogue-invalid", "v1-INTERNAL", "'whyy'"),
    "unknown outcome": (
        alone("v1-INTERNAL", outcome="postpon"),
        "catalogue-invalid",
        "v1-INTERNAL",
        "'postpon' is not one of",
    ),
    "no id": (alone_without_id, "catalogue-invalid", "0", "'id' is a required"),
    "match that is no schema": (
        alone("v1-INTERNAL", match={"type": "strnig"}),
        "catalogue-invalid",
        "v1-INTERNAL",
        "match",
    ),
    "no cases": (lambda data: data["cases"].clear(), "catalogue-invalid", "-", "/cases"),
    "unknown wait source": (
        reads_the_stars,
        "catalogue-invalid",
        "-",
        "'the stars'",
    ),
}


def edited(tmp_path: Path, change: Change) -> Path:
    """A copy of the catalogue with something changed."""
    data = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    change(data)
    file = tmp_path / CATALOGUE.name
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


@pytest.mark.parametrize(("change", "slug", "case", "problem"), WRONG.values(), ids=WRONG)
def test_a_wrong_catalogue_is_refused(
    tmp_path: Path, change: Change, slug: str, case: str, problem: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        catalogues.load(edited(tmp_path, change))
    assert (caught.value.slug, caught.value.case) == (slug, case)
    said = str(caught.value)
    assert said.startswith(f"{slug}: case {case!r}: ")
    assert problem in said
    assert "\n  next: mend response-codes.json, then run ./ci/test suites/selfcheck/test_catalogue.py" in said


@pytest.mark.parametrize("text", ["{", "", "\ufeff{}"], ids=["truncated", "nothing", "byte order mark"])
def test_an_unreadable_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / CATALOGUE.name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(schemas.SchemaError, match=r"schema-unreadable: response-codes.json: not JSON"):
        catalogues.load(file)


def test_a_policy_is_an_edit_of_the_catalogue_and_nothing_else(tmp_path: Path) -> None:
    def unsubscribe_strangers(data: dict[str, Any]) -> None:
        for name in ("v1-SENDER_ID_MISMATCH", "legacy-MismatchSenderId"):
            row(data, name)["outcome"] = "unsubscribe"

    policy = catalogues.load(edited(tmp_path, unsubscribe_strangers))
    mismatch = v1(403, status="PERMISSION_DENIED", details=[fcm_error("SENDER_ID_MISMATCH")])
    for answer in (mismatch, legacy({"error": "MismatchSenderId"})):
        before, after = load().decide(answer), policy.decide(answer)
        assert before is not None
        assert after is not None
        assert (before.id, before.outcome, after.outcome) == (after.id, "alert", "unsubscribe")
    others = [
        case.outcome for case in CASES if case.id not in ("v1-SENDER_ID_MISMATCH", "legacy-MismatchSenderId")
    ]
    assert others == [policy[case.id].outcome for case in CASES if policy[case.id].outcome == case.outcome]
    for protocol in PROTOCOLS:
        assert policy.uncovered(protocol).satisfiability() == Satisfiability.NO


def test_half_a_policy_is_refused(tmp_path: Path) -> None:
    half = changed("v1-SENDER_ID_MISMATCH", outcome="unsubscribe")
    with pytest.raises(CatalogueError, match="catalogue-unequal-equivalents: case 'v1-SENDER_ID_MISMATCH'"):
        catalogues.load(edited(tmp_path, half))
