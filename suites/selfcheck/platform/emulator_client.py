"""An emulator in memory and how tests talk to it, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fixtures.generation.recordings import legacy_entries
from fixtures.platform.fcm.asgi import encode_answer
from fixtures.platform.fcm.emulator import Emulator, handle
from fixtures.platform.fcm.messages import FcmAnswer, FcmRequest

NOW = 1_000_000.0
BEARER = {"authorization": "Bearer any"}
KEY = {"authorization": "key=any", "content-type": "application/json"}


def call(
    emulator: Emulator, method: str, path: str, body: Any, headers: Mapping[str, str], now: float = NOW
) -> FcmAnswer:
    """One call; a body that is bytes or text is sent as it stands."""
    content = body.encode() if isinstance(body, str) else body
    raw = content if isinstance(content, bytes) else json.dumps(body).encode()
    return handle(emulator, FcmRequest(method, path, headers, raw), now)


def v1(emulator: Emulator, message: Any, **more: Any) -> FcmAnswer:
    """Send a v1 message with valid credentials."""
    path = "/v1/projects/demo/messages:send"
    return call(emulator, "POST", path, {"message": message, **more}, BEARER)


def legacy(emulator: Emulator, body: Any) -> FcmAnswer:
    """Send a legacy message with valid credentials."""
    return call(emulator, "POST", "/fcm/send", body, KEY)


def report(answer: FcmAnswer, protocol: str) -> dict[str, Any]:
    """What a sender reports of an answer for one token."""
    body = json.loads(encode_answer(answer)[1]) if not isinstance(answer.body, str) else answer.body
    response = body if protocol == "fcm_v1" else legacy_entries(body)[0]
    retry_after = answer.headers.get("Retry-After")
    told = {} if protocol == "legacy" else {"protocol": protocol}
    return {**told, "http_status": answer.status, "retry_after": retry_after, "response": response}
