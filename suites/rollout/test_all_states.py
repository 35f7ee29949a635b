"""Every state that any order leads to, judged twice, in two ways that know nothing of each other."""

from __future__ import annotations

import itertools

import pytest

from fixtures.release.order import end_to_end_runs as endtoend
from fixtures.release.order.analysis import Judged
from fixtures.release.order.end_to_end_runs import Fates
from fixtures.release.order.impact import KINDS
from fixtures.release.order.message_flow import BOTH
from fixtures.release.order.pairwise import Table
from fixtures.release.order.release_file import Release
from fixtures.release.order.state_space import Safety
from fixtures.release.order.traced_platform import HOPS
from fixtures.services import NAMES

AFTER = ("after",) * len(HOPS)
BEFORE = ("before",) * len(HOPS)


def test_both_judges_see_the_same_damage_in_every_state(judged: Judged) -> None:
    assert judged.space.disagreements == []
    assert judged.space.judged > 80_000


def test_every_mix_of_versions_is_judged_at_rest_and_while_each_service_rolls(judged: Judged) -> None:
    live = {live for _, live in judged.space._judged}  # noqa: SLF001 - that it is complete can be seen only there
    at_rest = {mix for mix in live if BOTH not in mix}
    assert len(at_rest) == 2 ** len(NAMES)
    rolling = {mix for mix in live if mix.count(BOTH) == 1}
    assert len(rolling) == len(NAMES) * 2 ** (len(NAMES) - 1)


def test_the_container_is_judged_empty_old_new_and_both(judged: Judged) -> None:
    place = [edge.name for edge in judged.release.in_order].index("records")
    contents = {state[-1][place] for state, _ in judged.space._judged}  # noqa: SLF001 - likewise
    assert contents == {0b00, 0b01, 0b10, 0b11}


def test_some_states_are_safe_and_most_are_not(judged: Judged) -> None:
    nodes = [node for layer in judged.layers for node in layer]
    safeties = [judged.space.safety(node.contents, judged.space.live(node.done)) for node in nodes]
    assert set(safeties) == {Safety.SAFE, Safety.UNSAFE}
    assert safeties.count(Safety.UNSAFE) > safeties.count(Safety.SAFE) > 0


def test_the_safe_orders_are_those_that_the_constraints_say(judged: Judged) -> None:
    found = {(p.first.name, p.then.name) for p in judged.orders.precedences}
    last = {name for name in NAMES if name not in ("go-sender", "directory-messages")} | {"clean records"}
    assert found == {(name, "go-sender") for name in last} | {("directory-messages", "clean records")}
    assert judged.orders.explained
    assert (judged.orders.safe, judged.orders.every) == (20_160, 362_880)


def test_the_safe_orders_are_counted_as_by_trying_each(judged: Judged) -> None:
    # Six of the nine steps, the others done first: few enough to walk every order of them.
    space, steps = judged.space, judged.release.steps
    free = [
        n for n, step in enumerate(steps) if step.name not in ("directory-responses", "subscribers-postponed")
    ]
    free = free[-6:]
    start = space.start
    for number in set(range(len(steps))) - set(free):
        start = space.move(start, number).node

    def is_safe(order: tuple[int, ...]) -> bool:
        node = start
        for number in order:
            move = space.move(node, number)
            if move.safety is not Safety.SAFE:
                return False
            node = move.node
        return True

    from fixtures.release.order.orders import Census  # noqa: PLC0415

    walked = sum(map(is_safe, itertools.permutations(free)))
    assert Census(space, Safety.SAFE).ways_on(start) == walked


@pytest.mark.parametrize("way", [BEFORE, AFTER], ids=["all-before", "all-after"])
def test_one_version_of_everything_hurts_nobody(way: tuple[str, ...], fates: Fates) -> None:
    assert not fates.runs[way].damage
    assert fates.runs[way].reached == set(HOPS)


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
    ("left_behind", "way"), BREAKS.items(), ids=[name.replace(" ", "-") for name in BREAKS]
)
def test_each_service_that_is_left_behind_breaks_v1(
    left_behind: str, way: tuple[str, ...], fates: Fates
) -> None:
    kinds = {kind for _, kind in fates.runs[way].damage}
    spared = {"directory-responses": {"stuck"}, "subscribers-postponed": {"stuck"}}
    assert kinds >= spared.get(left_behind, {"dead-device-kept"})
    assert kinds <= set(KINDS)


def test_every_pair_of_the_table_is_known(table: Table, planned: Release) -> None:
    for edge in planned.edges:
        for form, version in itertools.product(table.forms[edge.name], endtoend.VERSIONS):
            assert (edge.name, form, version) in table.rows
