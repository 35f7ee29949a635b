"""What is drawn obeys the schemas, is decided by its case, and reaches what has misled readers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import hypothesis.strategies as st
import pytest
from jsonschema import Draft202012Validator

from fixtures import exploration, leaves, malformed, payloads, schemas, strategies
from fixtures.catalogue import Case, example_report, load
from fixtures.compiler import UnsupportedKeyword, compiled
from fixtures.envelope import IDENTITY
from fixtures.leaves import near_misses
from fixtures.malformed import ENVELOPE, EVENT, Rule
from fixtures.payloads import Identities, Payload
from suites.selfcheck import samples
from suites.selfcheck.samples import drawn, every_report, reports

CASES = load().cases
UNKNOWN_CODES = [case for case in CASES if not case.known and case.id.endswith("unknown-code")]
by_id = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@functools.cache
def reference(name: str) -> Draft202012Validator:
    """The validator of the jsonschema library."""
    return schemas.validator(name)


@by_id
def test_a_drawn_answer_is_decided_by_its_case(case: Case) -> None:
    assert len(drawn(case)) > samples.BATCHES
    assert {load().decide(report) for report in reports(case)} == {case}


@by_id
def test_a_drawn_report_is_valid(case: Case) -> None:
    protocol = {
        "legacy": "legacy-response-report.schema.json",
        "fcm_v1": "fcm-v1-response-report.schema.json",
    }
    for report in reports(case)[::5]:
        reference(ENVELOPE).validate(report)
        reference(protocol[case.protocol]).validate(report)
        reference(EVENT).validate(payloads.event(report, case.code))


# --- reach


def values(node: Any) -> Iterator[Any]:
    """Every value inside a JSON value, itself included."""
    yield node
    members = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for member in members:
        yield from values(member)


def error_of(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """The error object of a v1 report."""
    response = report["response"]
    error = response.get("error") if isinstance(response, dict) and "protocol" in report else None
    return error if isinstance(error, dict) else None


DETAILS = ("FcmError", "ApnsError", "BadRequest", "QuotaFailure", "RetryInfo", "ErrorInfo", "Help")
KIND = re.compile(rf"google\.(?:firebase\.fcm\.v1|rpc)\.({'|'.join(DETAILS)})(?:Code)?\Z")


def kind_of(detail: Any) -> str:
    """What kind of detail an entry is."""
    if not isinstance(detail, dict):
        return "an entry that is no object"
    if "@type" not in detail:
        return "an entry without @type"
    name = detail["@type"]
    if not isinstance(name, str):
        return "an entry whose @type is no string"
    found = KIND.search(name)
    return found[1] if found else "an unknown @type"


def is_readable(detail: Any) -> bool:
    """Whether a detail is an FcmError that tells a code."""
    return kind_of(detail) == "FcmError" and isinstance(detail.get("errorCode"), str)


def of_details(error: Mapping[str, Any]) -> Iterator[str]:
    """What is special about the details of an error."""
    if "details" not in error:
        yield "details: missing"
        return
    details = error["details"]
    if not isinstance(details, list):
        yield f"details: {type(details).__name__}"
        return
    if not details:
        yield "details: empty"
    for detail in details:
        yield f"detail: {kind_of(detail)}"
    readable = [position for position, detail in enumerate(details) if is_readable(detail)]
    if len(details) > 2 and len(readable) == 1:
        last = len(details) - 1
        yield f"FcmError: {'first' if readable == [0] else 'last' if readable == [last] else 'middle'}"
    if len(readable) > 1 and details[readable[0]] == details[readable[1]]:
        yield "FcmError: doubled"
    if any(kind_of(detail) == "FcmError" and not is_readable(detail) for detail in details):
        yield "FcmError: without a readable code"
    for detail in details:
        if is_readable(detail):
            yield f"FcmError: spelled {detail['@type'].rsplit('.', 1)[-1]}"


RETRY_AFTER = {
    "none": "none",
    "seconds": "[0-9]{1,5}",
    "more seconds than a day": "[0-9]{6,}|86401",
    "IMF-fixdate": r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT",
    "RFC 850": r"\w+, \d\d-\w{3}-\d\d [\d:]{8} GMT",
    "asctime": r"\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}",
    "garbage": "soon|NaN|12 seconds",
    "empty": "",
    "negative": "-[0-9]+",
}


def of_report(report: Payload) -> Iterator[str]:
    """What is special about a report."""
    header = "none" if report["retry_after"] is None else report["retry_after"]
    for name, pattern in RETRY_AFTER.items():
        if re.fullmatch(pattern, header):
            yield f"Retry-After: {name}"
    if isinstance(report["response"], str):
        yield "response: text" if report["response"] else "response: empty text"
    texts = [value for value in values(report["response"]) if isinstance(value, str)]
    yield from (f"text: {name}" for name in kinds_of_text(texts))
    yield from (f"token: {name}" for name in kinds_of_text([report["token"]]))
    if set(report) - {"protocol", *ENVELOPE_MEMBERS}:
        yield "unknown member: report"
    if isinstance(report["response"], dict):
        yield from of_response(report)


def kinds_of_text(texts: list[str]) -> Iterator[str]:
    """What is special about texts."""
    kinds = {
        "empty": any(not text for text in texts),
        "longest": any(len(text) == 4096 for text in texts),
        "not ASCII": any(not text.isascii() for text in texts),
        "outside the first plane": any(ord(letter) > 0xFFFF for text in texts for letter in text),
        "control characters": any("\u0000" in text for text in texts),
    }
    return (kind for kind, found in kinds.items() if found)


ENVELOPE_MEMBERS = frozenset(schemas.documents()[ENVELOPE]["$defs"]["envelope"]["properties"])
RESPONSE_MEMBERS = {
    "fcm_v1": {"name", "error"},
    "legacy": {"message_id", "registration_id", "error"},
}
ERROR_MEMBERS = {"code", "message", "status", "details", "errors"}
DETAIL_MEMBERS = {
    "@type",
    "errorCode",
    "statusCode",
    "reason",
    "fieldViolations",
    "violations",
    "retryDelay",
} | {
    "domain",
    "metadata",
    "links",
}


def of_response(report: Payload) -> Iterator[str]:
    """What is special about a JSON answer."""
    protocol = report.get("protocol", "legacy")
    if set(report["response"]) - RESPONSE_MEMBERS[protocol]:
        yield f"unknown member: {protocol} response"
    if not report["response"]:
        yield f"response: empty object, {protocol}"
    error = error_of(report)
    if error is None:
        return
    yield from of_details(error)
    if set(error) - ERROR_MEMBERS:
        yield "unknown member: error"
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and set(detail) - DETAIL_MEMBERS:
            yield "unknown member: detail"
    yield from of_contradictions(report, error)


def of_contradictions(report: Payload, error: Mapping[str, Any]) -> Iterator[str]:
    """What of an error disagrees with what else is said."""
    code = error.get("code")
    if isinstance(code, int) and code != report["http_status"]:
        yield "http_status: contradicts error.code"
    if "UNREGISTERED" in codes(error) and report["http_status"] // 100 == 5:
        yield "http_status: 5xx beside UNREGISTERED"
    if "UNREGISTERED" in codes(error) and error.get("status") not in ("NOT_FOUND", None):
        yield "status: contradicts UNREGISTERED"
    if codes(error) & TEMPORARY and report["http_status"] // 100 == 4:
        yield "http_status: permanent beside a temporary code"


TEMPORARY = {"INTERNAL", "UNAVAILABLE", "QUOTA_EXCEEDED"}


def codes(error: Mapping[str, Any]) -> set[str]:
    """The codes that the FcmErrors of an error tell."""
    details = error.get("details")
    return {d["errorCode"] for d in details if is_readable(d)} if isinstance(details, list) else set()


@functools.cache
def reached() -> frozenset[str]:
    """Everything special in what is drawn: a fixed number of answers of each case."""
    return frozenset(special for report in every_report() for special in of_report(report))


MUST_REACH = [
    *(f"detail: {kind}" for kind in DETAILS),
    "detail: an unknown @type",
    "detail: an entry without @type",
    "detail: an entry whose @type is no string",
    "detail: an entry that is no object",
    *(f"FcmError: {place}" for place in ("first", "middle", "last", "doubled", "without a readable code")),
    "FcmError: spelled FcmError",
    "FcmError: spelled FcmErrorCode",
    *(f"details: {what}" for what in ("missing", "empty", "dict", "str", "NoneType")),
    *(
        f"unknown member: {where}"
        for where in ("report", "legacy response", "fcm_v1 response", "error", "detail")
    ),
    *(
        f"text: {kind}"
        for kind in ("empty", "longest", "not ASCII", "outside the first plane", "control characters")
    ),
    "token: longest",
    "token: not ASCII",
    *(f"Retry-After: {form}" for form in RETRY_AFTER),
    "response: text",
    "response: empty text",
    "response: empty object, legacy",
    "response: empty object, fcm_v1",
    "http_status: contradicts error.code",
    "http_status: 5xx beside UNREGISTERED",
    "http_status: permanent beside a temporary code",
    "status: contradicts UNREGISTERED",
]


@pytest.mark.parametrize("special", MUST_REACH)
def test_what_is_drawn_reaches(special: str) -> None:
    assert special in reached()


SEEDS = {"legacy": 8, "fcm_v1": 4}
"""One run repeats itself too much to misspell every way, and a legacy `error` is often no string at all."""


def near(words: list[str]) -> dict[str, set[str]]:
    """Per way of misspelling, what becomes of known words."""
    return {
        "another case": {word.lower() for word in words} | {word.swapcase() for word in words},
        "a letter less": {word[:-1] for word in words},
        "a letter more": {f"{word}S" for word in words},
        "a space before": {f" {word}" for word in words},
        "a line end": {f"{word}\n" for word in words},
        "letters that look alike": {word.replace("e", "е").replace("E", "Е") for word in words},  # noqa: RUF001
    }


@pytest.mark.parametrize("case", UNKNOWN_CODES, ids=lambda case: case.id)
def test_unknown_codes_are_near_misses(case: Case) -> None:
    known = [other.code for other in CASES if other.known and other.protocol == case.protocol]
    others = [other.code for other in CASES if other.known and other.protocol != case.protocol]
    said: set[str] = set()
    for run_seed in range(SEEDS[case.protocol]):
        for answer in drawn(case, run_seed=run_seed, batches=15):
            error = answer["response"]["error"]
            said |= codes(error) if case.protocol == "fcm_v1" else {str(error)}
    missed = [name for name, misses in near(known).items() if not misses & said]
    assert not missed
    assert set(others) & said, "no word of the other protocol"
    assert not set(known) & said - {"OK"}


def test_near_misses_are_no_hits() -> None:
    for case in CASES:
        assert case.code not in near_misses(case.code)


# --- identity


def test_identifiers_are_counted_not_drawn() -> None:
    named = {name for case in CASES for answer in drawn(case) for name in answer}
    assert named & set(IDENTITY) == {"protocol"}


def test_addressed_reports_share_nothing() -> None:
    found = every_report()
    for member in ("report_id", "message_id", "subscriber_id", "token"):
        assert len({report[member] for report in found}) == len(found)
    assert {1 <= len(report["token"]) <= 4096 for report in found} == {True}
    assert 4096 in {len(report["token"]) for report in found}


def test_canonical_ids_are_unique() -> None:
    case = next(case for case in CASES if case.outcome == "replace_token")
    found = [report["response"]["registration_id"] for report in reports(case)]
    assert len(set(found)) == len(found)
    assert {1 <= len(token) <= 4096 for token in found} == {True}
    assert not set(found) & {report["token"] for report in every_report()}


@pytest.mark.parametrize("length", [0, 1, 4095, 4096])
def test_a_token_of_any_length_stays_one(length: int) -> None:
    answer = {"http_status": 200, "retry_after": None, "response": {"registration_id": "c" * length}}
    report = payloads.address(answer, Identities())
    reference(ENVELOPE).validate(report)
    assert len(report["response"]["registration_id"]) == (min(length + 14, 4096) if length else 0)


def test_two_runs_share_no_identity() -> None:
    one, two = Identities(), Identities()
    assert not {*one.next(), *one.next()} & {*two.next(), *two.next()}


# --- what cannot be drawn is refused by name

REFUSED: dict[str, tuple[Any, str]] = {
    "multipleOf": ({"type": "integer", "multipleOf": 7}, "multipleOf"),
    "not multipleOf": ({"type": "integer", "not": {"multipleOf": 7}}, "multipleOf"),
    "uniqueItems": ({"type": "array", "uniqueItems": True}, "uniqueItems"),
    "patternProperties": (
        {"type": "object", "patternProperties": {"^x": {"type": "string"}}},
        "patternProperties",
    ),
    "propertyNames": ({"type": "object", "propertyNames": {"minLength": 2}}, "propertyNames"),
    "minProperties": ({"type": "object", "minProperties": 1}, "minProperties"),
    "maxProperties": ({"type": "object", "maxProperties": 1}, "maxProperties"),
    "prefixItems": ({"type": "array", "prefixItems": [{"type": "string"}]}, "prefixItems"),
    "pattern without examples": ({"type": "string", "pattern": "^nobody gave any$"}, "pattern"),
    "unknown format": ({"type": "string", "format": "email"}, "format"),
    "minimum of a number": ({"type": "number", "minimum": 0.5}, "minimum of a number"),
}


@pytest.mark.parametrize(("schema", "keyword"), REFUSED.values(), ids=REFUSED)
def test_an_unsupported_keyword_is_refused_by_name(schema: Any, keyword: str) -> None:
    nested = {"type": "object", "required": ["a"], "properties": {"a": schema}}
    with pytest.raises(UnsupportedKeyword) as caught:
        compiled(schemas.canonical(nested))
    assert caught.value.keyword.startswith(keyword)
    assert caught.value.where == "/a"
    assert re.match(
        rf"unsupported-keyword: '{keyword}.*' at /a: no strategy is built for it; ", str(caught.value)
    )
    assert "supported: type, const, enum, " in str(caught.value)
    assert "\n  next: " in str(caught.value)


# --- seeds, and shrinking


def test_the_same_seed_draws_the_same() -> None:
    for case in CASES[::12]:
        again = drawn.__wrapped__(case)
        assert list(again) == list(drawn(case))


def test_another_seed_draws_something_else() -> None:
    for case in CASES[::12]:
        assert list(drawn(case, run_seed=1)) != list(drawn(case))


def test_the_examples_are_as_many_as_asked() -> None:
    judged: list[Any] = []
    examples = exploration.catalogue_example(CASES[0])
    exploration.explore(
        "count",
        exploration.answers_of(CASES[0]),
        judged.append,
        profile=exploration.Profile(0, 25),
        explicit=[examples],
    )
    assert (len(judged), judged[0]) == (26, examples)
    assert {1 <= len(batch) <= exploration.BATCH for batch in judged} == {True}


def smallest_failing(batches: st.SearchStrategy[Any], fails: Any) -> Any:
    """The batch that is left when Hypothesis has shrunk a failure."""
    failed: list[Any] = []

    def judge(batch: Any) -> None:
        if fails(batch):
            failed.append(batch)
            raise AssertionError

    with pytest.raises(AssertionError):
        exploration.explore("shrink", batches, judge, profile=exploration.Profile(0, 50))
    return failed[-1]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.code in ("NotRegistered", "UNREGISTERED")], ids=lambda c: c.id
)
def test_a_failure_shrinks_to_one_plain_answer(case: Case) -> None:
    batch = smallest_failing(exploration.answers_of(case), lambda _: True)
    assert len(batch) == 1
    answer = batch[0]
    assert set(answer) <= {"protocol", "http_status", "retry_after", "response", "token", "spam"}
    assert (answer["retry_after"], answer["token"]) == (None, "")
    assert not [special for special in of_report({**answer, "token": "t"}) if special.startswith("unknown")]


def test_a_failure_of_one_in_many_shrinks_to_it() -> None:
    dead = next(case for case in CASES if case.code == "UNREGISTERED")
    batches = exploration.batches_of(strategies.mixed([*CASES[:3], dead]), most=9)
    batch = smallest_failing(batches, lambda found: dead in [load().decide(answer) for answer in found])
    assert [load().decide(answer) for answer in batch] == [dead]
    assert batch[0]["retry_after"] is None
    assert [d["errorCode"] for d in batch[0]["response"]["error"]["details"]] == ["UNREGISTERED"]


# --- negative data

RULES = [(schema, rule) for schema in (ENVELOPE, EVENT) for rule in malformed.rules(schema)]
NAMED_RULES = [f"{schema.split('.')[0]} {rule.id}" for schema, rule in RULES]
EXAMPLES = {case.protocol: example_report(case) for case in CASES}


def good(schema: str, protocol: str) -> Payload:
    """A valid payload."""
    report = payloads.address(EXAMPLES[protocol], Identities(run="0b" * 6))
    return payloads.event(report, "ANY") if schema == EVENT else report


def broken_members(schema: str, payload: Any, protocol: str) -> set[str]:
    """The members that are wrong by the schemas of the parts: the envelope, the event, the protocol."""
    own = "fcm-v1-response-report" if protocol == "fcm_v1" else "legacy-response-report"
    parts = [f"{ENVELOPE}#/$defs/envelope", f"{own}.schema.json"]
    errors = [error for part in parts for error in reference(part).iter_errors(payload)]
    if schema == EVENT:
        about = {member: schemas.documents()[EVENT]["properties"][member] for member in ("event_id", "code")}
        errors += schemas.validator(
            {"type": "object", "required": list(about), "properties": about}
        ).iter_errors(payload)
    return {member_of(error) for error in errors}


def member_of(error: Any) -> str:
    """The member that an error is about; empty for the whole payload."""
    if error.absolute_path:
        return str(error.absolute_path[0])
    missing = re.match(r"'(\w+)' is a required property", error.message)
    return missing[1] if missing else ""


@pytest.mark.parametrize(("schema", "rule"), RULES, ids=NAMED_RULES)
def test_a_broken_rule_makes_a_payload_invalid_by_that_member_only(schema: str, rule: Rule) -> None:
    for protocol in ("fcm_v1",) if rule.member == "protocol" else EXAMPLES:
        payload = good(schema, protocol)
        assert reference(schema).is_valid(payload)
        broken = rule.broken(payload)
        assert not reference(schema).is_valid(broken)
        assert not schemas.is_valid(broken, schema)
        assert broken_members(schema, broken, protocol) == {rule.member or ""}


def test_rules_have_names_of_their_own() -> None:
    for schema in (ENVELOPE, EVENT):
        ids = [rule.id for rule in malformed.rules(schema)]
        assert len(set(ids)) == len(ids)


def keywords(schema: Mapping[str, Any]) -> Iterator[str]:
    """The keywords of a member that a value can break, through references."""
    for keyword, value in schema.items():
        if keyword == "$ref":
            pointer = value.partition("#")[2].strip("/").split("/")
            yield from keywords(
                functools.reduce(lambda node, part: node[part], pointer, schemas.documents()[ENVELOPE])
            )
        elif keyword not in ("description", "title", "examples"):
            yield keyword


ENVELOPE_SCHEMA = schemas.documents()[ENVELOPE]["$defs"]["envelope"]
KEYWORDS = [
    *((name, keyword) for name, body in ENVELOPE_SCHEMA["properties"].items() for keyword in keywords(body)),
    *((name, "required") for name in ENVELOPE_SCHEMA["required"]),
    ("", "type"),
]


@functools.cache
def broken_keywords() -> frozenset[tuple[str, str]]:
    """Which keyword of which member the rules break."""
    payload = good(ENVELOPE, "legacy")
    return frozenset(
        (member_of(error), str(error.validator))
        for rule in malformed.rules(ENVELOPE)
        for error in reference(f"{ENVELOPE}#/$defs/envelope").iter_errors(rule.broken(payload))
    )


@pytest.mark.parametrize(
    ("member", "keyword"), KEYWORDS, ids=[f"{name or 'report'} {word}" for name, word in KEYWORDS]
)
def test_every_keyword_of_the_envelope_is_broken_by_some_rule(member: str, keyword: str) -> None:
    assert (member, keyword) in broken_keywords()


def test_every_pattern_that_is_drawn_has_examples() -> None:
    assert all(leaves.pattern_examples().values())
