"""Each consumer can read what it declares, and declares what the release is about."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fixtures.contracts import Interaction, PactError, list_declarations, read_pact
from fixtures.contracts.pact.model import known_cases
from fixtures.core import catalogue, schemas, topology
from fixtures.core.topology import PROVIDERS, VERSIONS, Edge
from suites.contracts.parameters import at_each_interaction, at_each_other_declaration, each_pair

Reading = Callable[[Edge, str], Callable[[Any], None]]
ENTRY = {"directory-events-api": "response-report", "directory-responses": "response-report"}


@at_each_interaction()
def test_the_consumer_reads_what_it_declares(
    reading_from: Reading, provider: str, version: str, interaction: Interaction
) -> None:
    reading_from(PROVIDERS[provider].edge, version)(interaction)


@at_each_other_declaration()
def test_the_core_of_the_consumer_reads_what_it_declares(
    reading_from: Reading, edge: Edge, version: str, declaration: Any
) -> None:
    reading_from(edge, version)(declaration)


@pytest.mark.parametrize(
    "fault",
    [
        {"answer": {"report_id": 1}},
        {"answer": {"report_id": "no id", "protocol": "legacy", "code": "OK", "forwarded_to": []}},
        {"shows": "summary"},
    ],
    ids=["members are missing", "the id is none", "it is another answer"],
)
def test_the_consumer_does_not_read_what_the_schemas_forbid(
    reading_from: Reading, fault: dict[str, Any]
) -> None:
    edge = PROVIDERS["directory-events-api"].edge
    interaction = next(one for one in list_declarations(edge, "after") if one.shows == "report")
    with pytest.raises(schemas.Invalid):
        reading_from(edge, "after")(replace(interaction, **fault))


def test_the_consumer_makes_the_declared_request_or_fails(reading_from: Reading) -> None:
    edge = PROVIDERS["directory-events-api"].edge
    interaction = next(one for one in list_declarations(edge, "after") if one.shows == "accepted")
    # The client always says where it is: a body without that is one that it cannot send.
    without_bts = {key: value for key, value in interaction.body.items() if key != "bts"}
    with pytest.raises(PactError, match="unread-answer"):
        reading_from(edge, "after")(replace(interaction, body=without_bts))


def test_a_sender_that_makes_something_else_of_an_answer_is_found(reading_from: Reading) -> None:
    edge = topology.edge("go-sender", "fcm")
    first, second = [one for one in list_declarations(edge, "before") if one.case and one.answer][:2]
    with pytest.raises(PactError, match=f"(?s)unread-answer.*{first.case} is reported as {second.case}"):
        reading_from(edge, "before")(replace(first, answer=second.answer))


@pytest.mark.parametrize(
    ("provider", "consumer", "version"),
    [
        ("directory-messages", "go-sender", "before"),
        ("directory-messages", "go-sender", "after"),
        ("directory-events-api", "directory-errors-listener", "before"),
    ],
    ids=lambda name: name,
)
def test_a_reader_that_cannot_read_a_message_is_found(
    reading_from: Reading, provider: str, consumer: str, version: str
) -> None:
    edge = topology.edge(consumer, provider)
    (other,) = {"before", "after"} - {version}
    unreadable = list_declarations(edge, other)[-1]
    with pytest.raises(PactError, match="unread-message"):
        reading_from(edge, version)(unreadable)


def test_each_case_has_its_interaction_at_the_other_edges() -> None:
    errors = {
        version: [case for case in known_cases(version) if case.outcome != "keep"] for version in VERSIONS
    }
    queue = topology.edge("directory-errors-listener", "directory-events-api")
    assert {version: [one.case for one in list_declarations(queue, version)] for version in VERSIONS} == {
        version: [case.id for case in cases] for version, cases in errors.items()
    }
    fcm = topology.edge("go-sender", "fcm")
    assert [one.case for version in VERSIONS for one in list_declarations(fcm, version) if one.case] == [
        case.id for protocol in ("legacy", "fcm_v1") for case in catalogue.load().of_protocol(protocol)
    ]


@pytest.mark.aside  # with another policy, the reference service does not ask for all that a deployment would
def test_each_reason_to_wait_has_its_interaction() -> None:
    edge = topology.edge("subscribers-errors", "subscribers-postponed")
    for version in VERSIONS:
        reasons = {case.code for case in known_cases(version) if case.outcome == "postpone"}
        asked = [one.body["reason"] for one in list_declarations(edge, version) if one.method == "PUT"]
        assert sorted(asked) == sorted(reasons), version


@each_pair
def test_each_case_that_changes_the_answer_has_its_interaction(provider: str, version: str) -> None:
    silent = ("keep",) if provider == "subscribers-errors" else ()
    expected = [case.id for case in known_cases(version) if case.outcome not in silent]
    assert [one.case for one in list_declarations(PROVIDERS[provider].edge, version) if one.case] == expected


@each_pair
def test_the_consumer_before_the_release_knows_legacy_only(provider: str, version: str) -> None:
    protocols = {one.protocol for one in list_declarations(PROVIDERS[provider].edge, version)} - {None}
    assert protocols == {"before": {"legacy"}, "after": {"legacy", "fcm_v1"}}[version]
    written = json.dumps(read_pact(PROVIDERS[provider].edge, version))
    assert ('"protocol": "fcm_v1"' in written) is (version == "after")


@each_pair
def test_every_entry_sent_is_valid_unless_it_is_the_malformed_one(provider: str, version: str) -> None:
    member = PROVIDERS[provider].batch_member
    schema = f"{ENTRY.get(provider, 'error-event')}.schema.json"
    interactions = list_declarations(PROVIDERS[provider].edge, version)
    bodies = [one for one in interactions if isinstance(one.body, dict) and member in one.body]
    broken = [
        one.description for one in bodies for entry in one.body[member] if not schemas.is_valid(entry, schema)
    ]
    assert broken == [one.description for one in bodies if "among good" in one.description]


@each_pair
def test_each_case_is_the_one_that_decides_its_example(provider: str, version: str) -> None:
    about_cases = [one for one in list_declarations(PROVIDERS[provider].edge, version) if one.case]
    decided = [catalogue.load().decide(report_of(one)) for one in about_cases]
    assert [case.id for case in decided if case] == [one.case for one in about_cases]


def report_of(interaction: Interaction) -> dict[str, Any]:
    """The one report that an interaction about a case is about: sent, or there already."""
    if interaction.body is not None:
        (event,) = interaction.body["errors"]
        return dict(event)
    (state,) = interaction.states
    return dict(state.params["report"])
