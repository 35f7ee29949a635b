"""Each consumer can read what it declares, and declares what the release is about."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fixtures import catalogue, schemas
from fixtures.contracts import Interaction, PactError, declared, read_pact
from fixtures.contracts.declarations import known_cases
from fixtures.outcome import Answer
from fixtures.topology import PROVIDERS
from suites.contracts.parameters import at_each_interaction, each_pair

Reading = Callable[[str], Callable[[Interaction], Answer]]
ENTRY = {"directory-events-api": "response-report", "directory-responses": "response-report"}


@at_each_interaction()
def test_the_consumer_reads_what_it_declares(
    reading_from: Reading, provider: str, version: str, interaction: Interaction
) -> None:
    answer = reading_from(provider)(interaction)
    assert (answer.status, answer.body) == (interaction.status, interaction.answer), version
    assert answer.content_type == interaction.content_type
    schemas.validate(answer.body, f"provider-answers.schema.json#/$defs/{interaction.shows}")


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
    provider = "directory-events-api"
    interaction = next(one for one in declared(provider, "after") if one.shows == "report")
    with pytest.raises(schemas.Invalid):
        reading_from(provider)(replace(interaction, **fault))


def test_the_consumer_makes_the_declared_request_or_fails(reading_from: Reading) -> None:
    provider = "directory-events-api"
    interaction = next(one for one in declared(provider, "after") if one.shows == "accepted")
    # The client always says where it is: a body without that is one that it cannot send.
    without_bts = {key: value for key, value in interaction.body.items() if key != "bts"}
    with pytest.raises(PactError, match="unread-answer"):
        reading_from(provider)(replace(interaction, body=without_bts))


@each_pair
def test_each_case_that_changes_the_answer_has_its_interaction(provider: str, version: str) -> None:
    silent = ("keep",) if provider == "subscribers-errors" else ()
    expected = [case.id for case in known_cases(version) if case.outcome not in silent]
    assert [one.case for one in declared(provider, version) if one.case] == expected


@each_pair
def test_the_consumer_before_the_release_knows_legacy_only(provider: str, version: str) -> None:
    protocols = {one.protocol for one in declared(provider, version)} - {None}
    assert protocols == {"before": {"legacy"}, "after": {"legacy", "fcm_v1"}}[version]
    written = json.dumps(read_pact(PROVIDERS[provider], version))
    assert ('"protocol": "fcm_v1"' in written) is (version == "after")


@each_pair
def test_every_entry_sent_is_valid_unless_it_is_the_malformed_one(provider: str, version: str) -> None:
    member = PROVIDERS[provider].batch_member
    schema = f"{ENTRY.get(provider, 'error-event')}.schema.json"
    bodies = [one for one in declared(provider, version) if isinstance(one.body, dict) and member in one.body]
    broken = [
        one.description for one in bodies for entry in one.body[member] if not schemas.is_valid(entry, schema)
    ]
    assert broken == [one.description for one in bodies if "among good" in one.description]


@each_pair
def test_each_case_is_the_one_that_decides_its_example(provider: str, version: str) -> None:
    about_cases = [one for one in declared(provider, version) if one.case]
    decided = [catalogue.load().decide(report_of(one)) for one in about_cases]
    assert [case.id for case in decided if case] == [one.case for one in about_cases]


def report_of(interaction: Interaction) -> dict[str, Any]:
    """The one report that an interaction about a case is about: sent, or there already."""
    if interaction.body is not None:
        (event,) = interaction.body["errors"]
        return dict(event)
    (state,) = interaction.states
    return dict(state.params["report"])
