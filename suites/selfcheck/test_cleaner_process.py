"""The cleaner's command as people run it: what it says, what it refuses, and what outlives a kill -9."""

from __future__ import annotations

import json
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

from fixtures import backup as backups
from fixtures import cleaner, container, topology
from fixtures.backup import Backup
from fixtures.container import FirebaseMessages
from suites.selfcheck.containers import COMMAND, all_of, command, fresh, ran, record, restored, spam_of

pytestmark = pytest.mark.process

ROUNDS = int(os.environ.get("FCM_COMPAT_KILL_ROUNDS", "40"))
KILLED_MESSAGES = 400
STEP = 5
GO, USAGE, DATA, UNAVAILABLE, INTERRUPTED = 0, 64, 65, 69, 130


def held_by(messages: FirebaseMessages) -> list[bytes]:
    """Old, new and unreadable messages put into a container."""
    held = [b"unreadable", *(record(n, new=n % 3 == 0) for n in range(60))]
    messages.push(*held)
    return held


def test_it_shows_what_it_would_do_and_changes_nothing(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    held = held_by(messages)
    done = ran(command(redis_url, messages), cwd=tmp_path)
    assert (done.returncode, done.stderr, all_of(messages)) == (GO, "", held)
    assert "would remove 40 of 61" in done.stdout
    assert "Nothing was changed; add --delete to do it." in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["old", "0", "0", "0", "40", "0", "40"] in rows
    assert ["new", "0", "0", "0", "20", "0", "20"] in rows
    assert ["unreadable", "0", "0", "0", "0", "1", "1"] in rows
    assert list(tmp_path.iterdir()) == []


def test_it_deletes_and_restores_once(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    held = held_by(messages)
    done = ran(command(redis_url, messages, "--delete"), cwd=tmp_path)
    (file,) = tmp_path.iterdir()
    assert (done.returncode, messages.count()) == (GO, 21)
    assert f"--restore {file}" in done.stdout
    for said in ("restored 40 of 40 messages", "restored 0 of 40 messages; the others were restored before"):
        done = ran(command(redis_url, messages, "--restore", file.name), cwd=tmp_path)
        assert (done.returncode, sorted(all_of(messages))) == (GO, sorted(held))
        assert said in done.stdout


@pytest.mark.parametrize(("kind", "left"), [("regular", (0, 61)), ("spam", (61, 0)), ("both", (0, 0))])
def test_it_cleans_the_kinds_it_is_told(
    redis_url: str, server: Any, tmp_path: Path, kind: str, left: tuple[int, int]
) -> None:
    regular = fresh(server)
    spam = spam_of(regular)
    held_by(regular)
    held_by(spam)
    done = ran(command(redis_url, regular, "--kind", kind, "--all", "--delete"), cwd=tmp_path)
    assert (done.returncode, (regular.count(), spam.count())) == (GO, left)


def test_the_app_of_the_release_is_the_default(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = FirebaseMessages(firebase_app=topology.firebase_app(), server=server)
    held_by(messages)
    options = ["--delete", "--backup", "b.ndjson"]
    assert ran([COMMAND, "--redis-url", redis_url, *options], cwd=tmp_path).returncode == GO
    assert messages.count() == 21
    assert backups.read(tmp_path / "b.ndjson").complete
    messages.reset()


def test_a_long_container_shows_progress(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    messages.push(*(b"{}" for _ in range(20_000)))
    done = ran(command(redis_url, messages, "--delete"), cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == "cleaning: 20000 of 20000 messages"
    assert len(done.stderr.splitlines()) <= 10


REFUSALS: dict[str, tuple[list[str], int, str]] = {
    "wrong-scheme": (
        ["--redis-url", "http://127.0.0.1:6379"],
        USAGE,
        "bad-redis-url: 'http://127.0.0.1:6379'",
    ),
    "nobody-there": (
        ["--redis-url", "redis://127.0.0.1:1"],
        UNAVAILABLE,
        "unreachable-redis: redis://127.0.0.1:1",
    ),
    "far-host": (
        ["--redis-url", "redis://redis.example"],
        USAGE,
        "next: if you mean it, add --confirm redis.example",
    ),
    "far-host-misspelt": (
        ["--redis-url", "redis://redis.example", "--confirm", "redis.exmaple"],
        USAGE,
        "unconfirmed-host: 'redis.example': it is not this machine, and --confirm says 'redis.exmaple'",
    ),
    "bad-app": (["--firebase-app", "mine"], USAGE, "bad-firebase-app: 'mine': allowed: a UUID"),
    "bad-kind": (["--kind", "junk"], USAGE, "'regular', 'spam', 'both'"),
    "both-ways": (["--delete", "--restore", "x"], USAGE, "not allowed with argument"),
    "all-and-old": (["--all", "--only-old-format"], USAGE, "not allowed with argument"),
    "lost-without-restore": (["--lost-server"], USAGE, "--lost-server goes with --restore FILE only"),
    "backup-without-delete": (["--backup", "x"], USAGE, "--backup goes with --delete only"),
    "no-step": (["--step", "0"], USAGE, "--step takes a whole number of 1 or more"),
}


@pytest.mark.parametrize(("options", "code", "said"), REFUSALS.values(), ids=REFUSALS)
def test_it_refuses_by_name(options: list[str], code: int, said: str, tmp_path: Path) -> None:
    done = ran([COMMAND, *options], cwd=tmp_path)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (code, "", [])
    assert said in done.stderr
    assert "next: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_backup_is_65(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    held_by(messages)
    ran(command(redis_url, messages, "--delete", "--backup", "b"), cwd=tmp_path)
    whole = (tmp_path / "b").read_text(encoding="utf-8")
    (tmp_path / "b").write_text(whole.replace("token-1", "token-2", 1), encoding="utf-8")
    done = ran(command(redis_url, messages, "--restore", "b"), cwd=tmp_path)
    assert (done.returncode, messages.count()) == (DATA, 21)
    assert f"damaged-backup: {tmp_path / 'b'}: chunk 0 does not match its digest; nothing was" in done.stderr


def test_a_backup_of_another_app_is_65(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages, other = fresh(server), fresh(server)
    held_by(messages)
    ran(command(redis_url, messages, "--delete", "--backup", "b"), cwd=tmp_path)
    done = ran(command(redis_url, other, "--restore", "b"), cwd=tmp_path)
    assert (done.returncode, messages.count(), other.count()) == (DATA, 21, 0)
    assert "backup-of-another-app" in done.stderr
    assert f"next: --firebase-app {messages.firebase_app} --kind both" in done.stderr


def test_ctrl_c_leaves_a_backup_that_restores(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = fresh(server)
    held = [record(n) for n in range(5000)]
    messages.push(*held)
    options = ["--delete", "--backup", "b", "--step", "2"]
    with started(command(redis_url, messages, *options), tmp_path) as process:
        await_file(tmp_path / "b", process)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == INTERRUPTED
    assert not backups.read(tmp_path / "b").complete
    restored(messages, tmp_path / "b")
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


MODELS = """
import json, pathlib
STORE = pathlib.Path(__file__).with_name("store.json")
class FirebaseMessages:
    name = "regular"
    def __init__(self, firebase_app): self.key = firebase_app + self.name
    def _all(self): return json.loads(STORE.read_text())
    def _put(self, held): STORE.write_text(json.dumps(held))
    def reset(self): self._put(self._all() | {self.key: []})
"""
SEEING = """
    def count(self): return len(self._all().get(self.key, []))
    def peek(self, count): return self._all().get(self.key, [])[:count]
    def push(self, message): self._put(self._all() | {self.key: [*self._all().get(self.key, []), message]})
"""
SPAM = """
class FirebaseSpamMessages(FirebaseMessages):
    name = "spam"
"""


class Project:
    """A small project such as a Django one, and its containers."""

    def __init__(self, folder: Path, models: str) -> None:
        self.folder, self.app = folder, topology.firebase_app()
        package = folder / "apps" / "messages"
        package.mkdir(parents=True)
        for init in (package.parent / "__init__.py", package / "__init__.py"):
            init.touch()
        (package / "models.py").write_text(models, encoding="utf-8")
        self.store = package / "store.json"
        self.hold([], [])

    def hold(self, regular: list[bytes], spam: list[bytes]) -> None:
        """Put messages into both containers."""
        texts = {"regular": [m.decode() for m in regular], "spam": [m.decode() for m in spam]}
        self.store.write_text(json.dumps({f"{self.app}{kind}": held for kind, held in texts.items()}))

    def held(self) -> tuple[list[str], list[str]]:
        """What is in both containers."""
        found = json.loads(self.store.read_text())
        return found[f"{self.app}regular"], found[f"{self.app}spam"]

    def ran(self, *options: str) -> subprocess.CompletedProcess[str]:
        """The command, in the project's folder."""
        return ran([COMMAND, "--django", "apps.messages.models", *options], cwd=self.folder)


def test_in_a_django_project_its_own_reset_is_used(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + SPAM)
    project.hold([record(1), record(2)], [record(3)])
    before = project.held()
    shown = project.ran()
    assert (shown.returncode, project.held()) == (GO, before), shown.stderr
    assert "would remove 2" in shown.stdout
    assert project.ran("--delete", "--backup", "b").returncode == GO
    assert project.held() == ([], [])
    assert backups.read(tmp_path / "b").header["store"] == "django"
    for _ in range(2):
        assert project.ran("--restore", "b").returncode == GO
        assert project.held() == before


def test_reset_is_refused_where_it_takes_what_must_stay(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + SPAM)
    project.hold([record(1), record(2, new=True)], [])
    before = project.held()
    refused = project.ran("--delete")
    assert (refused.returncode, project.held()) == (USAGE, before)
    assert "reset-takes-all" in refused.stderr
    assert project.ran("--delete", "--all", "--backup", "b").returncode == GO
    assert project.held() == ([], [])
    assert len(backups.read(tmp_path / "b").chunks) == 1


def test_reset_of_what_cannot_be_seen_asks_for_all(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SPAM)
    project.hold([record(1)], [])
    refused = project.ran("--delete")
    assert (refused.returncode, len(project.held()[0])) == (USAGE, 1)
    assert "unseen-container" in refused.stderr
    done = project.ran("--delete", "--all")
    assert (done.returncode, project.held()) == (GO, ([], []))
    assert "reset, without a backup" in done.stdout


@pytest.mark.parametrize(
    ("models", "slug"),
    [("import nowhere", "unknown-module"), ("", "unknown-class"), (MODELS, "unknown-class")],
    ids=["cannot-be-imported", "no-class", "one-class"],
)
def test_a_module_without_the_classes_is_named(tmp_path: Path, models: str, slug: str) -> None:
    done = Project(tmp_path, models).ran("--delete", "--all")
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert f"{slug}: 'apps.messages.models'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_projects_own_python_can_run_it(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + SPAM)
    project.hold([record(1)], [])
    bare = {**os.environ, "PYTHON": "python3"}
    done = ran(
        [COMMAND, "--django", "apps.messages.models", "--delete", "--backup", "b"], cwd=tmp_path, env=bare
    )
    assert (done.returncode, project.held()) == (GO, ([], [])), done.stderr
