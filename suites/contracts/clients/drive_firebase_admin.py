"""Sends messages and manages topics with firebase-admin for Python, with each of its ways to do so.

The client's own interpreter runs this program. It reads the inputs of each call, and writes their results.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import firebase_admin
from firebase_admin import credentials, messaging

FCM, HTTPS = "fcm.googleapis.com", 443
# A message for an input such as `fid case/v1-UNREGISTERED/device`.
MESSAGES: Mapping[str, Callable[[str], Any]] = {
    "fid": lambda value: messaging.Message(fid=value),
    "topic": lambda value: messaging.Message(topic=value),
    "condition": lambda value: messaging.Message(condition=value),
    "activity": lambda value: messaging.Message(
        fid="device", apns=messaging.APNSConfig(live_activity_token=value)
    ),
    "bytes": lambda value: messaging.Message(topic="news", data={"p": "x" * int(value)}),
    "web-push-ttl": lambda value: messaging.Message(
        topic="news", webpush=messaging.WebpushConfig(headers={"TTL": value})
    ),
}


def name_result(error: BaseException | None) -> str:
    return "sent" if error is None else type(error).__name__


def send(message: Any) -> str:
    try:
        assert messaging.send(message).startswith("projects/emulated/messages/")
    except firebase_admin.exceptions.FirebaseError as error:
        return name_result(error)
    return "sent"


def rich_message(token: str) -> Any:
    """A message that uses many of the client's types."""
    return messaging.Message(
        token=token,
        data={"key": "value"},
        notification=messaging.Notification("title", "body"),
        android=messaging.AndroidConfig(priority="high", ttl=3600),
        apns=messaging.APNSConfig(payload=messaging.APNSPayload(aps=messaging.Aps(badge=1))),
    )


def name_errors(response: Any, tokens: Sequence[str]) -> list[str]:
    """The result of each token of a request about topics."""
    reasons = {error.index: error.reason for error in response.errors}
    assert response.success_count == len(tokens) - len(reasons)
    return [reasons.get(position, "done") for position in range(len(tokens))]


def name_sent(batch: Any) -> list[str]:
    return [name_result(response.exception) for response in batch.responses]


def lead_to_emulator() -> None:
    """Lead connections of asyncio to FCM's name and port to the emulator, as an entry in /etc/hosts would.

    The client supports no proxy for HTTP/2. It stays unmodified, and still checks the certificate's name.
    """
    loop, emulator = asyncio.BaseEventLoop, urlsplit(os.environ["FCM_EMULATOR_HTTPS"])
    resolve, connect = loop.getaddrinfo, loop.create_connection

    async def getaddrinfo(self: Any, host: Any, port: Any, **options: Any) -> Any:
        is_fcm = host in (FCM, FCM.encode())  # anyio hands over bytes
        return await resolve(self, emulator.hostname if is_fcm else host, port, **options)

    async def create_connection(self: Any, factory: Any, host: Any, port: Any, **options: Any) -> Any:
        return await connect(self, factory, host, emulator.port if port == HTTPS else port, **options)

    loop.getaddrinfo, loop.create_connection = getaddrinfo, create_connection  # type: ignore[assignment,method-assign]


async def call_over_http2(inputs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The results of the calls that httpx makes over HTTP/2."""
    each = await messaging.send_each_async([messaging.Message(fid=fid) for fid in inputs["send_each_async"]])
    broken = [await messaging.send_each_async([messaging.Message(fid=fid)]) for fid in inputs["broken_http2"]]
    tokens = inputs["subscribe_async"]
    return {
        "send_each_async": name_sent(each),
        "broken_http2": [name_sent(batch)[0] for batch in broken],
        "subscribe_async": name_errors(await messaging.subscribe_to_topic_async(tokens, "news"), tokens),
    }


def main() -> None:
    inputs = json.load(sys.stdin)
    lead_to_emulator()
    firebase_admin.initialize_app(credentials.Certificate(sys.argv[1]), {"httpTimeout": 20})
    each = messaging.send_each([messaging.Message(token=token) for token in inputs["send_each"]])
    multicast = messaging.send_each_for_multicast(messaging.MulticastMessage(tokens=inputs["multicast"]))
    results = {
        "send": [send(rich_message(token)) for token in inputs["send"]],
        "send_each": name_sent(each),
        "multicast": name_sent(multicast),
        "message": [
            send(MESSAGES[kind](value)) for kind, value in (row.split(" ", 1) for row in inputs["message"])
        ],
        **asyncio.run(call_over_http2(inputs)),
    }
    for name, call in {
        "subscribe": messaging.subscribe_to_topic,
        "unsubscribe": messaging.unsubscribe_from_topic,
        "subscribe_legacy": messaging.subscribe_to_topic_legacy,
        "unsubscribe_legacy": messaging.unsubscribe_from_topic_legacy,
    }.items():
        results[name] = name_errors(call(inputs[name], "news"), inputs[name])
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
