"""Each malformed payload is invalid by one member only, and every keyword of the schema is broken."""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fixtures.core import payloads, reference_validator, schemas
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import CountedIds, Payload
from fixtures.generation import malformed
from fixtures.generation.malformed import ENVELOPE, EVENT
from suites.selfcheck.sample_answers import PROTOCOLS, compile_validators

EXAMPLES = {case.protocol: example_report(case) for case in load_catalogue().cases}


def valid_payload(schema: str, protocol: str) -> Payload:
    report = payloads.address(EXAMPLES[protocol], CountedIds(run="0b" * 6))
    return payloads.error_event(report, "ANY") if schema == EVENT else report


def broken_members(schema: str, payload: Any, protocol: str) -> set[str]:
    """The invalid members, by the schemas of the envelope, the event and the protocol."""
    report_schema = "fcm-v1-response-report" if protocol == "fcm_v1" else "legacy-response-report"
    parts = [f"{ENVELOPE}#/$defs/envelope", f"{report_schema}.schema.json"]
    errors = [
        error for part in parts for error in reference_validator.build_validator(part).iter_errors(payload)
    ]
    if schema == EVENT:
        event_members = {
            member: schemas.load_schemas()[EVENT]["properties"][member] for member in ("event_id", "code")
        }
        errors += reference_validator.build_validator(
            {"type": "object", "required": list(event_members), "properties": event_members}
        ).iter_errors(payload)
    return {member_of(error) for error in errors}


def member_of(error: Any) -> str:
    """The member of an error; empty for the whole payload."""
    if error.absolute_path:
        return str(error.absolute_path[0])
    missing = re.match(r"'(\w+)' is a required property", error.message)
    return missing[1] if missing else ""


MEMBERS = [
    (schema, member)
    for schema in (ENVELOPE, EVENT)
    for member in dict.fromkeys(rule.member for rule in malformed.malformed_rules(schema))
]


@pytest.mark.parametrize(
    ("schema", "member"),
    MEMBERS,
    ids=[f"{schema.split('.')[0]} {member or 'whole'}" for schema, member in MEMBERS],
)
def test_a_broken_rule_makes_a_payload_invalid_by_that_member_only(schema: str, member: str | None) -> None:
    for protocol in ("fcm_v1",) if member == "protocol" else PROTOCOLS:
        payload = valid_payload(schema, protocol)
        assert reference_validator.build_validator(schema).is_valid(payload), protocol
        for rule in (rule for rule in malformed.malformed_rules(schema) if rule.member == member):
            broken = rule.apply_to(payload)
            assert compile_validators(schema)(broken) == (False, False), (rule.id, protocol)
            assert broken_members(schema, broken, protocol) == {member or ""}, (rule.id, protocol)


def test_rule_ids_are_unique() -> None:
    for schema in (ENVELOPE, EVENT):
        ids = [rule.id for rule in malformed.malformed_rules(schema)]
        assert len(set(ids)) == len(ids)


def keywords(schema: Mapping[str, Any]) -> Iterator[str]:
    """The keywords of a member that a value can break, also those of a schema it refers to."""
    for keyword, value in schema.items():
        if keyword == "$ref":
            pointer = value.partition("#")[2].strip("/").split("/")
            yield from keywords(
                functools.reduce(lambda node, part: node[part], pointer, schemas.load_schemas()[ENVELOPE])
            )
        elif keyword not in ("description", "title", "examples"):
            yield keyword


ENVELOPE_SCHEMA = schemas.load_schemas()[ENVELOPE]["$defs"]["envelope"]
KEYWORDS = [
    *((name, keyword) for name, body in ENVELOPE_SCHEMA["properties"].items() for keyword in keywords(body)),
    *((name, "required") for name in ENVELOPE_SCHEMA["required"]),
    ("", "type"),
]


def test_every_keyword_of_the_envelope_is_broken_by_some_rule() -> None:
    payload = valid_payload(ENVELOPE, "legacy")
    broken = {
        (member_of(error), str(error.validator))
        for rule in malformed.malformed_rules(ENVELOPE)
        for error in reference_validator.build_validator(f"{ENVELOPE}#/$defs/envelope").iter_errors(
            rule.apply_to(payload)
        )
    }
    assert sorted(set(KEYWORDS) - broken) == []
