"""PyFCM 2: a message is sent, and the error that it raises says what happened."""

import os
from typing import Any

from pyfcm import FCMNotification


class Adapter:
    def __init__(self) -> None:
        self.client = FCMNotification(service_account_file=os.environ["GOOGLE_APPLICATION_CREDENTIALS"])

    def handle(self, _answer: Any, subscriber: dict[str, Any]) -> str:
        self.client.notify(fcm_token=subscriber["token"], data_payload={"key": "value"})
        return "active"
