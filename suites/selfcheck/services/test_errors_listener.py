"""directory-errors-listener handles each event at least once, and buries what nobody can handle."""

import json
from typing import Any

import pytest

from fixtures.services.events import (
    CallAnswer,
    CallFailure,
    CallReturned,
    DeadLetter,
    DeleteMessage,
    MessagesReceived,
    QueueMessage,
    Retry,
    ServiceCall,
)
from fixtures.services.memory_queue import MemoryQueue
from suites.selfcheck.services.driver import ServiceUnderTest, make_event

pytestmark = pytest.mark.aside

V1_EVENT = make_event(2, protocol="fcm_v1", response={"error": {"code": 404}})


def letters(*bodies: Any) -> tuple[QueueMessage, ...]:
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return tuple(QueueMessage(f"letter-{n}", f"receipt-{n}", text) for n, text in enumerate(texts))


def handled(events: int) -> CallAnswer:
    return CallAnswer(200, json.dumps({"results": [{"action": "alert"}] * events}).encode())


def calls(orders: Any) -> list[ServiceCall]:
    return [order for order in orders if isinstance(order, ServiceCall)]


@pytest.mark.parametrize("version", ["before", "after"])
def test_events_are_handed_over_together_and_deleted_when_handled(version: str) -> None:
    listener = ServiceUnderTest("directory-errors-listener", version)
    some = letters(make_event(1), make_event(2, future=1, response="text"))
    (call,) = calls(listener.handle_event(MessagesReceived(some)))
    assert (call.to, call.method, call.path) == ("subscribers-errors", "POST", "/v1/errors")
    assert call.body == {"errors": [make_event(1), make_event(2, future=1, response="text")]}
    assert listener.handle_event(CallReturned(call, handled(2))) == [DeleteMessage(letter) for letter in some]


def test_before_fails_on_an_error_that_is_an_object_and_never_gives_up() -> None:
    listener = ServiceUnderTest("directory-errors-listener", "before")
    some = letters(make_event(1), V1_EVENT)
    for _ in range(20):
        later, call = listener.handle_event(MessagesReceived(some))
        assert isinstance(later, Retry)
        assert (later.message, later.reason) == (some[1], "response.error is not a string")
        assert isinstance(call, ServiceCall)
        assert call.body == {"errors": [make_event(1)]}


def test_after_hands_every_event_over() -> None:
    (call,) = calls(
        ServiceUnderTest("directory-errors-listener").handle_event(MessagesReceived(letters(V1_EVENT)))
    )
    assert call.body == {"errors": [V1_EVENT]}


POISON = {"cut": "{", "list": "[]", "number": "7", "half a character": "\ud800", "deep": "[" * 100_000}


@pytest.mark.parametrize("version", ["before", "after"])
@pytest.mark.parametrize("poison", POISON)
def test_an_unreadable_event_is_buried_after_five_tries_and_stops_no_other(version: str, poison: str) -> None:
    listener = ServiceUnderTest("directory-errors-listener", version)
    some = letters(POISON[poison], make_event(1))
    pauses = []
    for _ in range(4):
        later, call = listener.handle_event(MessagesReceived(some))
        assert isinstance(later, Retry)
        assert isinstance(call, ServiceCall)
        pauses.append(later.seconds)
        assert call.body == {"errors": [make_event(1)]}
    assert pauses == [60, 120, 240, 480]
    bury, _ = listener.handle_event(MessagesReceived(some))
    assert isinstance(bury, DeadLetter)
    assert bury.message == some[0]
    assert bury.reason


@pytest.mark.parametrize(
    "answer", [CallFailure("refused"), CallFailure("timed out"), CallAnswer(503), CallAnswer(429)], ids=str
)
def test_an_outage_is_no_event_s_fault(answer: Any) -> None:
    listener = ServiceUnderTest("directory-errors-listener")
    some = letters(make_event(1), make_event(2))
    for _ in range(20):
        (call,) = calls(listener.handle_event(MessagesReceived(some)))
        orders = listener.handle_event(CallReturned(call, answer))
        assert [order.message for order in orders if isinstance(order, Retry)] == list(some)


@pytest.mark.parametrize(
    "answer",
    [
        CallAnswer(500),
        CallAnswer(400),
        CallAnswer(422),
        CallAnswer(200, b"{}"),
        CallAnswer(200, b"<html>"),
        CallAnswer(302),
    ],
    ids=lambda answer: f"{answer.status}{answer.text()}",
)
def test_the_one_event_that_makes_a_batch_fail_is_found_and_buried(answer: CallAnswer) -> None:
    listener = ServiceUnderTest("directory-errors-listener")
    some = letters(*map(make_event, range(5)))
    waiting, buried = set(some), []
    for _ in range(5):
        open_calls = calls(
            listener.handle_event(MessagesReceived(tuple(sorted(waiting, key=lambda letter: letter.id))))
        )
        while open_calls:
            call = open_calls.pop()
            bad = make_event(3) in call.body["errors"]
            orders = listener.handle_event(
                CallReturned(call, answer if bad else handled(len(call.body["errors"])))
            )
            waiting -= {order.message for order in orders if isinstance(order, DeleteMessage | DeadLetter)}
            buried += [order.message for order in orders if isinstance(order, DeadLetter)]
            open_calls += calls(orders)
    assert waiting == set()
    assert buried == [some[3]]


def test_a_queue_delivers_again_what_nobody_deleted() -> None:
    now = [0.0]
    queue = MemoryQueue(lambda: now[0])
    queue.send("a")
    queue.send("b")
    first, second = queue.receive(10, 30)
    assert queue.receive(10, 30) == ()
    queue.delete(second.receipt)
    now[0] = 30
    (again,) = queue.receive(10, 30)
    assert (again.id, again.body) == (first.id, "a")
    queue.delete(first.receipt)  # of an earlier delivery: good for nothing
    queue.change_visibility(again.receipt, 0)
    assert [letter.body for letter in queue.receive(10, 30)] == ["a"]
    assert queue.count() == 1
