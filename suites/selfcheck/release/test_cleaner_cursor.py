"""The cleaner's cursor finds its position again when other programs pop, and adapts its step."""

from typing import Any

import pytest

from fixtures.release.cleanup import cleaner
from suites.selfcheck.release.cleaner_process import new_container, read_all, record

pytestmark = pytest.mark.aside

OLD, NEW = record(1), record(2, new=True)


def test_a_cursor_stands_behind_what_it_has_left_there(server: Any) -> None:
    messages = new_container(server)
    messages.push(*(record(n) for n in range(25)))
    cursor, read = cleaner.ListCursor(messages, 25, 10), []
    while batch := cursor.read():
        read += batch
        cursor.advance(batch, batch)
        assert (cursor.position, cursor.last_kept, cursor.remaining) == (len(read), batch[-1], 25 - len(read))
    assert read == read_all(messages)
    messages.push("later")
    assert cursor.read() == []


@pytest.mark.parametrize(
    ("pops", "next_seen", "position"),
    [
        pytest.param(0, 15, 15, id="no pop"),
        pytest.param(1, 15, 14, id="one pop"),
        pytest.param(4, 15, 11, id="fewer pops than a step is long"),
        pytest.param(5, 5, 0, id="as many as a step is long"),
        pytest.param(15, 15, 0, id="all that was left behind"),
        pytest.param(20, 20, 0, id="more than was left behind"),
        pytest.param(30, None, 0, id="everything"),
    ],
)
def test_a_cursor_finds_its_place_again_or_begins_anew(
    server: Any, pops: int, next_seen: int | None, position: int
) -> None:
    messages = new_container(server)
    messages.push(*(record(n) for n in range(30)))
    cursor = cleaner.ListCursor(messages, 30, 5)
    for _ in range(3):
        batch = cursor.read()
        cursor.advance(batch, batch)
    for _ in range(pops):
        messages.pop()
    assert cursor.read()[:1] == ([] if next_seen is None else [record(next_seen)])
    assert (cursor.position, cursor.remaining) == (position, 15 if position else 30)
    assert cursor.last_kept == (record(14) if position else None)


def test_a_cursor_finds_its_place_at_the_head(server: Any) -> None:
    messages = new_container(server)
    messages.push(*(record(n) for n in range(20)))
    cursor = cleaner.ListCursor(messages, 20, 5)
    batch = cursor.read()
    cursor.advance(batch, batch)
    for _ in range(4):
        messages.pop()
    assert cursor.read()[:1] == [record(5)]
    assert (cursor.position, cursor.remaining) == (1, 15)


def test_a_cursor_takes_no_later_twin_for_its_place(server: Any) -> None:
    messages = new_container(server)
    messages.push(*(record(n) for n in range(16)), record(14), *(record(n) for n in range(17, 40)))
    cursor = cleaner.ListCursor(messages, 40, 5)
    for _ in range(3):
        batch = cursor.read()
        cursor.advance(batch, batch)
    messages.pop()
    assert cursor.read()[:2] == [record(15), record(14)]
    assert cursor.position == 14


def test_a_cursor_is_not_led_astray_by_twins(server: Any) -> None:
    messages = new_container(server)
    messages.push(*[OLD] * 10, NEW, *[OLD] * 9)
    cursor = cleaner.ListCursor(messages, 20, 5)
    for _ in range(2):
        batch = cursor.read()
        cursor.advance(batch, batch)
    messages.pop()
    messages.server.lpush(messages.key, NEW, NEW)
    assert len(cursor.read()) == 5
    assert cursor.position in (0, 10)


def test_steps_grow_behind_many_messages_that_stay(server: Any) -> None:
    cursor = cleaner.ListCursor(new_container(server), 100_000, 10)
    for _ in range(400):
        messages = [b"x"] * cursor.step
        cursor.advance(messages, messages)
    assert cursor.step == 10 * cleaner.MOST_STEP_FACTOR == 320


def test_a_step_at_most_doubles_and_is_never_empty(server: Any) -> None:
    cursor, steps = cleaner.ListCursor(new_container(server), 100_000, 10), []
    for size in (700_000, 10, 10, 10, 300_000, 10, 10, 10, 10):
        steps.append(cursor.step)
        cursor.advance([b"x" * size] * 10, [b"x"] * 10)
    assert steps == [10, 1, 2, 4, 8, 5, 10, 20, 40]
    assert all(isinstance(step, int) for step in steps)
    for _ in range(3):
        cursor.advance([b"x"] * 10, [b"x"] * 10)
    assert (cursor.position, cursor.step) == (120, 60)
