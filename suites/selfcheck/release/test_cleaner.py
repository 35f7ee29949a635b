"""The cleaner takes out what it must, backs it up first, and puts it back once; it loses nothing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import classify, cleaner
from suites.selfcheck.release.cleaner_process import (
    clean_container,
    cursor_of,
    new_container,
    read_all,
    record,
    restore_container,
    spam_container_of,
    steps_of,
)

pytestmark = pytest.mark.catches(promise="cleaner")

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


@pytest.mark.catches(promise="cleaner:survey")
def test_a_survey_counts_and_changes_nothing(server: Any) -> None:
    messages = new_container(server)
    hour_ago = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    held = [*mixed(200), record(1, new=True, created_at=hour_ago)]
    messages.push(*held)
    progress: list[int] = []
    counts = cleaner.count_container(messages, progress.append, step=7)
    assert counts == classify.MessageCounts(
        classify.classify_message(message, datetime.now(UTC)) for message in held
    )
    assert (counts.total(), sum(progress), counts["new", "under 1 day"]) == (len(held), len(held), 1)
    assert read_all(messages) == held


@pytest.mark.catches(promise="cleaner:order")
@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_old_messages_go_and_the_rest_keeps_its_order(server: Any, tmp_path: Path, step: int) -> None:
    messages, held = new_container(server), mixed(300)
    messages.push(*held)
    old = [message for message in held if is_old(message)]
    assert clean_container(messages, tmp_path / "b", step=step) == len(old)
    assert read_all(messages) == [message for message in held if not is_old(message)]
    backup = backups.read_backup(tmp_path / "b")
    assert [m for chunk in backup.chunks for m in backups.read_messages(backup, chunk)] == old
    assert backup.complete


@pytest.mark.catches(promise="cleaner:everything")
def test_all_takes_unreadable_messages_byte_by_byte(server: Any, tmp_path: Path) -> None:
    messages, held = new_container(server), mixed(50)
    messages.push(*held)
    assert clean_container(messages, tmp_path / "b", everything=True) == len(held)
    assert messages.count() == 0
    assert restore_container(messages, tmp_path / "b") == len(held)
    assert read_all(messages) == held


def test_every_line_of_a_backup_fits_its_schema(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    messages.push(*mixed(50))
    clean_container(messages, tmp_path / "b", everything=True)
    lines = [json.loads(line) for line in (tmp_path / "b").read_bytes().splitlines()]
    for line in lines:
        schemas.validate(line, backups.SCHEMA)
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    assert {line["kind"] for line in lines} == {"header", "message", "chunk", "footer"}


@pytest.mark.catches(promise="cleaner:run-report")
@pytest.mark.parametrize(("everything", "selection"), [(True, "all"), (False, "old")])
def test_a_run_tells_what_it_saw_and_took(
    server: Any, tmp_path: Path, selection: str, *, everything: bool
) -> None:
    messages, held = new_container(server), mixed(60)
    messages.push(*held)
    run = cleaner.CleaningRun(everything=everything, path=tmp_path / "b", step=7)
    progress: list[int] = []
    cleaner.clean([messages], run, progress.append)
    went = len(held) if everything else sum(map(is_old, held))
    assert run.counts == {
        messages.key: classify.MessageCounts(
            classify.classify_message(message, datetime.now(UTC)) for message in held
        )
    }
    assert (run.removed, sum(progress)) == ({messages.key: went}, len(held))
    assert backups.read_backup(tmp_path / "b").header["selection"] == selection


@pytest.mark.catches(promise="cleaner:clean-twice")
def test_cleaning_twice_finds_nothing_and_writes_nothing(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    messages.push(*mixed(50))
    assert clean_container(messages, tmp_path / "b") > 0
    assert clean_container(messages, tmp_path / "again") == 0
    assert not (tmp_path / "again").exists()


@pytest.mark.catches(promise="cleaner:restore-once")
def test_a_restore_puts_back_once_at_the_head(server: Any, tmp_path: Path) -> None:
    messages, held = new_container(server), mixed(100)
    messages.push(*held)
    clean_container(messages, tmp_path / "b")
    messages.push("later")
    old = [message for message in held if is_old(message)]
    staying = [message for message in held if not is_old(message)]
    assert restore_container(messages, tmp_path / "b") == len(old)
    assert read_all(messages) == [*old, *staying, b"later"]
    assert restore_container(messages, tmp_path / "b") == 0
    assert read_all(messages) == [*old, *staying, b"later"]


def test_several_containers_share_a_backup(server: Any, tmp_path: Path) -> None:
    regular = new_container(server)
    spam, other = spam_container_of(regular), new_container(server)
    containers = [regular, spam, other]
    for container in containers:
        container.push(*mixed(30), container.key)
    held = [sorted(read_all(container)) for container in containers]
    cleaner.clean(containers, cleaner.CleaningRun(everything=True, path=tmp_path / "b"), lambda _: None)
    assert [container.count() for container in containers] == [0, 0, 0]
    restore_container(regular, tmp_path / "b")
    assert [sorted(read_all(container)) for container in containers] == held


@pytest.mark.catches(promise="cleaner:popped-meanwhile")
def test_what_was_popped_between_backup_and_removal_does_not_come_back(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = new_container(server)
    messages.push(*(record(n) for n in range(20)))
    popped = popping_meanwhile(monkeypatch, lambda: [messages.pop(), messages.pop()])
    removed = clean_container(messages, tmp_path / "b", step=5)
    backup = backups.read_backup(tmp_path / "b")
    assert removed == len(cleaner.list_removed(backup, server)) == 20 - len(popped)
    held = [*popped, *cleaner.list_removed(backup, server), *read_all(messages)]
    assert sorted(held) == sorted(record(n) for n in range(20))
    restore_container(messages, tmp_path / "b")
    assert sorted([*popped, *read_all(messages)]) == sorted(record(n) for n in range(20))


@pytest.mark.catches(promise="cleaner:popped-far")
def test_pops_far_from_the_head_hide_no_message_from_the_cleaner(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = new_container(server)
    held = [record(n, new=n < 100 or n % 2 == 0) for n in range(300)]
    messages.push(*held)
    popped = popping_meanwhile(monkeypatch, lambda: [messages.pop() for _ in range(3)])
    clean_container(messages, tmp_path / "b", step=10)
    remaining = read_all(messages)
    assert [message for message in remaining if is_old(message)] == []
    gone = cleaner.list_removed(backups.read_backup(tmp_path / "b"), server)
    assert sorted([*popped, *gone, *remaining]) == sorted(held)


def popping_meanwhile(monkeypatch: pytest.MonkeyPatch, pop: Callable[[], list[bytes | None]]) -> list[bytes]:
    """What is popped whenever a chunk was just backed up."""
    popped: list[bytes] = []
    append = backups.BackupWriter.append

    def and_pop(*arguments: Any) -> int:
        number = append(*arguments)
        popped.extend(message for message in pop() if message is not None)
        return number

    monkeypatch.setattr(backups.BackupWriter, "append", and_pop)
    return popped


@pytest.mark.catches(promise="cleaner:removal-repeated")
def test_a_removal_that_is_sent_twice_removes_once(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    messages.push(OLD, OLD, NEW)
    assert clean_container(messages, tmp_path / "b", step=1) == 2
    messages.push(OLD)
    backup = backups.read_backup(tmp_path / "b")
    steps = steps_of(messages, backup.id)
    assert steps.remove((OLD, OLD), behind=0, unread=2, searched=2, chunk=0, messages=[OLD]) == "removed:"
    assert read_all(messages) == [NEW, OLD]


def test_large_messages_go_in_small_steps(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    messages.push(*(record(n, blob="x" * 300_000) for n in range(40)))
    clean_container(messages, tmp_path / "b", step=1000)
    sizes = [chunk.messages for chunk in backups.read_backup(tmp_path / "b").chunks]
    assert (messages.count(), sum(sizes)) == (0, 40)
    cursor = cursor_of(messages)
    assert cursor.step == 100
    cursor.advance([b"x" * 300_000] * 20, [])
    assert cursor.step == 2


@pytest.mark.catches(promise="cleaner:server-notes")
def test_the_server_notes_what_was_removed(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    messages.push(OLD, NEW)
    clean_container(messages, tmp_path / "b")
    backup = backups.read_backup(tmp_path / "b")
    notes = f"{messages.key}:{{{messages.key}}}:cleaned:{backup.id}"
    opened = {b"opened": backup.header["made_at"].encode()}
    assert server.hgetall(notes) == {**opened, b"0": b"removed:"}
    restore_container(messages, tmp_path / "b")
    assert server.hgetall(notes) == {**opened, b"0": b"restored"}
