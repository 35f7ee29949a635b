"""directory-errors-listener handles each event at least once; poison events become dead letters."""

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
from fixtures.services.infrastructure import MemoryQueue
from suites.selfcheck.services.driver import ServiceUnderTest, make_event

V1_EVENT = make_event(2, protocol="fcm_v1", response={"error": {"code": 404}})


def make_messages(*bodies: Any) -> tuple[QueueMessage, ...]:
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return tuple(QueueMessage(f"message-{n}", f"receipt-{n}", text) for n, text in enumerate(texts))


def make_handled_answer(events: int) -> CallAnswer:
    return CallAnswer(200, json.dumps({"results": [{"action": "alert"}] * events}).encode())


def list_calls(effects: Any) -> list[ServiceCall]:
    return [effect for effect in effects if isinstance(effect, ServiceCall)]


@pytest.mark.parametrize("version", ["before", "after"])
def test_events_are_handed_over_together_and_deleted_when_handled(version: str) -> None:
    listener = ServiceUnderTest("directory-errors-listener", version)
    messages = make_messages(make_event(1), make_event(2, future=1, response="text"))
    (call,) = list_calls(listener.handle_event(MessagesReceived(messages)))
    assert (call.to, call.method, call.path) == ("subscribers-errors", "POST", "/v1/errors")
    assert call.body == {"errors": [make_event(1), make_event(2, future=1, response="text")]}
    assert listener.handle_event(CallReturned(call, make_handled_answer(2))) == [
        DeleteMessage(message) for message in messages
    ]


def test_before_fails_on_an_error_that_is_an_object_and_never_gives_up() -> None:
    listener = ServiceUnderTest("directory-errors-listener", "before")
    messages = make_messages(make_event(1), V1_EVENT)
    for _ in range(20):
        retry, call = listener.handle_event(MessagesReceived(messages))
        assert isinstance(retry, Retry)
        assert (retry.message, retry.reason) == (messages[1], "response.error is not a string")
        assert isinstance(call, ServiceCall)
        assert call.body == {"errors": [make_event(1)]}


def test_after_hands_every_event_over() -> None:
    (call,) = list_calls(
        ServiceUnderTest("directory-errors-listener").handle_event(MessagesReceived(make_messages(V1_EVENT)))
    )
    assert call.body == {"errors": [V1_EVENT]}


POISON = {"cut": "{", "list": "[]", "number": "7", "lone surrogate": "\ud800", "deep": "[" * 100_000}


@pytest.mark.parametrize("version", ["before", "after"])
@pytest.mark.parametrize("poison", POISON)
def test_an_unreadable_event_is_buried_after_five_tries_and_stops_no_other(version: str, poison: str) -> None:
    listener = ServiceUnderTest("directory-errors-listener", version)
    messages = make_messages(POISON[poison], make_event(1))
    pauses = []
    for _ in range(4):
        retry, call = listener.handle_event(MessagesReceived(messages))
        assert isinstance(retry, Retry)
        assert isinstance(call, ServiceCall)
        pauses.append(retry.seconds)
        assert call.body == {"errors": [make_event(1)]}
    assert pauses == [60, 120, 240, 480]
    dead_letter, _ = listener.handle_event(MessagesReceived(messages))
    assert isinstance(dead_letter, DeadLetter)
    assert dead_letter.message == messages[0]
    assert dead_letter.reason


@pytest.mark.parametrize(
    "answer", [CallFailure("refused"), CallFailure("timed out"), CallAnswer(503), CallAnswer(429)], ids=str
)
def test_an_outage_is_no_event_s_fault(answer: Any) -> None:
    listener = ServiceUnderTest("directory-errors-listener")
    messages = make_messages(make_event(1), make_event(2))
    for _ in range(20):
        (call,) = list_calls(listener.handle_event(MessagesReceived(messages)))
        effects = listener.handle_event(CallReturned(call, answer))
        assert [effect.message for effect in effects if isinstance(effect, Retry)] == list(messages)


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
    messages = make_messages(*map(make_event, range(5)))
    waiting, buried = set(messages), []
    for _ in range(5):
        open_calls = list_calls(
            listener.handle_event(MessagesReceived(tuple(sorted(waiting, key=lambda message: message.id))))
        )
        while open_calls:
            call = open_calls.pop()
            bad = make_event(3) in call.body["errors"]
            effects = listener.handle_event(
                CallReturned(call, answer if bad else make_handled_answer(len(call.body["errors"])))
            )
            waiting -= {
                effect.message for effect in effects if isinstance(effect, DeleteMessage | DeadLetter)
            }
            buried += [effect.message for effect in effects if isinstance(effect, DeadLetter)]
            open_calls += list_calls(effects)
    assert waiting == set()
    assert buried == [messages[3]]


def test_a_queue_delivers_again_what_nobody_deleted() -> None:
    now = [0.0]
    queue = MemoryQueue(lambda: now[0])
    queue.send("a")
    queue.send("b")
    first, second = queue.receive(10, 30)
    assert queue.receive(10, 30) == ()
    queue.delete(second.receipt)
    now[0] = 30
    (redelivered,) = queue.receive(10, 30)
    assert (redelivered.id, redelivered.body) == (first.id, "a")
    queue.delete(first.receipt)  # of an earlier delivery: good for nothing
    queue.change_visibility(redelivered.receipt, 0)
    assert [message.body for message in queue.receive(10, 30)] == ["a"]
    assert queue.count() == 1
