"""While others push and pop, and whenever it is killed, the cleaner loses and doubles nothing."""

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fixtures.platform import redis_container as container
from fixtures.platform.redis_container import FirebaseMessages
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import cleaner
from fixtures.release.cleanup.backup import Backup
from suites.selfcheck.release.cleaner_process import (
    cleaner_command,
    new_container,
    read_all,
    record,
    restore_container,
    run_process,
)

pytestmark = pytest.mark.process

ROUNDS = int(os.environ.get("FCM_COMPAT_KILL_ROUNDS", "40"))
BY_DAY = 4
KILLED_MESSAGES = 400
STEP = 5
GO, INTERRUPTED = 0, 130


def test_ctrl_c_leaves_a_backup_that_restores(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    held = [record(n) for n in range(5000)]
    messages.push(*held)
    options = ["--delete", "--backup", "b", "--step", "2"]
    with started(cleaner_command(redis_url, messages, *options), tmp_path) as process:
        while messages.count() == len(held) and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == INTERRUPTED
    assert not backups.read_backup(tmp_path / "b").complete
    assert restore_container(messages, tmp_path / "b") > 0
    assert read_all(messages) == held


@contextmanager
def started(arguments: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command while it runs; it does not outlive the block."""
    null = subprocess.DEVNULL
    with subprocess.Popen(arguments, cwd=folder, stdout=null, stderr=null) as process:  # noqa: S603  our own
        try:
            yield process
        finally:
            process.kill()


def await_file(file: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until the command has begun to write, or ended."""
    while not file.exists() and process.poll() is None:
        time.sleep(0.001)


def test_nothing_is_lost_while_others_push_and_pop(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    held = [record(n, new=n % 3 == 0) for n in range(3000)]
    messages.push(*held)
    app = messages.firebase_app
    with (
        running_beside(redis_url, app, push_until) as pushed,
        running_beside(redis_url, app, pop_until) as popped,
    ):
        done = run_process(
            cleaner_command(redis_url, messages, "--delete", "--backup", "b", "--step", "20"), cwd=tmp_path
        )
    assert done.returncode == GO, done.stderr
    gone = cleaner.list_removed(backups.read_backup(tmp_path / "b"), server)
    remaining = read_all(messages)
    assert min(map(len, (gone, remaining, pushed, popped))) > 0
    assert Counter([*gone, *remaining, *popped]) == Counter([*held, *pushed])
    order = {message: n for n, message in enumerate([*held, *pushed])}
    assert [order[message] for message in remaining] == sorted(order[message] for message in remaining)
    assert {message for message in gone if b'"v1"' in message} == set()
    restore_container(messages, tmp_path / "b")
    assert Counter([*read_all(messages), *popped]) == Counter([*held, *pushed])


@contextmanager
def running_beside(
    url: str, app: str, work: Callable[[threading.Event, FirebaseMessages, list[bytes]], None]
) -> Iterator[list[bytes]]:
    """Run another program's work on a container in a thread, until the block ends."""
    messages = FirebaseMessages(firebase_app=app, server=container.connect(url))
    over, did = threading.Event(), list[bytes]()
    thread = threading.Thread(target=work, args=(over, messages, did))
    thread.start()
    try:
        yield did
    finally:
        over.set()
        thread.join()
        messages.server.close()


def push_until(over: threading.Event, messages: FirebaseMessages, pushed: list[bytes]) -> None:
    """Push messages of both formats, as a writer that was not stopped."""
    while not over.wait(0.001):
        message = record(100_000 + len(pushed), new=len(pushed) % 2 == 0)
        messages.push(message)
        pushed.append(message)


def pop_until(over: threading.Event, messages: FirebaseMessages, popped: list[bytes]) -> None:
    """Pop messages, as a sender that was not stopped."""
    while not over.wait(0.01):
        message = messages.pop()
        popped += [] if message is None else [message]


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, id=f"seed-{number}", marks=() if number < BY_DAY else pytest.mark.nightly)
        for number in range(ROUNDS)
    ],
)
def test_kill_9_loses_and_doubles_nothing(redis_url: str, server: Any, tmp_path: Path, number: int) -> None:
    """FCM_COMPAT_KILL_ROUNDS says how many rounds there are."""
    chance = random.Random(number)  # noqa: S311  repeatable, not secret
    messages = new_container(server)
    held = [record(n, new=chance.random() < 0.3) for n in range(KILLED_MESSAGES)]
    messages.push(*held)
    files = [tmp_path / f"b{attempt}" for attempt in range(chance.choice((1, 2)))]
    with running_beside(redis_url, messages.firebase_app, push_until) as pushed:
        for file in files:
            kill_midway(redis_url, messages, ["--delete", "--backup", str(file)], file, chance)
    expected = Counter([*held, *pushed])
    written = [backups.read_backup(file) for file in files if file.exists() and file.stat().st_size]
    gone = [message for backup in written for message in cleaner.list_removed(backup, server)]
    assert Counter([*read_all(messages), *gone]) == expected
    assert is_in_order(messages, [*held, *pushed])
    for backup in written:
        put_back(redis_url, messages, backup, chance)
    assert Counter(read_all(messages)) == expected
    assert [cleaner.list_removed(backup, server) for backup in written] == [[]] * len(written)


def is_in_order(messages: FirebaseMessages, before: list[bytes]) -> bool:
    """Whether the remaining messages are in their earlier order."""
    order = {message: n for n, message in enumerate(before)}
    positions = [order[message] for message in read_all(messages)]
    return positions == sorted(positions)


@contextmanager
def to_be_killed(arguments: list[str], server: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The command, killed at the end of the block. On return, Redis has handled everything it had sent."""
    other_clients = {client["id"] for client in server.client_list()}
    with started(arguments, Path.cwd()) as process:
        yield process
        process.send_signal(signal.SIGKILL)
    while {client["id"] for client in server.client_list()} - other_clients:
        time.sleep(0.001)


def kill_midway(
    url: str, messages: FirebaseMessages, options: list[str], file: Path, chance: random.Random
) -> None:
    """Run the command and kill it, most often while it works."""
    arguments = cleaner_command(url, messages, "--step", str(STEP), *options)
    with to_be_killed(arguments, messages.server) as process:
        if chance.random() < 0.9:
            await_file(file, process)
            time.sleep(chance.uniform(0, 0.25))
        else:
            time.sleep(chance.uniform(0, 1))


def put_back(url: str, messages: FirebaseMessages, backup: Backup, chance: random.Random) -> None:
    """Restore twice to the end, often after a restore that was killed."""
    if chance.random() < 0.3:
        arguments = cleaner_command(url, messages, "--restore", str(backup.path))
        with to_be_killed(arguments, messages.server) as process:
            before = messages.count()
            while (
                messages.count() == before
                and process.poll() is None
                and cleaner.list_removed(backup, messages.server)
            ):
                time.sleep(0.001)
    restore_container(messages, backup.path)
    assert restore_container(messages, backup.path) == 0
