"""firebase-admin for Python, as a project uses it: `send`, `send_each` and `send_each_for_multicast`.

Run by its own interpreter; reads tokens from standard input, and writes what became of each.
"""

import json
import sys

import firebase_admin
from firebase_admin import credentials, messaging


def became(error: BaseException | None) -> str:
    """The exception's class, or that there was none."""
    return "sent" if error is None else type(error).__name__


def send(token: str) -> str:
    """`messaging.send` of one message with a bit of everything."""
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
        return became(error)
    return "sent"


def main() -> None:
    """Send to each token in all three ways."""
    asked = json.load(sys.stdin)
    firebase_admin.initialize_app(credentials.Certificate(sys.argv[1]), {"httpTimeout": 20})
    each = messaging.send_each([messaging.Message(token=token) for token in asked["send_each"]])
    many = messaging.send_each_for_multicast(messaging.MulticastMessage(tokens=asked["multicast"]))
    said = {
        "send": [send(token) for token in asked["send"]],
        "send_each": [became(one.exception) for one in each.responses],
        "multicast": [became(one.exception) for one in many.responses],
    }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
