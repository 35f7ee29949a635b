"""The cleaner's cursor reads what was there when it began, wherever other programs push and pop meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from fixtures.platform.redis_container import FirebaseMessages
from fixtures.release.cleanup import cleaner
from fixtures.release.cleanup.cursor import MOST_STEP_FACTOR, ListCursor
from suites.selfcheck.release.cleaner_process import cursor_of, new_container, read_all, record

OLD, NEW = record(1), record(2, new=True)
LATER = [record(n) for n in range(1000, 1050)]


def read_some(messages: FirebaseMessages, held: int, steps: int) -> ListCursor:
    """A cursor that has read some steps of 5 of so many messages, and left them there."""
    messages.push(*(record(n) for n in range(held)))
    cursor = cursor_of(messages, 5)
    for _ in range(steps):
        batch = cursor.read()
        cursor.advance(batch, batch)
    return cursor


def test_a_cursor_stands_behind_what_it_has_left_there(server: Any) -> None:
    messages = new_container(server)
    messages.push(*(record(n) for n in range(25)))
    cursor, read = cursor_of(messages, 10), []
    while batch := cursor.read():
        read += batch
        cursor.advance(batch, batch)
        assert (cursor.position, cursor.unread, cursor.behind) == (len(read), 25 - len(read), 0)
    assert read == read_all(messages)
    messages.push("later")
    assert cursor.read() == []


@pytest.mark.parametrize(
    ("pops", "next_read", "position"),
    [(0, 15, 15), (1, 15, 14), (5, 15, 10), (15, 15, 0), (20, 20, 0), (29, 29, 0), (30, None, 0)],
)
@pytest.mark.parametrize("at_head", [0, 3, 40])
@pytest.mark.parametrize("at_tail", [0, 40])
def test_a_cursor_goes_on_with_the_first_message_that_it_has_not_read(
    server: Any, pops: int, next_read: int | None, position: int, at_head: int, at_tail: int
) -> None:
    messages = new_container(server)
    cursor = read_some(messages, 30, 3)
    for _ in range(pops):
        messages.pop()
    if at_head:
        server.lpush(messages.key, *LATER[:at_head])
    messages.push(*LATER[:at_tail])
    batch = cursor.read()
    if pops <= 15 or not at_head:
        assert batch[:1] == ([] if next_read is None else [record(next_read)])
        assert cursor.position == (0 if next_read is None else at_head + position)
    assert at_tail <= cursor.later <= at_head + at_tail
    read = list(batch)
    while batch:
        cursor.advance(batch, batch)
        batch = cursor.read()
        read += batch
    expected = [record(n) for n in range(next_read or 30, 30)]
    assert [message for message in read if message not in LATER] == expected


@pytest.mark.catches(promise="cleaner")
@pytest.mark.catches(promise="cleaner:pushed-at-the-head")
@pytest.mark.parametrize("everything", [True, False])
def test_what_is_pushed_at_the_head_meanwhile_hides_nothing(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, everything: bool
) -> None:
    messages = new_container(server)
    held = [record(n, new=n % 2 == 0) for n in range(60)]
    messages.push(*held)
    read, pushed = ListCursor.read, list[bytes]()

    def push_and_read(cursor: ListCursor) -> list[bytes]:
        pushed.insert(0, record(1000 + len(pushed)))
        server.lpush(messages.key, pushed[0])
        return read(cursor)

    monkeypatch.setattr(ListCursor, "read", push_and_read)
    run = cleaner.CleaningRun(everything=everything, path=tmp_path / "b", step=7)
    cleaner.clean([messages], run, lambda _: None)
    staying = [] if everything else held[::2]
    assert read_all(messages) == [*pushed, *staying]
    assert run.counts[messages.key].total() == len(held)
    assert len(pushed) - 1 <= run.later[messages.key] <= len(pushed)


def test_a_later_twin_of_the_last_message_does_not_mislead(server: Any) -> None:
    messages = new_container(server)
    cursor = read_some(messages, 30, 3)
    messages.push("later", record(29), record(29))
    assert cursor.read()[:1] == [record(15)]
    assert (cursor.position, cursor.unread, cursor.behind) == (15, 15, 3)


def test_twins_everywhere_are_read_as_often_as_they_are_there(server: Any) -> None:
    messages = new_container(server)
    messages.push(*[OLD] * 10, NEW, *[OLD] * 9)
    cursor = cursor_of(messages, 5)
    for _ in range(2):
        batch = cursor.read()
        cursor.advance(batch, batch)
    messages.pop()
    server.lpush(messages.key, NEW, NEW)
    assert cursor.read() == [NEW, *[OLD] * 4]
    assert cursor.position == 11


def test_the_end_is_reached_if_the_last_message_is_taken_away(server: Any) -> None:
    messages = new_container(server)
    cursor = read_some(messages, 30, 3)
    server.rpop(messages.key)
    assert (cursor.read(), cursor.later) == ([], 29)


def test_steps_grow_behind_many_messages_that_stay(server: Any) -> None:
    cursor = cursor_of(new_container(server), 10)
    for _ in range(400):
        messages = [b"x"] * cursor.step
        cursor.advance(messages, messages)
    assert cursor.step == 10 * MOST_STEP_FACTOR == 320


def test_a_step_at_most_doubles_and_is_never_empty(server: Any) -> None:
    cursor, steps = cursor_of(new_container(server), 10), []
    for size in (700_000, 10, 10, 10, 300_000, 10, 10, 10, 10):
        steps.append(cursor.step)
        cursor.advance([b"x" * size] * 10, [b"x"] * 10)
    assert steps == [10, 1, 2, 4, 8, 5, 10, 20, 40]
    assert all(isinstance(step, int) for step in steps)
    for _ in range(3):
        cursor.advance([b"x"] * 10, [b"x"] * 10)
    assert (cursor.position, cursor.step) == (120, 60)
