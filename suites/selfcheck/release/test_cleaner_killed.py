"""While others push and pop, and whenever it is killed, the cleaner loses and doubles nothing."""

from __future__ import annotations

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
from suites.selfcheck.release.cleaner_process import all_of, command, fresh, ran, record, restored

pytestmark = pytest.mark.process

ROUNDS = int(os.environ.get("FCM_COMPAT_KILL_ROUNDS", "40"))
KILLED_MESSAGES = 400
STEP = 5
GO, INTERRUPTED = 0, 130


def test_ctrl_c_leaves_a_backup_that_restores(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    held = [record(n) for n in range(5000)]
    messages.push(*held)
    options = ["--delete", "--backup", "b", "--step", "2"]
    with started(command(redis_url, messages, *options), tmp_path) as process:
        while messages.count() == len(held) and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == INTERRUPTED
    assert not backups.read(tmp_path / "b").complete
    assert restored(messages, tmp_path / "b") > 0
    assert all_of(messages) == held


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
    messages = fresh(server)
    held = [record(n, new=n % 3 == 0) for n in range(3000)]
    messages.push(*held)
    app = messages.firebase_app
    with meanwhile(redis_url, app, push_until) as pushed, meanwhile(redis_url, app, pop_until) as popped:
        done = ran(command(redis_url, messages, "--delete", "--backup", "b", "--step", "20"), cwd=tmp_path)
    assert done.returncode == GO, done.stderr
    gone = cleaner.gone(backups.read(tmp_path / "b"), server)
    left = all_of(messages)
    assert min(map(len, (gone, left, pushed, popped))) > 0
    assert Counter([*gone, *left, *popped]) == Counter([*held, *pushed])
    order = {message: n for n, message in enumerate([*held, *pushed])}
    assert [order[message] for message in left] == sorted(order[message] for message in left)
    assert {message for message in gone if b'"v1"' in message} == set()
    restored(messages, tmp_path / "b")
    assert Counter([*all_of(messages), *popped]) == Counter([*held, *pushed])


@contextmanager
def meanwhile(
    url: str, app: str, work: Callable[[threading.Event, FirebaseMessages, list[bytes]], None]
) -> Iterator[list[bytes]]:
    """What somebody else does to a container, over a connection of their own, until the block ends."""
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
    """Push messages of both formats, as a writer that nobody told of the cleaner."""
    while not over.wait(0.001):
        message = record(100_000 + len(pushed), new=len(pushed) % 2 == 0)
        messages.push(message)
        pushed.append(message)


def pop_until(over: threading.Event, messages: FirebaseMessages, popped: list[bytes]) -> None:
    """Pop messages, as a sender that was not stopped."""
    while not over.wait(0.01):
        message = messages.pop()
        popped += [] if message is None else [message]


@pytest.mark.parametrize("number", range(ROUNDS), ids=lambda number: f"seed-{number}")
def test_kill_9_loses_and_doubles_nothing(redis_url: str, server: Any, tmp_path: Path, number: int) -> None:
    """FCM_COMPAT_KILL_ROUNDS says how many rounds there are."""
    chance = random.Random(number)  # noqa: S311  repeatable, not secret
    messages = fresh(server)
    held = [record(n, new=chance.random() < 0.3) for n in range(KILLED_MESSAGES)]
    messages.push(*held)
    files = [tmp_path / f"b{attempt}" for attempt in range(chance.choice((1, 2)))]
    with meanwhile(redis_url, messages.firebase_app, push_until) as pushed:
        for file in files:
            killed(redis_url, messages, ["--delete", "--backup", str(file)], file, chance)
    expected = Counter([*held, *pushed])
    written = [backups.read(file) for file in files if file.exists() and file.stat().st_size]
    gone = [message for backup in written for message in cleaner.gone(backup, server)]
    assert Counter([*all_of(messages), *gone]) == expected
    assert order_kept(messages, [*held, *pushed])
    for backup in written:
        put_back(redis_url, messages, backup, chance)
    assert Counter(all_of(messages)) == expected
    assert [cleaner.gone(backup, server) for backup in written] == [[]] * len(written)


def order_kept(messages: FirebaseMessages, before: list[bytes]) -> bool:
    """Whether what is left stands in the order that it had."""
    order = {message: n for n, message in enumerate(before)}
    places = [order[message] for message in all_of(messages)]
    return places == sorted(places)


@contextmanager
def to_be_killed(arguments: list[str], server: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The command, killed at the end of the block; what it had sent by then is through when this returns."""
    others = {client["id"] for client in server.client_list()}
    with started(arguments, Path.cwd()) as process:
        yield process
        process.send_signal(signal.SIGKILL)
    while {client["id"] for client in server.client_list()} - others:
        time.sleep(0.001)


def killed(
    url: str, messages: FirebaseMessages, options: list[str], file: Path, chance: random.Random
) -> None:
    """Run the command and kill it, most often while it works."""
    arguments = command(url, messages, "--step", str(STEP), *options)
    with to_be_killed(arguments, messages.server) as process:
        if chance.random() < 0.9:
            await_file(file, process)
            time.sleep(chance.uniform(0, 0.25))
        else:
            time.sleep(chance.uniform(0, 1))


def put_back(url: str, messages: FirebaseMessages, backup: Backup, chance: random.Random) -> None:
    """Restore twice to the end, often after a restore that was killed."""
    if chance.random() < 0.3:
        arguments = command(url, messages, "--restore", str(backup.path))
        with to_be_killed(arguments, messages.server) as process:
            before = messages.count()
            while (
                messages.count() == before
                and process.poll() is None
                and cleaner.gone(backup, messages.server)
            ):
                time.sleep(0.001)
    restored(messages, backup.path)
    assert restored(messages, backup.path) == 0
