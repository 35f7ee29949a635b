"""The queue over SQS delivers at least once, and the whole chain runs on it."""

from __future__ import annotations

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
from suites.selfcheck.platform.pushes import Pushed

pytestmark = pytest.mark.aside

NUMBERS = itertools.count()
HIDDEN_S = 1


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A client for an embedded server."""
    with sqs.run_sqs() as found:
        yield found


@pytest.fixture
def queue(client: Any) -> SqsQueue:
    """A new queue."""
    return sqs.open_queue(client, f"errors-{next(NUMBERS)}")


def bodies(queue: SqsQueue) -> list[str]:
    return sorted(letter.body for letter in queue.receive(10, HIDDEN_S))


def test_what_nobody_deletes_is_delivered_again_when_its_time_is_over(queue: SqsQueue) -> None:
    for body in ("a", "b"):
        queue.send(body)
    first = {letter.body: letter for letter in queue.receive(10, HIDDEN_S)}
    assert set(first) == {"a", "b"}
    assert bodies(queue) == []
    queue.delete(first["b"].receipt)
    time.sleep(HIDDEN_S + 0.1)
    (again,) = queue.receive(10, HIDDEN_S)
    assert (again.id, again.body) == (first["a"].id, "a")
    assert queue.count() == 1
    queue.delete(again.receipt)
    assert queue.count() == 0


def test_a_letter_can_be_hidden_for_longer_or_shown_at_once(queue: SqsQueue) -> None:
    queue.send("a")
    (letter,) = queue.receive(10, 60)
    queue.change_visibility(letter.receipt, 0)
    (letter,) = queue.receive(10, HIDDEN_S)
    queue.change_visibility(letter.receipt, 60)
    time.sleep(HIDDEN_S + 0.1)
    assert bodies(queue) == []


def test_an_old_receipt_harms_nobody(queue: SqsQueue) -> None:
    queue.send("a")
    (letter,) = queue.receive(10, 60)
    queue.delete(letter.receipt)
    queue.delete(letter.receipt)
    queue.change_visibility(letter.receipt, 0)
    assert queue.count() == 0


def test_the_chain_runs_on_sqs(client: Any) -> None:
    cases = [load_catalogue()[name] for name in ("v1-delivered", "v1-UNREGISTERED", "v1-QUOTA_EXCEEDED")]
    pushed = Pushed(version_map("after"), cases)
    queue, dead = (sqs.open_queue(client, f"{kind}-{next(NUMBERS)}") for kind in ("errors", "dead"))
    system: Any = pushed.system
    system.queue, system.dead_letters = queue, dead
    queue.send(json.dumps({"code": "of nobody"}))
    system.drain()
    assert not pushed.wrong(cases)
    assert (queue.count(), dead.count()) == (0, 0)


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "127.0.0.1:9324", "http://", ""])
def test_a_wrong_queue_url_is_named(url: str) -> None:
    with pytest.raises(QueueError) as caught:
        sqs.connect(url)
    assert str(caught.value).startswith(f"bad-queue-url: {url!r}: ")
    assert "next: " in str(caught.value)


def test_a_queue_that_does_not_answer_is_named() -> None:
    nobody = {"aws_access_key_id": "embedded", "aws_secret_access_key": "embedded"}
    client = sqs.connect("http://127.0.0.1:9", **nobody)
    with pytest.raises(QueueError, match="queue-unreachable: 'errors'"):
        sqs.open_queue(client, "errors")
    client.close()
