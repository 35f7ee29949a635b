"""The AsyncAPI document describes the real messages of the queue and the container, in draft 7."""

from typing import Any

import pytest
from jsonschema import Draft7Validator

from fixtures.contracts.api_docs import asyncapi
from fixtures.contracts.api_docs.asyncapi import CHANNELS, Channel, convert_to_draft7
from fixtures.contracts.api_docs.bundle import component_name
from fixtures.contracts.api_docs.examples import example_reports, list_examples
from fixtures.core import reference_validator, schemas
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import error_event
from fixtures.generation import malformed
from fixtures.generation.malformed import EVENT
from fixtures.services import NAMES
from fixtures.services.infrastructure import container_key
from suites.selfcheck import sample_answers
from suites.selfcheck.services.driver import APP, ServiceUnderTest

DOCUMENT = asyncapi.make_document()


def payload(schema: str) -> Draft7Validator:
    """The validator of a message that a draft 7 tool would make."""
    local = DOCUMENT["components"]["schemas"]
    return Draft7Validator(
        {"$ref": f"#/components/schemas/{component_name(schema)}", "components": {"schemas": local}},
        format_checker=reference_validator.FORMAT_CHECKER,
    )


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_a_channel_is_put_together(channel: Channel) -> None:
    described = DOCUMENT["channels"][channel.name]
    addressed = {part.partition("}")[0] for part in channel.address.split("{")[1:]}
    assert set(described["parameters"]) == addressed
    [server] = described["servers"]
    assert server["$ref"].rpartition("/")[2] in DOCUMENT["servers"]
    assert set(described["messages"]) == {channel.message} <= set(DOCUMENT["components"]["messages"])
    assert {*channel.senders, *channel.receivers} <= set(NAMES)


def test_an_operation_is_about_a_message_of_its_channel() -> None:
    assert len(DOCUMENT["operations"]) == sum(len(c.senders) + len(c.receivers) for c in CHANNELS)
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        assert operation["action"] in ("send", "receive")
        assert [m["$ref"].rpartition("/messages/")[0] for m in operation["messages"]] == [channel]


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_examples_are_valid_in_either_draft(channel: Channel) -> None:
    examples = [value for _, _, value in list_examples(channel.schema)]
    assert [schemas.is_valid(value, channel.schema) for value in examples] == [True] * len(examples)
    assert [payload(channel.schema).is_valid(value) for value in examples] == [True] * len(examples)


def test_draft_7_accepts_and_refuses_what_the_schema_does() -> None:
    Draft7Validator.check_schema(DOCUMENT["components"]["schemas"])
    good = [
        error_event(report, "any")
        for case in load_catalogue().cases[::10]
        for report in sample_answers.draw_reports(case)[:5]
    ]
    bad = [rule.apply_to(entry) for rule in malformed.malformed_rules(EVENT) for entry in good[::10]]
    assert [payload(EVENT).is_valid(entry) for entry in good] == [True] * len(good)
    assert [payload(EVENT).is_valid(entry) for entry in bad] == [False] * len(bad)


@pytest.mark.parametrize(
    ("schema", "converted"),
    [
        ({"$ref": "#/x", "minLength": 1}, {"allOf": [{"$ref": "#/x"}], "minLength": 1}),
        ({"contains": {}, "minContains": 0, "maxContains": 2, "maxItems": 6}, {"maxItems": 6}),
        ({"properties": {"minContains": {"const": {"minContains": 1}}}}, None),
        ({"items": [True, {"not": {}}]}, None),
    ],
    ids=["sibling", "free-contains", "names", "list"],
)
def test_a_schema_is_said_in_draft_7(schema: Any, converted: Any) -> None:
    assert convert_to_draft7(schema) == (converted or schema)


@pytest.mark.parametrize("keyword", ["prefixItems", "unevaluatedProperties", "minContains"])
def test_a_keyword_that_draft_7_would_overlook_is_refused(keyword: str) -> None:
    with pytest.raises(ValueError, match=f"draft 7 has no {keyword}"):
        convert_to_draft7({"items": {keyword: 1}})


@pytest.mark.parametrize(("name", "version"), [("old-format", "before"), ("new-format", "after")])
def test_the_example_of_a_record_is_what_directory_messages_writes(name: str, version: str) -> None:
    provider = ServiceUnderTest("directory-messages", version)
    [(_, _, request)] = list_examples("message-request.schema.json")
    assert provider.answer("POST", "/v1/messages", request).status == 202
    [(_, forward)] = provider.store.list_forwards()
    example = next(
        value for example, _, value in list_examples("container-record.schema.json") if example == name
    )
    assert {**forward.body, "created_at": example["created_at"]} == example


def test_what_directory_events_api_puts_into_the_queue_is_an_error_event() -> None:
    provider = ServiceUnderTest("directory-events-api")
    body = {"bts": "bts-0", "reports": [report for _, report in example_reports()]}
    assert provider.answer("POST", "/v1/reports", body).status == 202
    events = [forward.body for _, forward in provider.store.list_forwards() if not forward.path]
    assert len(events) == sum(case.outcome != "keep" for case, _ in example_reports())
    assert all(map(payload(EVENT).is_valid, events))


def test_the_address_of_the_container_is_the_key_of_its_list() -> None:
    [container] = [channel for channel in CHANNELS if channel.server == "container"]
    assert {
        container.address.format(firebase_app=APP, kind=kind) for kind in container.parameters["kind"]["enum"]
    } == {container_key(APP.upper(), spam=spam) for spam in (True, False)}
