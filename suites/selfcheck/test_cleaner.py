"""The cleaner takes out what it must, backs it up first, and puts it back once; it loses nothing."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures import backup as backups
from fixtures import census, cleaner, cleaner_scripts, schemas
from fixtures.backup import BadBackup
from suites.selfcheck.containers import all_of, cleaned, fresh, record, restored, spam_of

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

FORMATS = {
    "old": (OLD, "old"),
    "old-without-legacy": (b"{}", "old"),
    "new": (NEW, "new"),
    "v1-inside-legacy": (b'{"legacy": {"v1": {}}}', "old"),
    "v1-without-legacy": (b'{"v1": {}}', "unreadable"),
    "v1-null": (b'{"v1": null, "legacy": {}}', "unreadable"),
    "list": (b"[]", "unreadable"),
    "empty": (b"", "unreadable"),
    "not-utf-8": (b'{"legacy": "\xff"}', "unreadable"),
    "not-json": (b"{'legacy': {}}", "unreadable"),
    "nan": (b'{"legacy": NaN}', "unreadable"),
    "too-deep": (b'{"legacy":' + b"[" * 100_000, "unreadable"),
    "lone-surrogate": (b'{"legacy": "\\ud800"}', "old"),
}
AGES = {
    "2026-11-22T11:30:00Z": "under 1 hour",
    "2026-11-22T13:30:00+02:00": "under 1 hour",
    "2026-11-22T12:00:01.5Z": "under 1 hour",
    "2026-11-22T11:00:00Z": "under 1 day",
    "2026-11-16T12:00:00.000001Z": "under 7 days",
    "2026-11-15T12:00:00Z": "7 days or more",
    "0001-01-01T00:00:00+14:00": "7 days or more",
    "9999-12-31T23:59:59-14:00": "under 1 hour",
    "2026-11-22": "unknown",
    "2026-11-22T11:30:00": "unknown",
    "yesterday": "unknown",
}


@pytest.mark.parametrize(("message", "form"), FORMATS.values(), ids=FORMATS)
def test_the_format_is_told(message: bytes, form: str) -> None:
    assert census.look(message, NOW).format == form


@pytest.mark.parametrize(("created_at", "age"), AGES.items(), ids=AGES)
def test_the_age_is_told(created_at: str, age: str) -> None:
    assert census.look(record(1, created_at=created_at), NOW).age == age


@pytest.mark.parametrize("created_at", [None, 0, [], {}], ids=repr)
def test_an_age_that_is_no_time_is_unknown(created_at: Any) -> None:
    assert census.look(record(1, created_at=created_at), NOW).age == "unknown"


def mixed(count: int) -> list[bytes]:
    """Old and new messages in an irregular order, twins and unreadable ones among them."""
    messages = [record(n % 97, new=n % 7 in (1, 2, 4)) for n in range(count)]
    return [*messages[: count // 2], *UNREADABLE, *messages[count // 2 :]]


def is_old(message: bytes) -> bool:
    """Whether a message is to go."""
    return census.look(message, NOW).format == "old"


def test_a_survey_counts_and_changes_nothing(server: Any) -> None:
    messages = fresh(server)
    hour_ago = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    held = [*mixed(200), record(1, new=True, created_at=hour_ago)]
    messages.push(*held)
    told: list[int] = []
    seen = cleaner.survey(messages, told.append, step=7)
    assert seen == census.count(census.look(message, datetime.now(UTC)) for message in held)
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
    cleaned(messages, tmp_path / "b", step=5)
    backup = backups.read(tmp_path / "b")
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
    assert server.eval(cleaner_scripts.REMOVE, 3, *keys, "aside", 0, 9, OLD) == b"removed:"
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
    assert walk.step == 3


def test_steps_grow_behind_many_messages_that_stay(server: Any) -> None:
    walk = cleaner.Walk(fresh(server), 100_000, 10)
    for _ in range(400):
        found = [b"x"] * walk.step
        walk.passed(found, found)
    assert walk.step == 10 * cleaner.FAR


def test_a_backup_that_cannot_be_written_stops_the_removal(server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    messages.push(OLD)
    (tmp_path / "b").write_text("precious", encoding="utf-8")
    for path in (tmp_path / "b", tmp_path / "nowhere" / "b"):
        with pytest.raises(BadBackup, match="backup-not-written"):
            cleaned(messages, path)
    assert all_of(messages) == [OLD]
    assert (tmp_path / "b").read_text(encoding="utf-8") == "precious"


def test_a_full_disk_stops_the_removal(server: Any) -> None:
    messages = fresh(server)
    messages.push(*(record(n) for n in range(9)))
    header = backups.header("redis", [(messages.firebase_app, messages.kind)], everything=False)
    writer = backups.Writer.__new__(backups.Writer)
    writer.path, writer.header, writer.chunks, writer.messages = Path("/dev/full"), header, 0, 0
    with Path("/dev/full").open("wb", buffering=0) as writer._file:  # noqa: SLF001  no other way to a full disk
        run = cleaner.Cleaning(everything=False, path=Path("/dev/full"), writer=writer)
        with pytest.raises(BadBackup, match="backup-not-written: /dev/full: No space left on device"):
            cleaner.clean([messages], run, lambda _: None)
    assert messages.count() == 9


def swapped(text: bytes) -> bytes:
    """The first two messages in the other order."""
    first, one, two, *rest = text.splitlines(keepends=True)
    return b"".join([first, two, one, *rest])


Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "empty": lambda _: b"",
    "no-header": lambda text: text.split(b"\n", 1)[1],
    "cut-in-the-middle": lambda text: text[: len(text) // 2],
    "a-byte-of-a-message": lambda text: text.replace(b"token-3", b"token-4", 1),
    "a-byte-of-a-digest": lambda text: re.sub(rb'("sha256":")(.)', rb"\1!", text, count=1),
    "a-line-less": lambda text: b"".join(
        text.splitlines(keepends=True)[:1] + text.splitlines(keepends=True)[2:]
    ),
    "two-lines-swapped": swapped,
    "text-between": lambda text: text.replace(b"\n", b"\nhello\n", 1),
    "lines-behind-the-footer": lambda text: text + text.splitlines(keepends=True)[1],
    "footer-of-another": lambda text: re.sub(rb'("chunks":)\d+', rb"\g<1>99", text),
    "twice": lambda text: text + text,
    "not-utf-8": lambda text: text.replace(b'"text"', b'"te\xff"', 1),
    "app-that-the-header-lacks": lambda text: re.sub(
        rb'("kind":"chunk",.*?"firebase_app":")[^"]*', rb"\g<1>" + str(uuid.UUID(int=7)).encode(), text
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_backup_restores_nothing(server: Any, tmp_path: Path, damage: Damage) -> None:
    messages, file = fresh(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(20)))
    cleaned(messages, file)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    with pytest.raises(BadBackup, match="damaged-backup") as caught:
        restored(messages, file)
    assert "nothing was restored" in str(caught.value)
    assert messages.count() == 0
    file.write_bytes(whole)
    assert restored(messages, file) == 20


def test_a_backup_without_its_footer_is_restored(server: Any, tmp_path: Path) -> None:
    messages, file = fresh(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(20)))
    cleaned(messages, file)
    file.write_bytes(file.read_bytes()[:-10])
    assert not backups.read(file).complete
    assert restored(messages, file) == 20


def test_a_chunk_that_was_never_removed_is_not_restored(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages, file = fresh(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(20)))

    def die(*_: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cleaner, "_remove", die)
        with pytest.raises(KeyboardInterrupt):
            cleaned(messages, file)
    assert backups.read(file).chunks
    assert restored(messages, file) == 0
    assert all_of(messages) == [record(n) for n in range(20)]


def test_another_server_restores_only_when_told_that_the_data_is_lost(server: Any, tmp_path: Path) -> None:
    messages, file = fresh(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(20)))
    cleaned(messages, file)
    server.delete(cleaner.notes_key(messages.firebase_app, backups.read(file).id))
    with pytest.raises(BadBackup, match="unknown-backup") as caught:
        restored(messages, file)
    assert "--lost-server" in str(caught.value)
    assert messages.count() == 0
    assert restored(messages, file, lost_server=True) == 20
    assert restored(messages, file, lost_server=True) == 0
    assert restored(messages, file) == 0
    assert all_of(messages) == [record(n) for n in range(20)]


def test_a_server_that_knows_better_is_not_lost(server: Any, tmp_path: Path) -> None:
    messages, file = fresh(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(20)))
    cleaned(messages, file)
    assert restored(messages, file, lost_server=True) == 20
    assert restored(messages, file, lost_server=True) == 0
    assert messages.count() == 20


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadBackup, match="unreadable-file"):
        backups.read(tmp_path / "nowhere")
