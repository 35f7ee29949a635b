"""A backup that is damaged, cut off or of another server restores exactly what it may."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures import backup as backups
from fixtures import cleaner
from fixtures.backup import BadBackup
from suites.selfcheck.containers import all_of, cleaned, fresh, record, restored

pytestmark = pytest.mark.aside

OLD = record(1)


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
