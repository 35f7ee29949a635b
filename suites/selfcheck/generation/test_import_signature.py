"""What decides an answer distinguishes two objects; times and ids do not."""

from typing import Any

import pytest

from fixtures.generation.importing.signature import sign_value
from suites.selfcheck.generation.import_forms import B64, SEND


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"status": 404, "body": "x"}, {"status": 503, "body": "x"}),
        ({"status": "404 Not Found", "url": SEND}, {"status": "503 Service Unavailable", "url": SEND}),
        ({"line": "the proxy answered HTTP/1.1 404"}, {"line": "the proxy answered HTTP/1.1 503"}),
        ({"content": {"size": 0}}, {"content": {"size": 17}}),
        ({"error": "DeviceMessageRateExceeded"}, {"error": "TopicsMessageRateExceeded"}),
        ({"body": B64}, {"body": B64.replace("0", "1")}),
        ({"logger": "fcm-sender-2026-blue"}, {"logger": "apn-sender-2026-blue"}),
    ],
)
def test_what_decides_an_answer_is_in_its_signature(first: Any, second: Any) -> None:
    assert sign_value(first) != sign_value(second)
    assert sign_value({**first, "id": "b7-0001-2222-3333"}) == sign_value(
        {**first, "id": "c9-9999-8888-7777"}
    )
