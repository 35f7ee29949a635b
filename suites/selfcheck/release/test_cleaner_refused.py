"""A server that refuses a command loses no message: the cleaner first proves each command that it needs."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fixtures.platform import redis_container
from fixtures.platform.redis_container import ContainerError, FirebaseMessages, RedisUnavailable
from fixtures.platform.redis_server import run_redis
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import cleaner
from suites.selfcheck.release.cleaner_process import (
    clean_container,
    cleaner_options,
    new_container,
    read_all,
    record,
    restore_container,
    spam_container_of,
)
from suites.types import RunCommand

NEEDED = (
    *("EVAL", "INFO", "SCAN", "HGETALL", "HGET", "HSET", "HDEL", "EXPIRE"),
    *("LLEN", "LINDEX", "LPOS", "LRANGE", "LMOVE", "LSET", "LREM", "LPUSH", "LPOP"),
)
NOT_NEEDED = ("RPUSH", "RPOP", "RENAME", "DEL", "UNLINK", "HSETNX", "EVALSHA", "KEYS", "MULTI", "CONFIG")
HELD = [record(n, new=n % 3 == 0) for n in range(50)]
UNAVAILABLE = 69


def fill(server: Any) -> FirebaseMessages:
    """A container that holds old and new messages."""
    messages = new_container(server)
    messages.push(*HELD)
    return messages


@contextmanager
def limited(messages: FirebaseMessages, *rules: str) -> Iterator[FirebaseMessages]:
    """The same container for a user with these rules."""
    messages.server.execute_command("ACL", "SETUSER", "limited", "reset", "on", "nopass", "+@all", *rules)
    path = messages.server.connection_pool.connection_kwargs["path"]
    server = redis_container.connect(f"unix://limited:any@{path}")
    yield FirebaseMessages(firebase_app=messages.firebase_app, server=server)
    server.close()


def assert_untouched(messages: FirebaseMessages, file: Path, renamed: str = "") -> None:
    """The server holds the list as it was and nothing else, and there is no backup."""
    lrange, scan = ("RENAMED" if renamed == name else name for name in ("LRANGE", "SCAN"))
    assert messages.server.execute_command(lrange, messages.key, 0, -1) == HELD
    assert messages.server.execute_command(scan, 0, "COUNT", 99)[1] == [messages.key.encode()]
    assert not file.exists()


@pytest.mark.catches(promise="cleaner")
@pytest.mark.catches(promise="cleaner:proof")
def test_a_user_without_a_command_is_refused_by_its_name(binary: Path, tmp_path: Path) -> None:
    with run_redis(binary=binary) as url:
        messages = fill(redis_container.connect(url))
        for command in NEEDED:
            with limited(messages, "~*", f"-{command}") as for_user, pytest.raises(ContainerError) as caught:
                clean_container(for_user, tmp_path / "b")
            assert (caught.value.slug, caught.value.value) == ("command-refused", command)
            assert "nothing was changed" in caught.value.problem
            assert_untouched(messages, tmp_path / "b")


def test_commands_that_are_not_needed_may_be_refused(binary: Path, tmp_path: Path) -> None:
    with run_redis(binary=binary) as url:
        messages = fill(redis_container.connect(url))
        rules = [f"-{command}" for command in NOT_NEEDED]
        with limited(messages, f"~messages:{messages.firebase_app}:*", *rules) as for_user:
            removed = clean_container(for_user, tmp_path / "b")
            assert removed == restore_container(for_user, tmp_path / "b") > 0
        assert sorted(read_all(messages)) == sorted(HELD)


@pytest.mark.parametrize("keys", ["~other:*", "%R~*", "~messages:*:regular"])
def test_a_user_without_the_keys_is_refused(binary: Path, tmp_path: Path, keys: str) -> None:
    with run_redis(binary=binary) as url:
        messages = fill(redis_container.connect(url))
        with limited(messages, keys) as for_user, pytest.raises(ContainerError) as caught:
            clean_container(for_user, tmp_path / "b")
        assert (caught.value.slug, caught.value.value) == ("command-refused", "EVAL")
        assert_untouched(messages, tmp_path / "b")


@pytest.mark.parametrize(
    ("command", "name"),
    [*((command, "RENAMED") for command in NEEDED), ("EVAL", ""), ("LREM", ""), ("HSET", "")],
)
def test_a_server_without_a_command_is_refused_by_its_name(
    binary: Path, tmp_path: Path, command: str, name: str
) -> None:
    with run_redis("--rename-command", command, name, binary=binary) as url:
        messages = fill(redis_container.connect(url))
        with pytest.raises(ContainerError) as caught:
            clean_container(messages, tmp_path / "b")
        assert (caught.value.slug, caught.value.value) == ("command-refused", command)
        assert_untouched(messages, tmp_path / "b", command if name else "")


def test_a_command_under_the_name_of_another_is_refused(binary: Path, tmp_path: Path) -> None:
    swapped = ["--rename-command", "LREM", "OTHER", "--rename-command", "LTRIM", "LREM"]
    with run_redis(*swapped, binary=binary) as url:
        messages = fill(redis_container.connect(url))
        with pytest.raises(ContainerError) as caught:
            clean_container(messages, tmp_path / "b")
        assert (caught.value.slug, caught.value.value) == ("command-refused", "LREM")
        assert_untouched(messages, tmp_path / "b")


@pytest.mark.parametrize(
    ("settings", "slug"),
    [
        (["REPLICAOF", "127.0.0.1", "1"], "read-only-replica"),
        (["CONFIG", "SET", "maxmemory", "1"], "server-memory-full"),
        (["CONFIG", "SET", "min-replicas-to-write", "1"], "command-refused"),
    ],
)
def test_a_server_that_takes_no_writes_is_refused(
    binary: Path, tmp_path: Path, settings: list[str], slug: str
) -> None:
    with run_redis(binary=binary) as url:
        server = redis_container.connect(url)
        messages = fill(server)
        server.execute_command(*settings)
        with pytest.raises(RedisUnavailable) as caught:
            clean_container(messages, tmp_path / "b")
        assert caught.value.slug == slug
        assert_untouched(messages, tmp_path / "b")
        assert cleaner.count_container(messages, lambda _: None).total() == len(HELD)


@pytest.mark.process
def test_a_refusal_is_69(run_cleaner: RunCommand, tmp_path: Path) -> None:
    with run_redis() as url:
        messages = fill(redis_container.connect(url))
        messages.server.execute_command("ACL", "SETUSER", "default", "-LREM")
        done = run_cleaner(*cleaner_options(url, messages, "--delete", "--backup", "b"))
        assert done.returncode == UNAVAILABLE
        assert "command-refused: LREM: the server refuses it:" in done.stderr
        assert "next: allow this user the command on messages:*" in done.stderr
        assert_untouched(messages, tmp_path / "b")


CATCHES_UNDO = [pytest.mark.catches(promise=promise) for promise in ("cleaner", "cleaner:undo")]


@pytest.mark.parametrize(
    "commands",
    [("LMOVE",), ("LSET",), ("HSET",), pytest.param(("LREM",), marks=CATCHES_UNDO), ("LREM", "HDEL")],
)
def test_a_step_that_fails_after_the_proof_is_undone(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commands: tuple[str, ...]
) -> None:
    append = backups.BackupWriter.append
    with run_redis(binary=binary) as url:
        messages = fill(redis_container.connect(url))

        def append_and_forbid(writer: backups.BackupWriter, *arguments: Any) -> int:
            if writer.chunks == 2:
                messages.server.execute_command("ACL", "SETUSER", "limited", *(f"-{c}" for c in commands))
            return append(writer, *arguments)

        with limited(messages, "~*") as for_user, monkeypatch.context() as patch:
            patch.setattr(backups.BackupWriter, "append", append_and_forbid)
            with pytest.raises(RedisUnavailable) as caught:
                clean_container(for_user, tmp_path / "b")
        assert caught.value.slug == "step-failed"
        assert f"{commands[0]}: " in caught.value.problem
        noted = "HDEL" in commands
        assert (
            "The chunk is noted as removed in" if noted else "the step was undone"
        ) in caught.value.problem
        assert "it is chunk 2 of the backup" in caught.value.problem
        backup = backups.read_backup(tmp_path / "b")
        chunks = [backups.read_messages(backup, chunk) for chunk in backup.chunks]
        gone = {message for chunk in chunks[:2] for message in chunk}
        assert read_all(messages) == [message for message in HELD if message not in gone]
        if not noted:
            assert restore_container(messages, tmp_path / "b") == len(gone)
            assert sorted(read_all(messages)) == sorted(HELD)


@pytest.mark.parametrize("command", ["LPUSH", "HSET"])
def test_a_restore_that_fails_after_the_proof_is_undone(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    with run_redis(binary=binary) as url:
        messages = fill(redis_container.connect(url))
        removed = clean_container(messages, tmp_path / "b")
        staying = read_all(messages)
        read_messages = backups.read_messages

        def read_and_forbid(*arguments: Any) -> list[bytes]:
            messages.server.execute_command("ACL", "SETUSER", "limited", f"-{command}")
            return read_messages(*arguments)

        with limited(messages, "~*") as for_user, monkeypatch.context() as patch:
            patch.setattr(backups, "read_messages", read_and_forbid)
            with pytest.raises(RedisUnavailable, match=r"step-failed: .*the step was undone"):
                restore_container(for_user, tmp_path / "b")
        assert read_all(messages) == staying
        assert restore_container(messages, tmp_path / "b") == removed


def test_a_server_that_is_all_of_a_cluster_is_cleaned(binary: Path, tmp_path: Path) -> None:
    with run_node(binary) as server:
        server.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        await_cluster(server)
        messages = fill(server)
        removed = clean_container(messages, tmp_path / "b")
        assert removed == restore_container(messages, tmp_path / "b") > 0
        assert sorted(read_all(messages)) == sorted(HELD)


def test_a_container_on_another_node_of_a_cluster_is_named(binary: Path, tmp_path: Path) -> None:
    with run_node(binary) as server, run_node(binary) as other:
        messages = FirebaseMessages(firebase_app="04a4177e-d2a0-4372-bd59-0a417597e5a3", server=server)
        slot = server.execute_command("CLUSTER", "KEYSLOT", messages.key)
        server.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, slot - 1, slot + 1, 16383)
        other.execute_command("CLUSTER", "ADDSLOTS", slot)
        settings = other.config_get("*port")
        port = settings["port"]
        server.execute_command("CLUSTER", "MEET", "127.0.0.1", port, settings["cluster-port"])
        await_cluster(server)
        await_cluster(other)
        spam = spam_container_of(messages)
        spam.push(*HELD)
        run = cleaner.CleaningRun(everything=True, path=tmp_path / "b")
        with pytest.raises(RedisUnavailable, match="other-cluster-node") as caught:
            cleaner.clean([spam, messages], run, lambda _: None)
        assert caught.value.next_step.startswith(f"give --kind and --redis-url redis://127.0.0.1:{port}: ")
        assert_untouched(spam, tmp_path / "b")


@contextmanager
def run_node(binary: Path) -> Iterator[Any]:
    """A client of a server in cluster mode, which serves no slot yet."""
    with socket.socket() as free, socket.socket() as free_bus:
        free.bind(("127.0.0.1", 0))
        free_bus.bind(("127.0.0.1", 0))
        port, bus = free.getsockname()[1], free_bus.getsockname()[1]
    options = ["--bind", "127.0.0.1", "--port", str(port), "--cluster-port", str(bus)]
    with run_redis("--cluster-enabled", "yes", *options, binary=binary) as url:
        server = redis_container.connect(url)
        yield server
        server.close()


def await_cluster(server: Any) -> None:
    """Wait until a node serves."""
    deadline = time.monotonic() + 20
    while b"cluster_state:ok" not in server.execute_command("CLUSTER", "INFO", NEVER_DECODE=True):
        assert time.monotonic() < deadline
        time.sleep(0.05)


ASIDE = "messages:{app}:cleaned:00000000-0000-0000-0000-000000000001:aside"


@pytest.mark.catches(promise="cleaner")
@pytest.mark.catches(promise="cleaner:aside")
def test_what_an_earlier_version_set_aside_is_put_back_first(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    spam = spam_container_of(messages)
    set_aside = [record(n, new=True, spam=True) for n in range(20)]
    server.rpush(ASIDE.format(app=messages.firebase_app), b"unreadable", *set_aside)
    spam.push(record(30, new=True), record(31))
    assert clean_container(messages, tmp_path / "b") == 0
    assert read_all(spam) == [b"unreadable", *set_aside, record(30, new=True), record(31)]
    assert clean_container(spam, tmp_path / "b") == 1


def test_what_was_set_aside_without_a_readable_record_waits_for_its_kind(server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    spam = spam_container_of(messages)
    aside = ASIDE.format(app=messages.firebase_app)
    server.rpush(aside, b"unreadable")
    with pytest.raises(ContainerError) as caught:
        cleaner.clean(
            [messages, spam], cleaner.CleaningRun(everything=True, path=tmp_path / "b"), lambda _: None
        )
    assert (caught.value.slug, caught.value.value) == ("aside-list", aside)
    assert (server.llen(aside), clean_container(spam, tmp_path / "b", everything=True)) == (1, 1)
