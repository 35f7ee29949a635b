"""The cleaner's command as people run it: what it says, what it does and what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from fixtures.core import topology
from fixtures.platform.redis_container import FirebaseMessages
from fixtures.release.cleanup import backup as backups
from suites.selfcheck.release.cleaner_process import (
    cleaner_options,
    new_container,
    read_all,
    record,
    spam_container_of,
)
from suites.types import RunCommand

pytestmark = pytest.mark.process

GO, USAGE, DATA, UNAVAILABLE = 0, 64, 65, 69


def held_by(messages: FirebaseMessages) -> list[bytes]:
    """Old, new and unreadable messages put into a container."""
    held = [b"unreadable", *(record(n, new=n % 3 == 0) for n in range(60))]
    messages.push(*held)
    return held


def test_it_shows_what_it_would_do_and_changes_nothing(
    run_cleaner: RunCommand, redis_url: str, server: Any, tmp_path: Path
) -> None:
    messages = new_container(server)
    held = held_by(messages)
    done = run_cleaner(*cleaner_options(redis_url, messages))
    assert (done.returncode, done.stderr, read_all(messages)) == (GO, "", held)
    assert "would remove 40 of 61" in done.stdout
    assert "Nothing was changed; add --delete to do it." in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["old", "0", "0", "0", "40", "0", "40"] in rows
    assert ["new", "0", "0", "0", "20", "0", "20"] in rows
    assert ["unreadable", "0", "0", "0", "0", "1", "1"] in rows
    assert list(tmp_path.iterdir()) == []


def test_it_deletes_and_restores_once(
    run_cleaner: RunCommand, redis_url: str, server: Any, tmp_path: Path
) -> None:
    messages = new_container(server)
    held = held_by(messages)
    done = run_cleaner(*cleaner_options(redis_url, messages, "--delete"))
    (file,) = (tmp_path / "messages-container-backups").glob("*.ndjson")
    assert (done.returncode, messages.count()) == (GO, 21)
    assert f"--restore {file}" in done.stdout
    for line in ("restored 40 of 40 messages", "restored 0 of 40 messages; the others were restored before"):
        done = run_cleaner(*cleaner_options(redis_url, messages, "--restore", str(file)))
        assert (done.returncode, sorted(read_all(messages))) == (GO, sorted(held))
        assert line in done.stdout


@pytest.mark.parametrize(("kind", "remaining"), [("regular", (0, 61)), ("spam", (61, 0)), ("both", (0, 0))])
def test_it_cleans_the_kinds_it_is_told(
    run_cleaner: RunCommand,
    redis_url: str,
    server: Any,
    kind: str,
    remaining: tuple[int, int],
) -> None:
    regular = new_container(server)
    spam = spam_container_of(regular)
    held_by(regular)
    held_by(spam)
    done = run_cleaner(*cleaner_options(redis_url, regular, "--kind", kind, "--all", "--delete"))
    assert (done.returncode, (regular.count(), spam.count())) == (GO, remaining)


def test_the_app_of_the_release_is_the_default(
    run_cleaner: RunCommand, redis_url: str, server: Any, tmp_path: Path
) -> None:
    messages = FirebaseMessages(firebase_app=topology.read_firebase_app(), server=server)
    held_by(messages)
    options = ["--delete", "--backup", "b.ndjson"]
    assert run_cleaner("--redis-url", redis_url, *options).returncode == GO
    assert messages.count() == 21
    assert backups.read_backup(tmp_path / "b.ndjson").complete
    messages.reset()


def test_a_long_container_shows_progress(
    run_cleaner: RunCommand,
    redis_url: str,
    server: Any,
) -> None:
    messages = new_container(server)
    messages.push(*(b"{}" for _ in range(20_000)))
    done = run_cleaner(*cleaner_options(redis_url, messages, "--delete"))
    assert done.stderr.splitlines()[-1] == "cleaning: 20000 of 20000 messages"
    assert len(done.stderr.splitlines()) <= 10


REFUSALS: dict[str, tuple[list[str], int, str]] = {
    "wrong-scheme": (
        ["--redis-url", "http://127.0.0.1:6379"],
        USAGE,
        "bad-redis-url: 'http://127.0.0.1:6379'",
    ),
    "no-server": (
        ["--redis-url", "redis://127.0.0.1:1"],
        UNAVAILABLE,
        "unreachable-redis: redis://127.0.0.1:1",
    ),
    "far-host": (
        ["--redis-url", "redis://redis.example"],
        USAGE,
        "--confirm is not given\n  next: if you mean it, add --confirm redis.example",
    ),
    "far-host-misspelt": (
        ["--redis-url", "redis://redis.example", "--confirm", "redis.exmaple"],
        USAGE,
        "unconfirmed-host: 'redis.example': it is not this machine, and --confirm says 'redis.exmaple'",
    ),
    "bad-app": (["--firebase-app", "mine"], USAGE, "bad-firebase-app: 'mine': allowed: a UUID"),
    "bad-kind": (["--kind", "junk"], USAGE, "allowed: regular, spam, both"),
    "both-ways": (["--delete", "--restore", "x"], USAGE, "not allowed with argument"),
    "all-and-old": (["--all", "--only-old-format"], USAGE, "not allowed with argument"),
    "lost-without-restore": (["--lost-server"], USAGE, "--lost-server goes with --restore FILE only"),
    "backup-without-delete": (["--backup", "x"], USAGE, "--backup goes with --delete only"),
    "url-of-a-project": (
        ["--django", "a", "--redis-url", "redis://127.0.0.1:1"],
        USAGE,
        "do not go with --django",
    ),
    "confirm-of-a-project": (["--django", "a", "--confirm", "b"], USAGE, "do not go with --django"),
    "no-step": (["--step", "0"], USAGE, "--step takes a whole number of 1 or more"),
}


@pytest.mark.parametrize(("options", "code", "error"), REFUSALS.values(), ids=REFUSALS)
def test_it_refuses_by_name(
    run_cleaner: RunCommand, options: list[str], code: int, error: str, tmp_path: Path
) -> None:
    done = run_cleaner(*options)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (code, "", [])
    assert error in done.stderr
    assert "next: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_backup_is_65(run_cleaner: RunCommand, redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    held_by(messages)
    run_cleaner(*cleaner_options(redis_url, messages, "--delete", "--backup", "b"))
    undamaged = (tmp_path / "b").read_text(encoding="utf-8")
    (tmp_path / "b").write_text(undamaged.replace("token-1", "token-2", 1), encoding="utf-8")
    done = run_cleaner(*cleaner_options(redis_url, messages, "--restore", "b"))
    assert (done.returncode, messages.count()) == (DATA, 21)
    assert f"damaged-backup: {tmp_path / 'b'}: chunk 0 does not match its digest; nothing was" in done.stderr


def test_a_backup_of_another_app_is_65(
    run_cleaner: RunCommand,
    redis_url: str,
    server: Any,
) -> None:
    messages, other = new_container(server), new_container(server)
    held_by(messages)
    run_cleaner(*cleaner_options(redis_url, messages, "--delete", "--backup", "b"))
    done = run_cleaner(*cleaner_options(redis_url, other, "--restore", "b"))
    assert (done.returncode, messages.count(), other.count()) == (DATA, 21, 0)
    assert "backup-of-another-app" in done.stderr
    assert f"next: --firebase-app {messages.firebase_app} --kind both" in done.stderr
