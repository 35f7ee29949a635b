"""What one shard has found is replayed first by all: a real server, and what becomes of a run without it."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, rule

from fixtures.core.topology import PROVIDERS
from fixtures.generation import example_database, known
from fixtures.generation import runner as exploration
from fixtures.generation.runner import Profile
from fixtures.platform import redis_server
from suites.plugins import ledger, sharding

HERE, THERE = (
    f"suites/compat/test_new.py::test[{provider}-v1-UNREGISTERED]" for provider in list(PROVIDERS)[:2]
)
pytestmark = pytest.mark.aside

NUMBERS = exploration.batches_of(st.integers(0, 1000), most=9)
SEEDS = range(1, 200)
NOWHERE = "redis://user:secret@127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _at_first_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example_database.Expendable, "gone", False)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A real server, of this module alone."""
    with redis_server.embedded() as url:
        yield url
        known.server(url).close()


@pytest.fixture
def url(server: str) -> str:
    """The server, empty."""
    known.server(server).flushall()
    return server


def judged(test: str, profile: Profile, *, fails: Any = lambda _: False) -> tuple[list[Any], bool]:
    """Every batch that a run judges, and whether it found something."""
    batches: list[Any] = []

    def judge(batch: list[int]) -> None:
        batches.append(batch)
        assert not fails(batch)

    try:
        exploration.explore(test, NUMBERS, judge, profile=profile)
    except AssertionError:
        return batches, True
    return batches, False


def rare(batch: list[int]) -> bool:
    """Tell whether a batch is of a kind that two batches seldom are."""
    return any(number > 990 for number in batch)


@functools.cache
def lucky() -> int:
    """A seed that finds it."""
    return next(seed for seed in SEEDS if judged(HERE, Profile(seed, 2), fails=rare)[1])


@functools.cache
def unlucky() -> int:
    """A seed that does not."""
    return next(seed for seed in SEEDS if not judged(HERE, Profile(seed, 2), fails=rare)[1])


def profile(url: str, seed: int, *, environment: str = "local", learns: bool = True) -> Profile:
    """A run that knows what others found."""
    return Profile(seed, 2, example_database.databases(url, environment, learns=learns))


@pytest.mark.parametrize("test", [HERE, THERE], ids=["the same test", "at another provider"])
def test_what_one_found_the_others_replay_first(url: str, test: str) -> None:
    batches, found = judged(HERE, profile(url, lucky()), fails=rare)
    assert found
    again, found = judged(test, profile(url, unlucky()), fails=rare)
    assert found
    smallest = [batch for batch in batches if rare(batch)][-1]
    assert again[0] == smallest, "the smallest batch that failed comes before all that is drawn"


def test_an_unlucky_seed_alone_finds_nothing(url: str) -> None:
    assert judged(HERE, profile(url, unlucky()), fails=rare)[1] is False


def test_without_known_failures_a_seed_draws_what_it_always_drew(url: str) -> None:
    assert judged(HERE, profile(url, 3)) == judged(HERE, Profile(3, 2))


def test_what_is_known_and_passes_takes_nothing_from_what_a_seed_draws(url: str) -> None:
    judged(HERE, profile(url, lucky()), fails=rare)
    drawn = judged(HERE, Profile(3, 2))[0]
    batches = judged(HERE, profile(url, 3))[0]
    assert len(batches) > len(drawn)
    assert batches[-len(drawn) :] == drawn


def test_what_passes_at_one_provider_is_still_known_of_the_other(url: str) -> None:
    judged(HERE, profile(url, lucky()), fails=rare)
    judged(THERE, profile(url, 3))
    assert judged(HERE, profile(url, unlucky()), fails=rare)[1]


def test_what_is_mended_is_forgotten(url: str) -> None:
    judged(HERE, profile(url, lucky()), fails=rare)
    for _ in range(30):  # each run replays a few
        judged(HERE, profile(url, unlucky()))
    assert judged(HERE, profile(url, unlucky()), fails=rare)[1] is False


def test_what_is_known_and_cannot_be_drawn_any_more_is_no_trouble(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(HERE, profile(url, lucky()), fails=rare)
    passes = exploration.passes
    phases: set[Phase] = set()

    def watched(*arguments: Any) -> Iterator[settings]:
        for told in passes(*arguments):
            phases.clear()
            phases.update(told.phases)
            yield told

    monkeypatch.setattr(exploration, "passes", watched)
    drawn: list[Any] = []
    others = NUMBERS.filter(lambda _: Phase.reuse not in phases)
    exploration.explore(HERE, others, drawn.append, profile=profile(url, 3))
    assert len(drawn) == 2


def test_another_environment_neither_knows_nor_forgets(url: str) -> None:
    judged(HERE, profile(url, lucky(), environment="staging"), fails=rare)
    assert judged(HERE, profile(url, unlucky()), fails=rare)[1] is False
    assert judged(HERE, profile(url, unlucky(), environment="staging"), fails=rare)[1]


def test_whoever_only_looks_changes_nothing(url: str) -> None:
    judged(HERE, profile(url, lucky(), learns=False), fails=rare)
    assert known.server(url).keys() == []
    judged(HERE, profile(url, lucky()), fails=rare)
    before = known.server(url).keys()
    judged(HERE, profile(url, unlucky(), learns=False))
    assert known.server(url).keys() == before


def test_a_walk_is_known_as_well(url: str) -> None:
    class Walk(RuleBasedStateMachine):
        steps = 0

        @rule()
        def step(self) -> None:
            self.steps += 1
            assert self.steps < 3

    walked = exploration.Profile(0, 5, example_database.databases(url, "local", learns=True))
    with pytest.raises(AssertionError):
        exploration.explore_steps("walk", Walk, profile=walked)
    assert any(b":walk:" in key for key in known.server(url).scan_iter())


# --- no run fails for the lack of it


def test_nobody_there_is_told_in_one_line_and_costs_nothing_else() -> None:
    said = known.trouble(NOWHERE)
    assert said.startswith("known-failures-unreachable: redis://***@127.0.0.1:1/0: ")
    assert "secret" not in said
    assert "\n" not in said
    assert judged(HERE, profile(NOWHERE, 3)) == judged(HERE, Profile(3, 2))


def test_a_server_that_goes_away_in_mid_run_leaves_the_findings() -> None:
    with redis_server.embedded() as url:
        known.server(url).ping()
        gone = profile(url, lucky())
        batches, _ = judged(HERE, gone)
    assert batches
    _, found = judged(HERE, gone, fails=rare)
    assert found
    assert example_database.Expendable.gone


def test_a_server_of_something_else_is_none(url: str) -> None:
    judged(HERE, profile(url, lucky()), fails=rare)
    for key in list(known.server(url).scan_iter()):
        known.server(url).set(key, "a string, not a set")
    assert judged(HERE, profile(url, 3)) == judged(HERE, Profile(3, 2))


@pytest.mark.parametrize(
    ("text", "usable"),
    {
        "redis://127.0.0.1:6379/0": True,
        "rediss://:secret@redis.example:6380/1": True,
        "unix:///run/redis.sock": True,
        "http://127.0.0.1": False,
        "redis://": False,
        "redis://host:99999": False,
        "": False,
    }.items(),
)
def test_what_is_a_server_s_url(text: str, *, usable: bool) -> None:
    assert known.usable(text) is usable


def test_a_finding_is_repeated_with_what_was_known_and_without_the_password(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setattr(sharding, "known_at", lambda _: "unix:///run/redis.sock")
    assert ledger.reproduction("t", pytestconfig).startswith(f"{known.VARIABLE}=unix:///run/redis.sock ./ci/")
    monkeypatch.setattr(sharding, "known_at", lambda _: NOWHERE)
    told = ledger.reproduction("t", pytestconfig)
    assert told.startswith(f'{known.VARIABLE}="${known.VARIABLE}" ./ci/test t')


def test_what_a_test_starts_does_not_know_it() -> None:
    assert known.VARIABLE not in os.environ
