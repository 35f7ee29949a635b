"""Each consumer can read what it declares, and declares what the release is about."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fixtures.contracts.pact.consumer_tests import is_judged, read_declaration
from fixtures.contracts.pact.declarations import list_declarations
from fixtures.contracts.pact.model import Interaction, PactError, known_cases, read_pact
from fixtures.core import schemas, topology
from fixtures.core.catalogue import load_catalogue
from fixtures.core.topology import EDGES, PROVIDERS, VERSIONS, Edge

ENTRY_SCHEMAS = {"directory-events-api": "response-report", "directory-responses": "response-report"}
API = PROVIDERS["directory-events-api"].edge
PAIRS = [(name, version) for name in PROVIDERS for version in VERSIONS]


def edge_id(edge: Edge, version: str) -> str:
    return f"{edge.consumer}={version},{edge.provider}"


def list_interactions(edge: Edge, version: str) -> Iterator[tuple[str, str]]:
    """The descriptions of a pact, each with the id of its test, which can be pasted after -k.

    The pact names them at once. Services must run to declare them, and every worker collects these tests.
    """
    for interaction in read_pact(edge, version)["interactions"]:
        description = interaction["description"]
        yield description, f"{edge_id(edge, version)},{description.replace(' ', '-')}"


def find_declaration(edge: Edge, version: str, description: str) -> Any:
    declarations = list_declarations(edge, version)
    return next(declaration for declaration in declarations if declaration.description == description)


each_interaction = pytest.mark.parametrize(
    ("provider", "version", "description"),
    [
        pytest.param(name, version, description, id=test_id)
        for name, version in PAIRS
        for description, test_id in list_interactions(PROVIDERS[name].edge, version)
    ],
)
each_other_interaction = pytest.mark.parametrize(
    ("edge", "version", "description"),
    [
        pytest.param(edge, version, description, id=test_id)
        for edge in EDGES
        if not is_judged(edge)
        for version in VERSIONS
        for description, test_id in list_interactions(edge, version)
    ],
)
each_pair = pytest.mark.parametrize(
    ("provider", "version"),
    [pytest.param(name, version, id=edge_id(PROVIDERS[name].edge, version)) for name, version in PAIRS],
)


@each_interaction
def test_the_consumer_reads_what_it_declares(provider: str, version: str, description: str) -> None:
    edge = PROVIDERS[provider].edge
    read_declaration(edge, version, find_declaration(edge, version, description))


@each_other_interaction
def test_the_core_of_the_consumer_reads_what_it_declares(edge: Edge, version: str, description: str) -> None:
    read_declaration(edge, version, find_declaration(edge, version, description))


def test_the_pacts_have_all_that_the_consumers_declare_and_nothing_else() -> None:
    for edge, version in itertools.product(EDGES, VERSIONS):
        declared = sorted(declaration.description for declaration in list_declarations(edge, version))
        assert sorted(description for description, _ in list_interactions(edge, version)) == declared


@pytest.mark.parametrize(
    "fault",
    [
        {"answer": {"report_id": 1}},
        {"answer": {"report_id": "no id", "protocol": "legacy", "code": "OK", "forwarded_to": []}},
        {"answer_definition": "summary"},
    ],
    ids=["members are missing", "the id is none", "it is another answer"],
)
def test_the_consumer_does_not_read_what_the_schemas_forbid(fault: dict[str, Any]) -> None:
    interaction = next(
        declaration
        for declaration in list_declarations(API, "after")
        if declaration.answer_definition == "report"
    )
    with pytest.raises(schemas.SchemaViolation):
        read_declaration(API, "after", replace(interaction, **fault))


def test_the_consumer_makes_the_declared_request_or_fails() -> None:
    interaction = next(
        declaration
        for declaration in list_declarations(API, "after")
        if declaration.answer_definition == "accepted"
    )
    # The client always sends its bts, so it cannot send a body without one.
    without_bts = {key: value for key, value in interaction.body.items() if key != "bts"}
    with pytest.raises(PactError, match="unread-answer"):
        read_declaration(API, "after", replace(interaction, body=without_bts))


def test_a_sender_that_makes_something_else_of_an_answer_is_found() -> None:
    edge = topology.find_edge("go-sender", "fcm")
    interactions = list_declarations(edge, "before")
    first, second = [interaction for interaction in interactions if interaction.case and interaction.answer][
        :2
    ]
    with pytest.raises(PactError, match=f"(?s)unread-answer.*{first.case} is reported as {second.case}"):
        read_declaration(edge, "before", replace(first, answer=second.answer))


@pytest.mark.parametrize(
    ("provider", "consumer", "version"),
    [
        ("directory-messages", "go-sender", "before"),
        ("directory-messages", "go-sender", "after"),
        ("directory-events-api", "directory-errors-listener", "before"),
    ],
    ids=lambda name: name,
)
def test_a_reader_that_cannot_read_a_message_is_found(provider: str, consumer: str, version: str) -> None:
    edge = topology.find_edge(consumer, provider)
    (other_version,) = {"before", "after"} - {version}
    unreadable = list_declarations(edge, other_version)[-1]
    with pytest.raises(PactError, match="unread-message"):
        read_declaration(edge, version, unreadable)


def cases_of(edge: Edge, version: str) -> list[str]:
    return [declaration.case for declaration in list_declarations(edge, version) if declaration.case]


def test_each_case_has_its_interaction_at_the_other_edges() -> None:
    queue = topology.find_edge("directory-errors-listener", "directory-events-api")
    fcm = topology.find_edge("go-sender", "fcm")
    for version, protocol in (("before", "legacy"), ("after", "fcm_v1")):
        with_event = [case.id for case in known_cases(version) if case.outcome != "keep"]
        assert cases_of(queue, version) == with_event
        assert len(list_declarations(queue, version)) == len(with_event)
        assert cases_of(fcm, version) == [case.id for case in load_catalogue().of_protocol(protocol)]


@pytest.mark.aside  # with another policy, the reference service does not ask for all that a deployment would
def test_each_reason_to_wait_has_its_interaction() -> None:
    edge = topology.find_edge("subscribers-errors", "subscribers-postponed")
    for version in VERSIONS:
        reasons = {case.code for case in known_cases(version) if case.outcome == "postpone"}
        requests = [
            interaction for interaction in list_declarations(edge, version) if interaction.method == "PUT"
        ]
        assert sorted(request.body["reason"] for request in requests) == sorted(reasons), version


@each_pair
def test_each_case_that_changes_the_answer_has_its_interaction(provider: str, version: str) -> None:
    without_event = ("keep",) if provider == "subscribers-errors" else ()
    expected = [case.id for case in known_cases(version) if case.outcome not in without_event]
    assert cases_of(PROVIDERS[provider].edge, version) == expected


@each_pair
def test_the_consumer_before_the_release_knows_legacy_only(provider: str, version: str) -> None:
    edge = PROVIDERS[provider].edge
    protocols = {declaration.protocol for declaration in list_declarations(edge, version)} - {None}
    assert protocols == {"before": {"legacy"}, "after": {"legacy", "fcm_v1"}}[version]
    assert ('"protocol": "fcm_v1"' in json.dumps(read_pact(edge, version))) is (version == "after")


@each_pair
def test_every_entry_sent_is_valid_unless_it_is_the_malformed_one(provider: str, version: str) -> None:
    member = PROVIDERS[provider].batch_member
    schema = f"{ENTRY_SCHEMAS.get(provider, 'error-event')}.schema.json"
    batches = [
        interaction
        for interaction in list_declarations(PROVIDERS[provider].edge, version)
        if isinstance(interaction.body, dict) and member in interaction.body
    ]
    invalid = [
        batch.description
        for batch in batches
        for entry in batch.body[member]
        if not schemas.is_valid(entry, schema)
    ]
    assert invalid == [batch.description for batch in batches if "among good" in batch.description]


@each_pair
def test_each_case_is_the_one_that_decides_its_example(provider: str, version: str) -> None:
    interactions = [
        interaction
        for interaction in list_declarations(PROVIDERS[provider].edge, version)
        if interaction.case
    ]
    decided = [load_catalogue().decide(report_of(interaction)) for interaction in interactions]
    assert [case.id for case in decided if case] == [interaction.case for interaction in interactions]


def report_of(interaction: Interaction) -> dict[str, Any]:
    """The report that an interaction about a case is about: it is sent, or is in the provider's state."""
    if interaction.body is not None:
        (event,) = interaction.body["errors"]
        return dict(event)
    (state,) = interaction.states
    return dict(state.params["report"])
