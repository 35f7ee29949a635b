"""The messages container on a real server: first in, first out, one list per app and kind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.platform import redis_container as container
from fixtures.platform import redis_server
from fixtures.platform.redis_container import (
    ContainerError,
    FirebaseMessages,
    FirebaseSpamMessages,
    RedisUnavailable,
)
from suites.selfcheck.release.cleaner_process import new_container, read_all, record, spam_container_of

APP = "04a4177e-d2a0-4372-bd59-0a417597e5a3"


def test_what_is_pushed_first_is_popped_first(server: Any) -> None:
    messages = new_container(server)
    assert messages.push("a", b"\xff", {"legacy": {}}) == 3
    assert messages.push("z") == 4
    assert [messages.pop() for _ in range(5)] == [b"a", b"\xff", b'{"legacy":{}}', b"z", None]


def test_peek_takes_nothing_out(server: Any) -> None:
    messages = new_container(server)
    messages.push(*"abcd")
    assert messages.peek() == [b"a"]
    assert messages.peek(2, start=1) == [b"b", b"c"]
    assert (messages.peek(0), messages.peek(9, start=3), messages.count()) == ([], [b"d"], 4)


def test_reset_empties_this_container_only(server: Any) -> None:
    messages, other = new_container(server), new_container(server)
    spam = spam_container_of(messages)
    for container_list in (messages, spam, other):
        container_list.push("a", "b")
    assert (messages.reset(), messages.count(), spam.count(), other.count()) == (2, 0, 2, 2)
    assert messages.reset() == 0
    assert messages.push() == 0


def test_keys_are_as_documented(server: Any) -> None:
    assert FirebaseMessages(firebase_app=APP.upper(), server=server).key == f"messages:{APP}:regular"
    assert FirebaseSpamMessages(firebase_app=APP, server=server).key == f"messages:{APP}:spam"


def test_without_a_server_that_of_the_environment_is_used(
    redis_url: str, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    app = str(uuid.uuid4())
    messages = FirebaseMessages(firebase_app=app)
    messages.push("here")
    assert read_all(FirebaseMessages(firebase_app=app, server=server)) == [b"here"]
    messages.server.close()


def test_both_formats_of_a_record_fit_its_schema() -> None:
    for new in (False, True):
        schemas.validate(json.loads(record(1, new=new)), "container-record.schema.json")
    assert not schemas.is_valid({"v1": {}}, "container-record.schema.json")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:6379", "127.0.0.1:6379", "", "redis://", "redis://h:99999", "unix://", "redis://h:0"],
    ids=lambda url: url or "empty",
)
def test_a_wrong_url_is_named(url: str) -> None:
    with pytest.raises(ContainerError, match="bad-redis-url") as caught:
        container.connect(url)
    assert "allowed: redis://" in str(caught.value)
    assert "next: --redis-url" in str(caught.value)


def test_a_database_that_is_none_is_refused() -> None:
    with pytest.raises(ContainerError) as caught:
        container.connect("redis://:secret@127.0.0.1:1/0?socket_timeout=soon")
    assert caught.value.slug == "bad-redis-url"
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        with pytest.raises(RedisUnavailable, match="unreachable-redis") as caught:
            container.connect(f"redis://:secret@127.0.0.1:{port}/0")
    assert f"redis://***@127.0.0.1:{port}/0" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_key_that_is_no_list_is_told(server: Any) -> None:
    messages = new_container(server)
    server.set(messages.key, "text")
    with pytest.raises(RedisUnavailable, match="redis-refused") as caught:
        messages.count()
    assert "WRONGTYPE" in str(caught.value)
    server.delete(messages.key)


@pytest.mark.parametrize("app", ["", "firebase", f"{APP}*", f"{APP}\n"])
def test_an_app_that_is_no_uuid_is_refused(server: Any, app: str) -> None:
    with pytest.raises(ContainerError, match="bad-firebase-app"):
        FirebaseMessages(firebase_app=app, server=server)


def test_an_embedded_server_ends_with_its_block() -> None:
    with redis_server.run_redis() as url:
        client = container.connect(url)
        client.set("a", "b")
        client.close()
    assert not Path(url.removeprefix("unix://")).parent.exists()
    with pytest.raises(RedisUnavailable, match="unreachable-redis"):
        container.connect(url)


def test_without_the_package_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(RedisUnavailable, match="no-embedded-redis") as caught:
        redis_server.server_binary()
    assert "--redis-url" in str(caught.value)


OWNER = """
from fixtures.platform.redis_server import run_redis
import sys, time
with run_redis() as url:
    print(url, flush=True)
    time.sleep(60)
"""


@pytest.mark.process
def test_an_embedded_server_does_not_outlive_a_killed_owner() -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:  # noqa: S603  our own
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        container.connect(url).close()
        os.kill(owner.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            container.connect(url).close()
        except RedisUnavailable:
            return
        time.sleep(0.05)
    pytest.fail(f"the server at {url} is still there")
