"""Which records of the messages container each sender can send."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from fixtures.checks.records import ContainerRecord, every_record_can_be_sent

APP, ID = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
DEVICE = {"subscriber_id": ID, "token": "t"}
MESSAGE = {"notification": {"title": "Hi"}, "data": {"n": 3, "text": "3"}, "ttl_s": 60, "priority": "high"}
REQUEST = {"spam": False, "message": {**MESSAGE, "collapse_key": "k"}, "subscribers": [DEVICE]}
LEGACY = {"notification": {"title": "Hi"}, "data": MESSAGE["data"], "priority": "high"}
ANDROID = {"ttl": "60s", "priority": "HIGH", "collapseKey": "k"}
RECORD = {
    "message_id": ID,
    "firebase_app": APP,
    "spam": False,
    "recipients": [DEVICE],
    "legacy": {**LEGACY, "time_to_live": 60, "collapse_key": "k"},
    "v1": {"notification": {"title": "Hi"}, "data": {"n": "3", "text": "3"}, "android": ANDROID},
}
WITHOUT_V1 = {name: value for name, value in RECORD.items() if name != "v1"}


def check(*records: Any, protocol: str = "fcm_v1", answer: Any = None, **members: Any) -> set[str]:
    """The rules that records break."""
    written = [ContainerRecord("list", json.dumps(record), **members) for record in records]
    findings = every_record_can_be_sent(REQUEST, answer, written, "list", protocol)
    return {finding.rule.removeprefix("records.") for finding in findings}


@pytest.mark.parametrize("protocol", ["legacy", "fcm_v1"])
def test_a_record_may_have_more_than_was_asked_for(protocol: str) -> None:
    android = {**ANDROID, "direct_boot_ok": True}
    more = {**RECORD, "by": 1, "v1": {**RECORD["v1"], "android": android, "fcm_options": {}}}  # type: ignore[dict-item]
    assert check(RECORD, protocol=protocol) == check(more, protocol=protocol) == set()


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({"spam": True}, {"other-list"}),
        ({"v1": {}}, {"other-message"}),
        ({"v1": {**RECORD["v1"], "android": {**ANDROID, "ttl": "61s"}}}, {"other-message"}),  # type: ignore[dict-item]
        ({"v1": {**RECORD["v1"], "data": {"n": "3", "text": "4"}}}, {"other-message"}),  # type: ignore[dict-item]
        ({"v1": []}, {"unreadable", "recipients"}),
        ({"message_id": "1"}, {"unreadable", "recipients"}),
        ({"recipients": [DEVICE, DEVICE]}, {"recipients"}),
        ({"recipients": [{**DEVICE, "token": "u"}]}, {"recipients"}),
    ],
)
def test_what_no_record_may_have(changed: Mapping[str, Any], rules: set[str]) -> None:
    assert check({**RECORD, **changed}) == rules


def test_each_sender_reads_its_own_part() -> None:
    assert check(WITHOUT_V1, protocol="legacy") == set()
    assert check(WITHOUT_V1) == {"unreadable", "recipients"}


def test_fcm_must_take_a_message() -> None:
    assert check(RECORD, refusal="400") == {"refused-by-fcm"}


def test_a_message_must_be_accepted() -> None:
    assert check(answer="503") == {"refused-message"}


def test_a_text_is_no_record() -> None:
    findings = every_record_can_be_sent(REQUEST, None, [ContainerRecord("list", "{")], "list", "legacy")
    assert {finding.rule for finding in findings} == {"records.unreadable", "records.recipients"}
