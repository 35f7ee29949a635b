"""The cleaner takes out what it must, backs it up first, and puts it back once; it loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import classify, cleaner, lua
from suites.selfcheck.release.cleaner_process import all_of, cleaned, fresh, record, restored, spam_of

pytestmark = pytest.mark.aside

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD, NEW = record(1), record(2, new=True)
UNREADABLE = (
    b"",
    b"{",
    b"[]",
    b"\xff\xfe",
    b'{"legacy": NaN}',
    b"[" * 100_000,
    b'{"v1": {}}',
    b'{"v1": null}',
)


def mixed(count: int) -> list[bytes]:
    """Old and new messages in an irregular order, twins and unreadable ones among them."""
    messages = [record(n % 97, new=n % 7 in (1, 2, 4)) for n in range(count)]
    return [*messages[: count // 2], *UNREADABLE, *messages[count // 2 :]]


def is_old(message: bytes) -> bool:
    """Whether a message of these is to go; the census is not asked, whose word the cleaner takes."""
    return message not in UNREADABLE and b'"v1"' not in message


def test_a_survey_counts_and_changes_nothing(server: Any) -> None:
    messages = fresh(server)
    hour_ago = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    held = [*mixed(200), record(1, new=True, created_at=hour_ago)]
    messages.push(*held)
    told: list[int] = []
    seen = cleaner.survey(messages, told.append, step=7)
    assert seen == classify.count(classify.look(message, datetime.now(UTC)) for message in held)
    assert (seen.total(), sum(told), seen["new", "under 1 day"]) == (len(held), len(held), 1)
    assert all_of(messages) == held


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_old_messages_go_and_the_rest_keeps_its_order(server: Any, tmp_path: Path, step: int) -> None:
    messages, held = fresh(server), mixed(300)
    messages.push(*held)
    old = [message for message in held if is_old(message)]
    assert cleaned(messages, tmp_path / "b", step=step) == len(old)
    assert all_of(messages) == [message for message in held if not is_old(message)]
    backup = backups.read(tmp_path / "b")
    assert [m for chunk in backup.chunks for m in backups.messages_of(backup, chunk)] == old
    assert backup.complete


def test_all_takes_unreadable_messages_byte_by_byte(server: Any, tmp_path: Path) -> None:
    messages, held = fresh(server), mixed(50)
    messages.push(*held)
    assert cleaned(messages, tmp_path / "b", everything=True) == len(held)
    assert messages.count() == 0
    assert restored(messages, tmp_path / "b") == len(held)
    assert all_of(messages) == held


def test_every_line_of_a_backup_fits_its_schema(server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    messages.push(*mixed(50))
    cleaned(messages, tmp_path / "b", everything=True)
    lines = [json.loads(line) for line in (tmp_path / "b").read_bytes().splitlines()]
    for line in lines:
        schemas.validate(line, backups.SCHEMA)
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    assert {line["kind"] for line in lines} == {"header", "message", "chunk", "footer"}


@pytest.mark.parametrize(("everything", "selection"), [(True, "all"), (False, "old")])
def test_a_run_tells_what_it_saw_and_took(
    server: Any, tmp_path: Path, selection: str, *, everything: bool
) -> None:
    messages, held = fresh(server), mixed(60)
    messages.push(*held)
    run = cleaner.Cleaning(everything=everything, path=tmp_path / "b", step=7)
    told: list[int] = []
    cleaner.clean([messages], run, told.append)
    went = len(held) if everything else sum(map(is_old, held))
    assert run.seen == {
        messages.key: classify.count(classify.look(message, datetime.now(UTC)) for message in held)
    }
    assert (run.removed, sum(told)) == ({messages.key: went}, len(held))
    assert backups.read(tmp_path / "b").header["selection"] == selection


def test_cleaning_twice_finds_nothing_and_writes_nothing(server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    messages.push(*mixed(50))
    assert cleaned(messages, tmp_path / "b") > 0
    assert cleaned(messages, tmp_path / "again") == 0
    assert not (tmp_path / "again").exists()


def test_a_restore_puts_back_once_at_the_head(server: Any, tmp_path: Path) -> None:
    messages, held = fresh(server), mixed(100)
    messages.push(*held)
    cleaned(messages, tmp_path / "b")
    messages.push("later")
    old = [message for message in held if is_old(message)]
    kept = [message for message in held if not is_old(message)]
    assert restored(messages, tmp_path / "b") == len(old)
    assert all_of(messages) == [*old, *kept, b"later"]
    assert restored(messages, tmp_path / "b") == 0
    assert all_of(messages) == [*old, *kept, b"later"]


def test_several_containers_share_a_backup(server: Any, tmp_path: Path) -> None:
    regular = fresh(server)
    spam, other = spam_of(regular), fresh(server)
    places = [regular, spam, other]
    for place in places:
        place.push(*mixed(30), place.key)
    held = [sorted(all_of(place)) for place in places]
    cleaner.clean(places, cleaner.Cleaning(everything=True, path=tmp_path / "b"), lambda _: None)
    assert [place.count() for place in places] == [0, 0, 0]
    restored(regular, tmp_path / "b")
    assert [sorted(all_of(place)) for place in places] == held


def test_what_was_popped_between_backup_and_removal_does_not_come_back(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = fresh(server)
    messages.push(*(record(n) for n in range(20)))
    popped = popping_meanwhile(monkeypatch, lambda: [messages.pop(), messages.pop()])
    removed = cleaned(messages, tmp_path / "b", step=5)
    backup = backups.read(tmp_path / "b")
    assert removed == len(cleaner.gone(backup, server)) == 20 - len(popped)
    held = [*popped, *cleaner.gone(backup, server), *all_of(messages)]
    assert sorted(held) == sorted(record(n) for n in range(20))
    restored(messages, tmp_path / "b")
    assert sorted([*popped, *all_of(messages)]) == sorted(record(n) for n in range(20))


def test_pops_far_from_the_head_hide_no_message_from_the_cleaner(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = fresh(server)
    held = [record(n, new=n < 100 or n % 2 == 0) for n in range(300)]
    messages.push(*held)
    popped = popping_meanwhile(monkeypatch, lambda: [messages.pop() for _ in range(3)])
    cleaned(messages, tmp_path / "b", step=10)
    left = all_of(messages)
    assert [message for message in left if is_old(message)] == []
    gone = cleaner.gone(backups.read(tmp_path / "b"), server)
    assert sorted([*popped, *gone, *left]) == sorted(held)


def popping_meanwhile(monkeypatch: pytest.MonkeyPatch, pop: Callable[[], list[bytes | None]]) -> list[bytes]:
    """What is popped whenever a chunk was just backed up."""
    popped: list[bytes] = []
    append = backups.Writer.append

    def and_pop(*arguments: Any) -> int:
        number = append(*arguments)
        popped.extend(message for message in pop() if message is not None)
        return number

    monkeypatch.setattr(backups.Writer, "append", and_pop)
    return popped


def test_a_removal_that_is_sent_twice_removes_once(server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    messages.push(OLD, OLD, NEW)
    assert cleaned(messages, tmp_path / "b", step=1) == 2
    messages.push(OLD)
    backup = backups.read(tmp_path / "b")
    keys = [messages.key, cleaner.notes_key(messages.firebase_app, backup.id)]
    assert server.eval(lua.REMOVE, 3, *keys, "aside", 0, 9, OLD) == b"removed:"
    assert all_of(messages) == [NEW, OLD]


def test_large_messages_go_in_small_steps(server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    messages.push(*(record(n, blob="x" * 300_000) for n in range(40)))
    cleaned(messages, tmp_path / "b", step=1000)
    sizes = [chunk.messages for chunk in backups.read(tmp_path / "b").chunks]
    assert (messages.count(), sum(sizes)) == (0, 40)
    assert cleaner.Walk(messages, 40, 1000).step == 100
    walk = cleaner.Walk(messages, 40, 1000)
    walk.passed([b"x" * 300_000] * 20, [])
    assert walk.step == 2


def test_the_server_notes_what_was_removed(server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    messages.push(OLD, NEW)
    cleaned(messages, tmp_path / "b")
    backup = backups.read(tmp_path / "b")
    notes = cleaner.notes_key(messages.firebase_app, backup.id)
    assert notes == f"messages:{messages.firebase_app}:cleaned:{backup.id}"
    opened = {b"opened": backup.header["made_at"].encode()}
    assert server.hgetall(notes) == {**opened, b"0": b"removed:"}
    restored(messages, tmp_path / "b")
    assert server.hgetall(notes) == {**opened, b"0": b"restored"}
