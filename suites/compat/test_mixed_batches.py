"""Mixed batches: a poison report never costs the others, whatever it breaks and wherever it stands."""

from __future__ import annotations

import pytest

from fixtures.checks.batch_answer import problem_is_told
from fixtures.core.catalogue import example_report, load
from fixtures.core.findings import raise_if_found
from fixtures.core.topology import BATCH_LIMIT
from fixtures.generation import malformed
from fixtures.generation.runner import with_poison
from suites.compat.parameters import each_provider
from suites.types import Explore, TrialOf

EXAMPLES = [example_report(case) for case in load().cases]


@each_provider
def test_poison_costs_nobody_else(trial_of: TrialOf, explore: Explore, provider: str) -> None:
    trial = trial_of(provider)
    batches = with_poison(load().cases, trial.schema)
    explore(batches, lambda batch: trial.fresh(trial.poisoned(batch)), times=4)


@each_provider
def test_every_rule_broken_once(trial_of: TrialOf, provider: str) -> None:
    trial = trial_of(provider)
    batch = [(EXAMPLES[i % len(EXAMPLES)], rule) for i, rule in enumerate(malformed.rules(trial.schema))]
    trial.fresh(trial.poisoned([*batch, (EXAMPLES[0], None)]))


@each_provider
def test_every_case_in_one_batch(trial_of: TrialOf, provider: str) -> None:
    trial = trial_of(provider)
    trial.fresh(trial.entries(EXAMPLES))


@each_provider
def test_the_greatest_batch_is_taken(trial_of: TrialOf, provider: str) -> None:
    trial = trial_of(provider)
    answers = [EXAMPLES[i % len(EXAMPLES)] for i in range(BATCH_LIMIT)]
    trial.fresh(trial.entries(answers))


@each_provider
def test_the_empty_batch_is_taken(trial_of: TrialOf, provider: str) -> None:
    trial_of(provider).fresh([])


@each_provider
def test_a_greater_batch_is_refused_as_a_whole(trial_of: TrialOf, provider: str) -> None:
    trial = trial_of(provider)
    sent = trial.entries(EXAMPLES[i % len(EXAMPLES)] for i in range(BATCH_LIMIT + 1))
    trial.subscribe(sent[:1])
    outcome = trial.post(sent)
    why = f"a batch of {BATCH_LIMIT + 1} entries"
    raise_if_found(problem_is_told(trial.provider, "501 entries", outcome.answer, status=413, why=why))
    raise_if_found(trial.untouched(sent, outcome))


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
def test_a_body_without_a_batch_is_refused(trial_of: TrialOf, provider: str, body: bytes) -> None:
    trial = trial_of(provider)
    answer = trial.target.send("POST", trial.provider.path, body)
    shown = body.decode(errors="replace")
    raise_if_found(problem_is_told(trial.provider, shown, answer, status=400, why="a body without a batch"))
