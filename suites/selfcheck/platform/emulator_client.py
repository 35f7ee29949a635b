"""Sends requests to an emulator in memory, without HTTP."""

import json
from collections.abc import Mapping
from typing import Any

from fixtures.platform.fcm.emulator import Emulator, handle
from fixtures.platform.fcm.messages import FcmAnswer, FcmRequest

NOW = 1_000_000.0
# A byte more than FCM takes.
TOO_LONG = "x" * 4097
BEARER = {"authorization": "Bearer any"}
KEY = {"authorization": "key=any", "content-type": "application/json"}


def request(  # noqa: PLR0913 - the parts of a request
    emulator: Emulator,
    method: str,
    path: str,
    body: Any,
    headers: Mapping[str, str],
    now: float = NOW,
    *,
    query: Mapping[str, str] | None = None,
) -> FcmAnswer:
    """Send one request; bytes and text are sent as they are, other bodies as JSON."""
    text = body if isinstance(body, bytes | str) else json.dumps(body)
    content = text.encode() if isinstance(text, str) else text
    return handle(emulator, FcmRequest(method, path, headers, content, query or {}), now)


def send_v1(emulator: Emulator, message: Any, **members: Any) -> FcmAnswer:
    path = "/v1/projects/demo/messages:send"
    return request(emulator, "POST", path, {"message": message, **members}, BEARER)


def send_legacy(emulator: Emulator, body: Any) -> FcmAnswer:
    return request(emulator, "POST", "/fcm/send", body, KEY)
