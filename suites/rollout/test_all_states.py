"""Every state that any order leads to, analysed twice, in two ways that know nothing of each other."""

import itertools
from dataclasses import replace

import pytest

from fixtures.release.order import orders
from fixtures.release.order.analysis import Analysis, judge_all_rollbacks
from fixtures.release.order.end_to_end_runs import PathRuns
from fixtures.release.order.impact import KINDS
from fixtures.release.order.pairwise_model import PairTable
from fixtures.release.order.release_file import Release
from fixtures.release.order.state_space import BOTH, Safety, StateSpace
from fixtures.release.order.traced_platform import HOPS
from fixtures.services import NAMES, VERSIONS

AFTER = ("after",) * len(HOPS)
BEFORE = ("before",) * len(HOPS)


def test_both_models_find_the_same_damage_in_every_state(analysed: Analysis) -> None:
    assert analysed.space.disagreements == []
    assert len(analysed.space.safeties) > 40_000


@pytest.mark.nightly  # by day, ./ci/rollout judges these states, and every gate those that its answer names
def test_both_models_find_the_same_damage_after_every_rollback(analysed: Analysis) -> None:
    space = StateSpace(analysed.release, analysed.space.flows)
    judge_all_rollbacks(replace(analysed, space=space))
    assert space.disagreements == []
    assert len(space.safeties) > 30_000


def test_every_mix_of_versions_is_judged_at_rest_and_while_each_service_rolls(analysed: Analysis) -> None:
    live = {state.live for state in analysed.space.safeties}
    at_rest = {mix for mix in live if BOTH not in mix}
    assert len(at_rest) == 2 ** len(NAMES)
    rolling = {mix for mix in live if mix.count(BOTH) == 1}
    assert len(rolling) == len(NAMES) * 2 ** (len(NAMES) - 1)


def test_the_container_is_judged_empty_old_new_and_both(analysed: Analysis) -> None:
    index = [edge.name for edge in analysed.release.ordered_edges].index("records")
    contents = {state.contents[-1][index] for state in analysed.space.safeties}
    assert contents == {0b00, 0b01, 0b10, 0b11}


def test_some_states_are_safe_and_most_are_not(analysed: Analysis) -> None:
    space = analysed.space
    safeties = [space.judge(node.state) for node in space.graph]
    assert set(safeties) == {Safety.SAFE, Safety.UNSAFE}
    assert safeties.count(Safety.UNSAFE) > safeties.count(Safety.SAFE) > 0


def test_the_safe_orders_are_those_that_the_constraints_say(analysed: Analysis) -> None:
    precedences = {(p.first, p.then) for p in analysed.orders.precedences}
    last = {name for name in NAMES if name not in ("go-sender", "directory-messages")} | {"clean records"}
    assert precedences == {(name, "go-sender") for name in last} | {("directory-messages", "clean records")}
    assert analysed.orders.explained
    assert (analysed.orders.safe, analysed.orders.total) == (20_160, 362_880)


def test_the_safe_orders_are_counted_as_by_trying_each(analysed: Analysis) -> None:
    # Six of the nine steps, the others done first: few enough to try every order of them.
    space, steps = analysed.space, analysed.release.steps
    free = [step for step in steps if step not in ("directory-responses", "subscribers-postponed")][-6:]
    start = space.start
    for step in steps:
        if step not in free:
            start = space.move(start, step).node
    safe_orders = 0
    for order in itertools.permutations(free):
        node, safeties = start, set[Safety]()
        for step in order:
            safety, node = space.move(node, step)
            safeties.add(safety)
        safe_orders += safeties == {Safety.SAFE}
    assert orders.count_orders(space, Safety.SAFE)[start] == safe_orders


@pytest.mark.parametrize("path", [BEFORE, AFTER], ids=["all-before", "all-after"])
def test_one_version_of_everything_does_no_damage(path: tuple[str, ...], path_runs: PathRuns) -> None:
    assert not path_runs.runs[path].damage
    assert path_runs.runs[path].hops_reached == set(HOPS)


BREAKS = {
    "directory-messages": ("before", "after", "after", *AFTER[3:]),
    "events-proxy": (*AFTER[:3], "before", *AFTER[4:]),
    "directory-events-api": (*AFTER[:4], "before", *AFTER[5:]),
    "directory-errors-listener": (*AFTER[:5], "before", *AFTER[6:]),
    "subscribers-errors": (*AFTER[:6], "before", *AFTER[7:]),
    "subscribers-postponed": (*AFTER[:7], "before", *AFTER[8:]),
    "directory-responses": (*AFTER[:8], "before"),
    "go-sender hears": (*AFTER[:2], "before", *AFTER[3:]),
}


@pytest.mark.parametrize(
    ("outdated", "path"), BREAKS.items(), ids=[name.replace(" ", "-") for name in BREAKS]
)
def test_each_outdated_service_breaks_v1(outdated: str, path: tuple[str, ...], path_runs: PathRuns) -> None:
    kinds = {kind for _, kind in path_runs.runs[path].damage}
    least_kinds = {"directory-responses": {"stuck"}, "subscribers-postponed": {"stuck"}}
    assert kinds >= least_kinds.get(outdated, {"dead-device-kept"})
    assert kinds <= set(KINDS)


def test_every_pair_of_the_table_is_known(table: PairTable, planned: Release) -> None:
    assert {edge for edge, _ in table.writers} == {edge.name for edge in planned.edges}
    for (edge, shape), version in itertools.product(table.writers, VERSIONS):
        assert (edge, shape, version) in table.rows
