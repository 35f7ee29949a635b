"""Sends messages with firebase-admin for Python: `send`, `send_each` and `send_each_for_multicast`.

The client's own interpreter runs this program. It reads tokens from standard input and writes the result of
each.
"""

import json
import sys

import firebase_admin
from firebase_admin import credentials, messaging


def name_result(error: BaseException | None) -> str:
    return "sent" if error is None else type(error).__name__


def send(token: str) -> str:
    """Send one message that uses many of the client's types."""
    message = messaging.Message(
        token=token,
        data={"key": "value"},
        notification=messaging.Notification("title", "body"),
        android=messaging.AndroidConfig(priority="high", ttl=3600),
        apns=messaging.APNSConfig(payload=messaging.APNSPayload(aps=messaging.Aps(badge=1))),
    )
    try:
        assert messaging.send(message).startswith("projects/emulated/messages/")
    except firebase_admin.exceptions.FirebaseError as error:
        return name_result(error)
    return "sent"


def main() -> None:
    tokens = json.load(sys.stdin)
    firebase_admin.initialize_app(credentials.Certificate(sys.argv[1]), {"httpTimeout": 20})
    each = messaging.send_each([messaging.Message(token=token) for token in tokens["send_each"]])
    multicast = messaging.send_each_for_multicast(messaging.MulticastMessage(tokens=tokens["multicast"]))
    results = {
        "send": [send(token) for token in tokens["send"]],
        "send_each": [name_result(response.exception) for response in each.responses],
        "multicast": [name_result(response.exception) for response in multicast.responses],
    }
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
