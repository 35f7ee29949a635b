"""The queue over SQS delivers at least once, and the whole platform runs on it."""

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.topology import version_map
from fixtures.platform import sqs
from fixtures.platform.sqs import QueueError, SqsQueue
from suites.selfcheck.platform.pushes import PushedCases

NUMBERS = itertools.count()
HIDDEN_S = 1


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with sqs.run_sqs() as sqs_client:
        yield sqs_client


@pytest.fixture
def queue(client: Any) -> SqsQueue:
    return sqs.open_queue(client, f"errors-{next(NUMBERS)}")


def receive_bodies(queue: SqsQueue) -> list[str]:
    return sorted(message.body for message in queue.receive(10, HIDDEN_S))


def test_a_message_that_is_not_deleted_is_delivered_again_after_its_time(queue: SqsQueue) -> None:
    for body in ("a", "b"):
        queue.send(body)
    first = {message.body: message for message in queue.receive(10, HIDDEN_S)}
    assert set(first) == {"a", "b"}
    assert receive_bodies(queue) == []
    queue.delete(first["b"].receipt)
    time.sleep(HIDDEN_S + 0.1)
    (redelivered,) = queue.receive(10, HIDDEN_S)
    assert (redelivered.id, redelivered.body) == (first["a"].id, "a")
    assert queue.count() == 1
    queue.delete(redelivered.receipt)
    assert queue.count() == 0


def test_a_message_can_be_hidden_for_longer_or_shown_at_once(queue: SqsQueue) -> None:
    queue.send("a")
    (message,) = queue.receive(10, 60)
    queue.change_visibility(message.receipt, 0)
    (message,) = queue.receive(10, HIDDEN_S)
    queue.change_visibility(message.receipt, 60)
    time.sleep(HIDDEN_S + 0.1)
    assert receive_bodies(queue) == []


def test_an_old_receipt_has_no_effect(queue: SqsQueue) -> None:
    queue.send("a")
    (message,) = queue.receive(10, 60)
    queue.delete(message.receipt)
    queue.delete(message.receipt)
    queue.change_visibility(message.receipt, 0)
    assert queue.count() == 0


def test_the_platform_runs_on_sqs(client: Any) -> None:
    cases = [load_catalogue()[name] for name in ("v1-delivered", "v1-UNREGISTERED", "v1-QUOTA_EXCEEDED")]
    pushes = PushedCases(version_map("after"), cases)
    queue, dead = (sqs.open_queue(client, f"{kind}-{next(NUMBERS)}") for kind in ("errors", "dead"))
    platform: Any = pushes.platform
    platform.queue, platform.dead_letters = queue, dead
    queue.send(json.dumps({"code": "unknown"}))
    platform.drain()
    assert not pushes.find_wrong(cases)
    assert (queue.count(), dead.count()) == (0, 0)


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "127.0.0.1:9324", "http://", ""])
def test_a_wrong_queue_url_is_named(url: str) -> None:
    with pytest.raises(QueueError) as caught:
        sqs.connect(url)
    assert str(caught.value).startswith(f"bad-queue-url: {url!r}: ")
    assert "next: " in str(caught.value)


def test_a_queue_that_does_not_answer_is_named() -> None:
    client = sqs.connect("http://127.0.0.1:9", **sqs.LOCAL_CREDENTIALS)
    with pytest.raises(QueueError, match="queue-unreachable: 'errors'"):
        sqs.open_queue(client, "errors")
    client.close()
