"""A malformed report never costs the others, whatever rule it breaks and wherever it stands."""

import itertools
from dataclasses import replace

import pytest

from fixtures.checks.batch_answer import problem_is_reported
from fixtures.checks.effects import each_report_has_its_effect, refused_batch_has_no_effect
from fixtures.core.answer_classes import classify_answer
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import LONGEST, SHORTEST, create_token
from fixtures.core.topology import BATCH_LIMIT, PROVIDERS
from fixtures.generation.malformed import malformed_rules
from fixtures.generation.runner import batches_with_malformed
from fixtures.scenarios.provider import redirect
from suites.compat.parameters import each_provider
from suites.types import Explore, RaiseIfFound, ScenarioOf

pytestmark = pytest.mark.catches(promise="mixed-batches")

EXAMPLES = [example_report(case) for case in load_catalogue().cases]
DOCUMENTED = [answer for answer in EXAMPLES if classify_answer(answer) == "documented"]


@pytest.mark.needs("own-wire")
@each_provider
def test_poison_costs_nobody_else(scenario_of: ScenarioOf, explore: Explore, provider: str) -> None:
    scenario = scenario_of(provider)
    batches = batches_with_malformed(load_catalogue().cases, scenario.schema)
    explore(batches, lambda batch: scenario.assert_handled(scenario.malformed_entries(batch)), times=4)


@pytest.mark.needs("own-wire")
@each_provider
def test_every_rule_broken_once(scenario_of: ScenarioOf, provider: str) -> None:
    scenario = scenario_of(provider)
    batch = list(zip(itertools.cycle(EXAMPLES), malformed_rules(scenario.schema), strict=False))
    pairs = [*batch, (EXAMPLES[0], None)]
    scenario.assert_all_handled(pairs, scenario.malformed_entries, batch_size=BATCH_LIMIT)


@each_provider
def test_every_case_in_one_batch(scenario_of: ScenarioOf, provider: str) -> None:
    scenario_of(provider).assert_all_handled(EXAMPLES, batch_size=BATCH_LIMIT)


@each_provider
def test_the_greatest_batch_is_taken(scenario_of: ScenarioOf, provider: str) -> None:
    scenario = scenario_of(provider)
    documented = itertools.cycle(scenario.select(DOCUMENTED))
    scenario.assert_all_handled(list(itertools.islice(documented, BATCH_LIMIT)), batch_size=BATCH_LIMIT)


@each_provider
def test_the_shortest_and_the_longest_token_count(scenario_of: ScenarioOf, provider: str) -> None:
    scenario = scenario_of(provider)
    example = scenario.select(EXAMPLES)[0]
    longest, other = scenario.entries([{**example, "token": LONGEST}, example])
    shortest = create_token(SHORTEST, other.payload["token"])
    scenario.assert_handled([longest, replace(other, payload={**other.payload, "token": shortest})])


@pytest.mark.parametrize(
    "provider", [name for name, item in PROVIDERS.items() if item.batch_member != "errors"]
)
def test_reports_of_one_subscriber_all_count(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, provider: str
) -> None:
    scenario = scenario_of(provider)
    batch = scenario.entries(EXAMPLES)
    batch = redirect(batch, batch[:1] * len(batch))
    outcome = scenario.deliver(batch)
    raise_if_found(each_report_has_its_effect(scenario.provider, batch, outcome), batch)


@each_provider
def test_the_empty_batch_is_taken(scenario_of: ScenarioOf, provider: str) -> None:
    scenario_of(provider).assert_handled([])


@pytest.mark.needs("own-wire")
@each_provider
def test_a_greater_batch_is_refused_as_a_whole(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, provider: str
) -> None:
    scenario = scenario_of(provider)
    batch = scenario.entries(DOCUMENTED[i % len(DOCUMENTED)] for i in range(BATCH_LIMIT + 1))
    scenario.subscribe(batch[:1])
    outcome = scenario.deliver(batch)
    why = f"a batch of {BATCH_LIMIT + 1} entries"
    raise_if_found(problem_is_reported(scenario.provider, "501 entries", outcome.answer, status=413, why=why))
    raise_if_found(refused_batch_has_no_effect(scenario.provider, batch[:1], outcome))


@pytest.mark.needs("own-wire")
@each_provider
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"not json", id="text"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="no batch"),
        pytest.param(b'{"reports":{},"responses":{},"errors":{}}', id="no list"),
        pytest.param(b'{"reports":[', id="truncated"),
        pytest.param(b'{"reports":["\xff"],"responses":["\xff"],"errors":["\xff"]}', id="invalid UTF-8"),
    ],
)
def test_a_body_without_a_batch_is_refused(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, provider: str, body: bytes
) -> None:
    scenario = scenario_of(provider)
    answer = scenario.target.send("POST", scenario.provider.path, body)
    text = body.decode(errors="replace")
    raise_if_found(
        problem_is_reported(scenario.provider, text, answer, status=400, why="a body without a batch")
    )
