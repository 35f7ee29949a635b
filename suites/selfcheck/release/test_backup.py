"""A backup that is damaged, cut off or of another server restores exactly what it may."""

import errno
import os
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import cleaner
from fixtures.release.cleanup.backup import BackupError
from fixtures.release.cleanup.cursor import ListCursor
from fixtures.release.cleanup.steps import notes_key
from suites.selfcheck.release.cleaner_process import (
    clean_container,
    new_container,
    read_all,
    record,
    restore_container,
)

OLD = record(1)
APP = str(uuid.UUID(int=1))
FIXED = {"backup": str(uuid.UUID(int=2)), "made_at": "2026-01-01T00:00:00Z"}


def test_a_backup_that_cannot_be_written_stops_the_removal(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    messages.push(OLD)
    (tmp_path / "b").write_text("precious", encoding="utf-8")
    for path in (tmp_path / "b", tmp_path / "nowhere" / "b"):
        with pytest.raises(BackupError) as caught:
            clean_container(messages, path)
        message = str(caught.value).replace(str(path), "FILE")
        why = "File exists" if path.parent == tmp_path else "No such file or directory"
        assert message == (
            f"backup-not-written: FILE: {why}; nothing is removed that is not in it\n"
            "  next: name another file with --backup FILE"
        )
    assert read_all(messages) == [OLD]
    assert (tmp_path / "b").read_text(encoding="utf-8") == "precious"


def test_a_full_disk_stops_the_removal(server: Any) -> None:
    messages = new_container(server)
    messages.push(*(record(n) for n in range(9)))
    header = backups.build_header("redis", [(messages.firebase_app, messages.kind)], everything=False)
    writer = backups.BackupWriter.__new__(backups.BackupWriter)
    writer.path, writer.header, writer.chunks, writer.messages = Path("/dev/full"), header, 0, 0
    with Path("/dev/full").open("wb") as writer._file:  # noqa: SLF001  no other way to a full disk
        run = cleaner.CleaningRun(everything=False, path=Path("/dev/full"), writer=writer)
        with pytest.raises(BackupError, match="backup-not-written: /dev/full: No space left on device"):
            cleaner.clean([messages], run, lambda _: None)
    assert messages.count() == 9


@pytest.mark.parametrize("stopped", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_backup_that_got_no_header_leaves_no_file(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: BaseException
) -> None:
    messages, file = new_container(server), tmp_path / "b"
    messages.push(OLD)

    def stop(_: int) -> None:
        raise stopped

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", stop)
        with pytest.raises((KeyboardInterrupt, BackupError)):
            clean_container(messages, file)
    assert (file.exists(), read_all(messages)) == (False, [OLD])
    clean_container(messages, file)
    assert (restore_container(messages, file), read_all(messages)) == (1, [OLD])


def swapped(text: bytes) -> bytes:
    """The first two messages in the other order."""
    header, first, second, *rest = text.splitlines(keepends=True)
    return b"".join([header, second, first, *rest])


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
    "two-headers": lambda text: text.splitlines(keepends=True)[0] + text,
    "header-for-a-footer": lambda text: b"".join(
        [*text.splitlines(keepends=True)[:-1], text.splitlines(keepends=True)[0]]
    ),
    "footer-counts-other-messages": lambda text: re.sub(rb'("messages":)\d+}\n$', rb"\g<1>99}\n", text),
    "messages-before-the-footer": lambda text: b"".join(
        [*text.splitlines(keepends=True)[:-1], *itemgetter(1, -1)(text.splitlines(keepends=True))]
    ),
    "chunks-swapped": lambda text: re.sub(rb'("chunk":)0', rb"\g<1>1", text, count=1),
    "of-another-kind": lambda text: text.replace(b'"kind":"message"', b'"kind":"note"', 1),
    "of-another-format": lambda text: text.replace(b'"format":"old"', b'"format":7', 1),
    "deep": lambda text: text.replace(b"\n", b"\n" + b"[" * 100_000 + b"\n", 1),
    "twice": lambda text: text + text,
    "not-utf-8": lambda text: text.replace(b'"text"', b'"te\xff"', 1),
    "app-that-the-header-lacks": lambda text: re.sub(
        rb'("kind":"chunk",.*?"firebase_app":")[^"]*', rb"\g<1>" + str(uuid.UUID(int=7)).encode(), text
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_backup_restores_nothing(
    server: Any, tmp_path: Path, damage: Damage, snapshot: SnapshotAssertion
) -> None:
    messages, file = new_container(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(20)))
    clean_container(messages, file)
    undamaged = file.read_bytes()
    file.write_bytes(damage(undamaged))
    with pytest.raises(BackupError) as caught:
        restore_container(messages, file)
    assert str(caught.value).replace(str(file), "FILE") == snapshot
    assert "token" not in str(caught.value)
    assert messages.count() == 0
    file.write_bytes(undamaged)
    assert restore_container(messages, file) == 20


def test_a_restore_tells_how_many_messages_it_went_through(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    progress: list[int] = []
    messages.push(*(record(n) for n in range(20)))
    clean_container(messages, tmp_path / "b")
    backup = backups.read_backup(tmp_path / "b")
    assert cleaner.restore(backup, server, progress.append, lost_server=False) == 20
    assert progress == [chunk.messages for chunk in reversed(backup.chunks)]
    assert (len(progress), sum(progress)) == (3, 20)


def test_a_backup_without_its_footer_is_restored(server: Any, tmp_path: Path) -> None:
    messages, file = new_container(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(20)))
    clean_container(messages, file)
    file.write_bytes(file.read_bytes()[:-10])
    assert not backups.read_backup(file).complete
    assert restore_container(messages, file) == 20


def test_a_chunk_that_was_never_removed_is_not_restored(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages, file = new_container(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(20)))

    def die(*_: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ListCursor, "remove", die)
        with pytest.raises(KeyboardInterrupt):
            clean_container(messages, file)
    assert backups.read_backup(file).chunks
    assert restore_container(messages, file) == 0
    assert read_all(messages) == [record(n) for n in range(20)]


def test_another_server_restores_only_when_told_that_the_data_is_lost(server: Any, tmp_path: Path) -> None:
    messages, file = new_container(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(6)))
    clean_container(messages, file)
    notes = notes_key(messages.key, backups.read_backup(file).id)
    server.delete(notes)
    with pytest.raises(BackupError, match="unknown-backup") as caught:
        restore_container(messages, file)
    assert str(caught.value) == (
        f"unknown-backup: {file}: this server has no notes about it (no {notes}); it keeps them for 30 days\n"
        "  next: name the server that was cleaned; if it has lost its data, add --lost-server"
    )
    with pytest.raises(BackupError, match="unknown-backup"):
        cleaner.list_removed(backups.read_backup(file), server)
    assert messages.count() == 0
    assert restore_container(messages, file, lost_server=True) == 6
    assert restore_container(messages, file, lost_server=True) == 0
    assert restore_container(messages, file) == 0
    assert read_all(messages) == [record(n) for n in range(6)]


def test_a_server_that_knows_of_all_apps_knows_which_chunks_it_did_not_remove(
    server: Any, tmp_path: Path
) -> None:
    containers = sorted((new_container(server) for _ in range(3)), key=lambda messages: messages.firebase_app)
    for messages in containers:
        messages.push(OLD)
    run = cleaner.CleaningRun(everything=False, path=tmp_path / "b")
    cleaner.clean(containers, run, lambda _: None)
    server.hdel(notes_key(containers[0].key, backups.read_backup(tmp_path / "b").id), "0")
    for lost_server in (False, True):
        restored_again = restore_container(containers[0], tmp_path / "b", lost_server=lost_server)
        assert restored_again == (0 if lost_server else 2)
    assert [messages.count() for messages in containers] == [0, 1, 1]


def test_a_server_that_knows_better_is_not_lost(server: Any, tmp_path: Path) -> None:
    messages, file = new_container(server), tmp_path / "b"
    messages.push(*(record(n) for n in range(20)))
    clean_container(messages, file)
    assert restore_container(messages, file, lost_server=True) == 20
    assert restore_container(messages, file, lost_server=True) == 0
    assert messages.count() == 20


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupError) as caught:
        backups.read_backup(tmp_path / "nowhere")
    message = "unreadable-file: FOLDER/nowhere: No such file or directory\n"
    message += "  next: name the file that --delete wrote"
    assert str(caught.value).replace(str(tmp_path), "FOLDER") == message


@pytest.mark.usefixtures("in_another_zone")
def test_a_header_says_what_was_to_be_taken_from_where() -> None:
    for everything, selection in ((True, "all"), (False, "old")):
        header = backups.build_header("redis", [("app", "regular"), ("app", "spam")], everything=everything)
        made_at = datetime.strptime(header.pop("made_at"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        assert abs(datetime.now(UTC) - made_at) < timedelta(minutes=1)
        assert str(uuid.UUID(header.pop("backup"))) != str(uuid.UUID(int=0))
        assert header == {
            "kind": "header",
            "store": "redis",
            "selection": selection,
            "containers": [
                {"firebase_app": "app", "container": "regular"},
                {"firebase_app": "app", "container": "spam"},
            ],
        }


def test_a_backup_is_written_as_it_is_read(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    path = tmp_path / "b"
    header = {**backups.build_header("redis", [(APP, "regular")], everything=False), **FIXED}
    writer = backups.BackupWriter(path, header)
    written = [[(b'{"a":"\xc3\xa4"}', "old"), (b"\xff", "unreadable")], [(b"{}", "new")]]
    assert [writer.append(APP, "regular", messages) for messages in written] == [0, 1]
    assert not backups.read_backup(path).complete
    writer.close()
    assert path.read_text(encoding="utf-8") == snapshot
    read = backups.read_backup(path)
    assert (read.id, read.header, read.complete) == (FIXED["backup"], header, True)
    assert [(chunk.number, chunk.messages) for chunk in read.chunks] == [(0, 2), (1, 1)]
    assert [(chunk.firebase_app, chunk.container) for chunk in read.chunks] == [(APP, "regular")] * 2
    assert [backups.read_messages(read, chunk) for chunk in read.chunks] == [
        [message for message, _ in messages] for messages in written
    ]


def test_what_a_script_put_into_a_backup_lies_on_disk_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    writer = backups.BackupWriter(
        tmp_path / "b", {**backups.build_header("redis", [(APP, "regular")], everything=True)}
    )
    file, folder = (tmp_path / "b").stat().st_ino, tmp_path.stat().st_ino
    assert synced == [file, folder]
    writer.append(APP, "regular", [(b"{}", "old")])
    assert synced == [file, folder, file]
    writer.abandon()
    assert not backups.read_backup(tmp_path / "b").complete
