"""python-gcm: one multicast, and what FCM's documents say about the errors and ids that it returns."""

from typing import Any

from gcm import GCM

STATES = dict.fromkeys(("NotRegistered", "InvalidRegistration"), "gone") | dict.fromkeys(
    ("Unavailable", "InternalServerError", "DeviceMessageRateExceeded", "TopicsMessageRateExceeded"), "later"
)


class Adapter:
    def __init__(self) -> None:
        self.client = GCM("a-server-key")
        self.client.url = "https://fcm.googleapis.com/fcm/send"

    def handle_multicast(self, _answers: Any, subscribers: list[dict[str, Any]]) -> list[Any]:
        tokens = [subscriber["token"] for subscriber in subscribers]
        result = self.client.json_request(registration_ids=tokens, data={"key": "value"})
        errors = {token: word for word, tokens in result.get("errors", {}).items() for token in tokens}
        canonical = result.get("canonical", {})
        return [
            {"status": STATES.get(errors.get(token, ""), "active"), "token": canonical.get(token, token)}
            for token in tokens
        ]
