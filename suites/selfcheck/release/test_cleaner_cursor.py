"""The cleaner's way along a list that others pop from: it finds its place again, in steps of a good size."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.release.cleanup import cleaner
from suites.selfcheck.release.cleaner_process import all_of, fresh, record

pytestmark = pytest.mark.aside

OLD, NEW = record(1), record(2, new=True)


def test_a_walk_stands_behind_what_it_has_left_there(server: Any) -> None:
    messages = fresh(server)
    messages.push(*(record(n) for n in range(25)))
    walk, read = cleaner.Walk(messages, 25, 10), []
    while here := walk.read():
        read += here
        walk.passed(here, here)
        assert (walk.position, walk.last, walk.ahead) == (len(read), here[-1], 25 - len(read))
    assert read == all_of(messages)
    messages.push("later")
    assert walk.read() == []


@pytest.mark.parametrize(
    ("pops", "next_seen", "position"),
    [
        pytest.param(0, 15, 15, id="nobody pops"),
        pytest.param(1, 15, 14, id="one pop"),
        pytest.param(4, 15, 11, id="fewer pops than a step is long"),
        pytest.param(5, 5, 0, id="as many as a step is long"),
        pytest.param(15, 15, 0, id="all that was left behind"),
        pytest.param(20, 20, 0, id="more than was left behind"),
        pytest.param(30, None, 0, id="everything"),
    ],
)
def test_a_walk_finds_its_place_again_or_begins_anew(
    server: Any, pops: int, next_seen: int | None, position: int
) -> None:
    messages = fresh(server)
    messages.push(*(record(n) for n in range(30)))
    walk = cleaner.Walk(messages, 30, 5)
    for _ in range(3):
        here = walk.read()
        walk.passed(here, here)
    for _ in range(pops):
        messages.pop()
    assert walk.read()[:1] == ([] if next_seen is None else [record(next_seen)])
    assert (walk.position, walk.ahead) == (position, 15 if position else 30)
    assert walk.last == (record(14) if position else None)


def test_a_walk_finds_its_place_at_the_head(server: Any) -> None:
    messages = fresh(server)
    messages.push(*(record(n) for n in range(20)))
    walk = cleaner.Walk(messages, 20, 5)
    here = walk.read()
    walk.passed(here, here)
    for _ in range(4):
        messages.pop()
    assert walk.read()[:1] == [record(5)]
    assert (walk.position, walk.ahead) == (1, 15)


def test_a_walk_takes_no_later_twin_for_its_place(server: Any) -> None:
    messages = fresh(server)
    messages.push(*(record(n) for n in range(16)), record(14), *(record(n) for n in range(17, 40)))
    walk = cleaner.Walk(messages, 40, 5)
    for _ in range(3):
        here = walk.read()
        walk.passed(here, here)
    messages.pop()
    assert walk.read()[:2] == [record(15), record(14)]
    assert walk.position == 14


def test_a_walk_is_not_led_astray_by_twins(server: Any) -> None:
    messages = fresh(server)
    messages.push(*[OLD] * 10, NEW, *[OLD] * 9)
    walk = cleaner.Walk(messages, 20, 5)
    for _ in range(2):
        here = walk.read()
        walk.passed(here, here)
    messages.pop()
    messages.server.lpush(messages.key, NEW, NEW)
    assert len(walk.read()) == 5
    assert walk.position in (0, 10)


def test_steps_grow_behind_many_messages_that_stay(server: Any) -> None:
    walk = cleaner.Walk(fresh(server), 100_000, 10)
    for _ in range(400):
        found = [b"x"] * walk.step
        walk.passed(found, found)
    assert walk.step == 10 * cleaner.FAR == 320


def test_a_step_at_most_doubles_and_is_never_empty(server: Any) -> None:
    walk, steps = cleaner.Walk(fresh(server), 100_000, 10), []
    for size in (700_000, 10, 10, 10, 300_000, 10, 10, 10, 10):
        steps.append(walk.step)
        walk.passed([b"x" * size] * 10, [b"x"] * 10)
    assert steps == [10, 1, 2, 4, 8, 5, 10, 20, 40]
    assert all(isinstance(step, int) for step in steps)
    for _ in range(3):
        walk.passed([b"x"] * 10, [b"x"] * 10)
    assert (walk.position, walk.step) == (120, 60)
