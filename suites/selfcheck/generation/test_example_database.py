"""Failures that one shard finds are replayed first by the others, and no run fails without the server."""

import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
import redis
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, rule

from fixtures.core.redis_client import is_redis_url
from fixtures.core.topology import PROVIDERS
from fixtures.generation import example_database, runner
from fixtures.generation.example_database import VARIABLE, FailureStore
from fixtures.generation.runner import Profile
from fixtures.platform import redis_server
from suites.plugins import ledger

TEST, SAME_TEST_ELSEWHERE = (
    f"suites/compat/test_new.py::test[{provider}-v1-UNREGISTERED]" for provider in list(PROVIDERS)[:2]
)
NUMBERS = runner.batches_of(st.integers(0, 1000), most=9)
SEEDS = range(1, 200)
UNREACHABLE = "redis://user:secret@127.0.0.1:1/0"

Predicate = Callable[[list[int]], bool]


@pytest.fixture(scope="module")
def server() -> Iterator[redis.Redis]:
    """A client of a real server that only this module uses."""
    with redis_server.run_redis() as url:
        client = example_database.connect(url)
        yield client
        client.close()


@pytest.fixture
def client(server: redis.Redis) -> redis.Redis:
    server.flushall()
    return server


def explore(
    test: str, profile: Profile, *, fails: Predicate = lambda _: False
) -> tuple[list[list[int]], bool]:
    """All batches that a run judges, and whether one failed."""
    batches: list[list[int]] = []

    def judge(batch: list[int]) -> None:
        batches.append(batch)
        assert not fails(batch)

    try:
        runner.explore(test, NUMBERS, judge, profile=profile)
    except AssertionError:
        return batches, True
    return batches, False


def is_rare(batch: list[int]) -> bool:
    """Whether a batch is of a kind that two drawn batches rarely are."""
    return any(number > 990 for number in batch)


@functools.cache
def failing_seed() -> int:
    return next(seed for seed in SEEDS if explore(TEST, Profile(seed, 2), fails=is_rare)[1])


@functools.cache
def passing_seed() -> int:
    return next(seed for seed in SEEDS if not explore(TEST, Profile(seed, 2), fails=is_rare)[1])


def store_profile(
    client: redis.Redis, seed: int, *, environment: str = "local", learns: bool = True
) -> Profile:
    return Profile(seed, 2, FailureStore(client, environment, learns).database_for)


@pytest.mark.parametrize("test", [TEST, SAME_TEST_ELSEWHERE], ids=["the same test", "at another provider"])
def test_a_known_failure_is_replayed_first(client: redis.Redis, test: str) -> None:
    batches, failed = explore(TEST, store_profile(client, failing_seed()), fails=is_rare)
    assert failed
    later_batches, failed = explore(test, store_profile(client, passing_seed()), fails=is_rare)
    assert failed
    smallest = [batch for batch in batches if is_rare(batch)][-1]
    assert later_batches[0] == smallest, "the smallest failing batch comes before all drawn batches"


def test_the_passing_seed_finds_nothing_without_known_failures(client: redis.Redis) -> None:
    assert explore(TEST, store_profile(client, passing_seed()), fails=is_rare)[1] is False


def test_an_empty_store_does_not_change_what_a_seed_draws(client: redis.Redis) -> None:
    assert explore(TEST, store_profile(client, 3)) == explore(TEST, Profile(3, 2))


def test_a_replayed_failure_that_passes_does_not_change_what_a_seed_draws(client: redis.Redis) -> None:
    explore(TEST, store_profile(client, failing_seed()), fails=is_rare)
    drawn_batches = explore(TEST, Profile(3, 2))[0]
    batches = explore(TEST, store_profile(client, 3))[0]
    assert len(batches) > len(drawn_batches)
    assert batches[-len(drawn_batches) :] == drawn_batches


def test_a_failure_that_passes_at_one_provider_stays_known_at_the_other(client: redis.Redis) -> None:
    explore(TEST, store_profile(client, failing_seed()), fails=is_rare)
    explore(SAME_TEST_ELSEWHERE, store_profile(client, 3))
    assert explore(TEST, store_profile(client, passing_seed()), fails=is_rare)[1]


def test_a_mended_failure_is_forgotten(client: redis.Redis) -> None:
    explore(TEST, store_profile(client, failing_seed()), fails=is_rare)
    for _ in range(30):  # each run replays a few failures
        explore(TEST, store_profile(client, passing_seed()))
    assert explore(TEST, store_profile(client, passing_seed()), fails=is_rare)[1] is False


def test_a_known_failure_that_is_no_longer_drawn_is_ignored(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    explore(TEST, store_profile(client, failing_seed()), fails=is_rare)
    settings_of_phases = runner.settings_of_phases
    current: list[Phase] = []

    def observed_phases(*arguments: Any) -> Iterator[tuple[Phase, settings]]:
        for phase, phase_settings in settings_of_phases(*arguments):
            current[:] = [phase]
            yield phase, phase_settings

    monkeypatch.setattr(runner, "settings_of_phases", observed_phases)
    batches: list[Any] = []
    only_drawn = NUMBERS.filter(lambda _: Phase.reuse not in current)
    runner.explore(TEST, only_drawn, batches.append, profile=store_profile(client, 3))
    assert len(batches) == 2


def test_environments_have_failures_of_their_own(client: redis.Redis) -> None:
    explore(TEST, store_profile(client, failing_seed(), environment="staging"), fails=is_rare)
    assert explore(TEST, store_profile(client, passing_seed()), fails=is_rare)[1] is False
    assert explore(TEST, store_profile(client, passing_seed(), environment="staging"), fails=is_rare)[1]


def test_a_run_that_does_not_learn_changes_nothing(client: redis.Redis) -> None:
    explore(TEST, store_profile(client, failing_seed(), learns=False), fails=is_rare)
    assert client.keys() == []
    explore(TEST, store_profile(client, failing_seed()), fails=is_rare)
    keys = client.keys()
    explore(TEST, store_profile(client, passing_seed(), learns=False))
    assert client.keys() == keys


def test_failures_of_state_machines_are_stored(client: redis.Redis) -> None:
    class Walk(RuleBasedStateMachine):
        steps = 0

        @rule()
        def step(self) -> None:
            self.steps += 1
            assert self.steps < 3

    profile = Profile(0, 5, FailureStore(client, "local", learns=True).database_for)
    with pytest.raises(AssertionError):
        runner.explore_steps("walk", Walk, profile=profile)
    assert any(b":walk:" in key for key in client.scan_iter())


# --- a run without the server


def test_an_unreachable_server_is_reported_in_one_line_and_fails_no_test() -> None:
    problem = example_database.connection_problem(UNREACHABLE)
    assert problem.startswith("known-failures-unreachable: redis://***@127.0.0.1:1/0: ")
    assert "secret" not in problem
    assert "\n" not in problem
    unreachable = example_database.connect(UNREACHABLE)
    assert explore(TEST, store_profile(unreachable, 3)) == explore(TEST, Profile(3, 2))


def test_a_server_that_stops_in_mid_run_costs_no_finding() -> None:
    with redis_server.run_redis() as url:
        store = FailureStore(example_database.connect(url), "local", learns=True)
        profile = Profile(failing_seed(), 2, store.database_for)
        batches, _ = explore(TEST, profile)
    assert batches
    assert store.is_reachable
    _, failed = explore(TEST, profile, fails=is_rare)
    assert failed
    assert not store.is_reachable


def test_keys_of_another_type_are_ignored(client: redis.Redis) -> None:
    explore(TEST, store_profile(client, failing_seed()), fails=is_rare)
    for key in list(client.scan_iter()):
        client.set(key, "a string, not a set")
    assert explore(TEST, store_profile(client, 3)) == explore(TEST, Profile(3, 2))


@pytest.mark.parametrize(
    ("url", "is_accepted"),
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
def test_redis_urls(url: str, *, is_accepted: bool) -> None:
    assert is_redis_url(url) is is_accepted


def test_the_command_of_a_finding_names_the_store_but_no_password(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setattr(ledger, "get_known_failures_url", lambda _: "unix:///run/redis.sock")
    assert ledger.reproduction("t", pytestconfig).startswith(f"{VARIABLE}=unix:///run/redis.sock ./ci/")
    monkeypatch.setattr(ledger, "get_known_failures_url", lambda _: UNREACHABLE)
    command = ledger.reproduction("t", pytestconfig)
    assert command.startswith(f'{VARIABLE}="${VARIABLE}" ./ci/test t')


def test_runs_that_a_test_starts_do_not_inherit_the_store() -> None:
    assert VARIABLE not in os.environ
