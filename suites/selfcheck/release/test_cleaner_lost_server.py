"""A server that loses data in mid-run stops the run at once, and all that the backup holds can be put back.

What the server itself forgot is told apart: those messages were never in the backup.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.platform import redis_container
from fixtures.platform.redis_container import FirebaseMessages
from fixtures.platform.redis_server import run_redis
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import cleaner
from fixtures.release.cleanup.backup import BackupError
from fixtures.release.cleanup.steps import ServerChanged
from suites.selfcheck.release.cleaner_process import (
    cleaner_command,
    cleaner_options,
    new_container,
    read_all,
    record,
    restore_container,
    run_process,
    spam_container_of,
)
from suites.types import RunCommand

# Old and new ones, and twins of both.
HELD = [record(n % 190, new=n % 190 % 3 == 0) for n in range(200)]
CATCHES = [pytest.mark.catches(promise=promise) for promise in ("cleaner", "cleaner:lost-server")]
STEP = 20
SAVED_AT, LOST_AT = 60, 120


class CrashingServer:
    """A server that can be killed, and started again with what is in its data folder."""

    def __init__(self, stack: ExitStack, binary: Path, *options: str) -> None:
        self._stack, self._binary, self._options = stack, binary, options
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fcm-redis-")))
        self.saved = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fcm-saved-")))
        self._process = ExitStack()
        stack.callback(self._process.close)
        self.client = redis_container.connect(self._start())

    def _start(self) -> str:
        self._process = self._stack.enter_context(ExitStack())
        return self._process.enter_context(run_redis(*self._options, binary=self._binary, data=self.folder))

    def crash(self) -> None:
        """Kill it and start it again; its clients connect again with their next command."""
        self._process.close()
        self._start()
        self.client.connection_pool.disconnect()

    def keep_files(self) -> None:
        """Copy its data folder, as a disk holds what was synced to it."""
        shutil.copytree(self.folder, self.saved, dirs_exist_ok=True, ignore=lambda *_: ["redis.sock"])

    def lose_power(self) -> None:
        """Crash, and come back with the copy of the data folder."""
        self._process.close()
        shutil.rmtree(self.folder / "appendonlydir")
        shutil.copytree(self.saved, self.folder, dirs_exist_ok=True)
        self.crash()

    def become_another(self) -> None:
        """Crash, and come back with the data of another server."""
        self.crash()
        self.client.rpush("messages:of-another:regular", "a")


@dataclass(frozen=True)
class Loss:
    """How a server loses data: its options, when it saves, how it fails, and what is left of the run."""

    slug: str
    knows: int
    lose: Callable[[CrashingServer], None] = CrashingServer.crash
    options: tuple[str, ...] = ()
    saves_before: bool = False
    save: Callable[[CrashingServer], object] = lambda _: None
    holds: int = 0
    knows_the_run: bool = False


def save_rdb(server: CrashingServer) -> None:
    server.client.save()


def flush(server: CrashingServer) -> None:
    server.client.flushall()


AOF = ("--appendonly", "yes", "--appendfsync")
LOSSES = {
    "no-persistence": Loss("server-lost-data", 0),
    "replaced-by-an-empty-one": Loss("server-lost-data", 0, CrashingServer.become_another),
    "flushed": Loss("server-lost-data", 0, flush),
    "rdb-from-before": Loss("server-lost-data", 0, saves_before=True, holds=200),
    "rdb-of-the-run": Loss("server-lost-data", 40, save=save_rdb, holds=160, knows_the_run=True),
    "aof-everysec": Loss(
        *("server-lost-data", 40, CrashingServer.lose_power, (*AOF, "everysec")),
        save=CrashingServer.keep_files,
        holds=160,
        knows_the_run=True,
    ),
    "aof-always": Loss("server-restarted", 80, options=(*AOF, "always"), holds=120, knows_the_run=True),
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def clean_and_lose(
    server: CrashingServer, messages: FirebaseMessages, loss: Loss, run: cleaner.CleaningRun, lost_at: int
) -> str:
    """Clean until the server loses its data. Returns what the run says."""
    done = 0

    def count_and_lose(count: int) -> None:
        nonlocal done
        done += count
        if done == SAVED_AT:
            loss.save(server)
        if done == lost_at:
            loss.lose(server)

    with pytest.raises(ServerChanged) as caught:
        cleaner.clean([messages, spam_container_of(messages)], run, count_and_lose)
    assert caught.value.slug == loss.slug
    return str(caught.value)


@pytest.mark.parametrize(
    "loss",
    [pytest.param(loss, marks=CATCHES if name == "flushed" else ()) for name, loss in LOSSES.items()],
    ids=LOSSES,
)
def test_a_loss_stops_the_run_and_loses_and_doubles_nothing_of_the_backup(
    stack: ExitStack, binary: Path, tmp_path: Path, loss: Loss
) -> None:
    server = CrashingServer(stack, binary, *loss.options)
    messages = new_container(server.client)
    messages.push(*HELD)
    if loss.saves_before:
        save_rdb(server)
    run = cleaner.CleaningRun(everything=False, path=tmp_path / "b", step=STEP)
    text = clean_and_lose(server, messages, loss, run, LOST_AT)
    survivors, backup = Counter(read_all(messages)), backups.read_backup(tmp_path / "b")
    backed_up = Counter(
        message for chunk in backup.chunks for message in backups.read_messages(backup, chunk)
    )
    numbers = f"of the 80 messages that this run removed, it knows {loss.knows}, and it holds {loss.holds}"
    assert (run.removed[messages.key], backed_up.total(), survivors.total()) == (80, 80, loss.holds)
    assert numbers in text
    if loss.slug == "server-lost-data":
        assert "; the backup holds 80\n  next: add --lost-server to --restore" in text
    if not loss.knows_the_run:
        with pytest.raises(BackupError, match="unknown-backup"):
            restore_container(messages, tmp_path / "b")
    messages.push("later")
    restored = restore_container(messages, tmp_path / "b", lost_server=True)
    held = Counter(read_all(messages)) - Counter([b"later"])
    # A server that holds nothing forgot what was not in the backup: that is its own loss.
    assert held == (Counter(HELD) if loss.holds else backed_up)
    assert restored == (held - survivors).total()
    assert restore_container(messages, tmp_path / "b", lost_server=True) == 0
    assert Counter(read_all(messages)) == held + Counter([b"later"])


@pytest.mark.parametrize("lost_at", [200, 201])
@pytest.mark.parametrize("new", [True, False], ids=["nothing-removed", "all-removed"])
def test_a_loss_is_noticed_where_nothing_is_removed_any_more(
    stack: ExitStack, binary: Path, tmp_path: Path, lost_at: int, *, new: bool
) -> None:
    server = CrashingServer(stack, binary)
    messages = new_container(server.client)
    messages.push(*(record(n, new=new) for n in range(200)))
    spam_container_of(messages).push(record(1, new=True))
    run = cleaner.CleaningRun(everything=False, path=tmp_path / "b", step=STEP)
    loss = Loss("server-restarted" if new else "server-lost-data", 0)
    removed = 0 if new else 200
    expected = f"of the {removed} messages that this run removed, it knows 0, and it holds 0"
    assert expected in clean_and_lose(server, messages, loss, run, lost_at)


def test_a_loss_in_the_middle_of_a_restore_is_noticed(stack: ExitStack, binary: Path, tmp_path: Path) -> None:
    server = CrashingServer(stack, binary)
    messages = new_container(server.client)
    messages.push(*HELD)
    run = cleaner.CleaningRun(everything=True, path=tmp_path / "b", step=STEP)
    cleaner.clean([messages], run, lambda _: None)
    backup, countdown = backups.read_backup(tmp_path / "b"), [3]

    def crash_at_the_third(_: int) -> None:
        countdown[0] -= 1
        if not countdown[0]:
            server.crash()

    with pytest.raises(ServerChanged, match="server-changed"):
        cleaner.restore(backup, server.client, crash_at_the_third, lost_server=False)
    assert restore_container(messages, tmp_path / "b", lost_server=True) == len(HELD)
    assert Counter(read_all(messages)) == Counter(HELD)


@pytest.mark.catches(promise="cleaner")
@pytest.mark.catches(promise="cleaner:lost-server")
def test_messages_of_several_lost_chunks_are_put_back_as_often_as_they_lack(
    server: Any, tmp_path: Path
) -> None:
    messages = new_container(server)
    twin = record(1)
    messages.push(*[twin] * 9)
    run = cleaner.CleaningRun(everything=True, path=tmp_path / "b", step=2)
    cleaner.clean([messages], run, lambda _: None)
    server.flushall()
    messages.push(*[twin] * 4)
    assert restore_container(messages, tmp_path / "b", lost_server=True) == 5
    assert restore_container(messages, tmp_path / "b", lost_server=True) == 0
    assert read_all(messages) == [twin] * 9


def test_a_backup_of_an_older_version_is_named(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    header = backups.build_header("redis", [(messages.firebase_app, messages.kind)], everything=False)
    backups.BackupWriter(tmp_path / "b", header).close()
    for lost_server in (True, False):
        with pytest.raises(BackupError, match="other-backup"):
            restore_container(messages, tmp_path / "b", lost_server=lost_server)


@pytest.mark.process
def test_a_server_that_is_restarted_empty_is_69_and_restored(
    run_cleaner: RunCommand, stack: ExitStack, binary: Path, tmp_path: Path
) -> None:
    server = CrashingServer(stack, binary)
    messages = new_container(server.client)
    messages.push(*HELD)
    url = f"unix://{server.folder}/redis.sock"
    done = run_cleaner(*cleaner_options(url, messages, "--delete", "--backup", "b"))
    assert done.returncode == 0, done.stderr
    server.crash()
    refused = run_cleaner(*cleaner_options(url, messages, "--restore", "b"))
    assert "add --lost-server" in refused.stderr
    for restored in (132, 0):
        arguments = cleaner_command(url, messages, "--restore", "b", "--lost-server")
        done = run_process(arguments, cwd=tmp_path)
        assert f"restored {restored} of 132 messages" in done.stdout, done.stderr
    assert messages.count() == 132
