"""The check of lives forgives a service that counts a wait from when it heard of it, and no later one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fixtures.checks.effects import LATENESS_ALLOWED_S
from fixtures.checks.life import Life, Model, every_wait_has_ended

UNTIL = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("late_s", "titles"),
    [
        pytest.param(1, [], id="a second late"),
        pytest.param(LATENESS_ALLOWED_S + 1, ["still postpones who must be active"], id="too late"),
    ],
)
def test_a_wait_may_end_a_little_late(late_s: float, titles: list[str]) -> None:
    model = Model(lives={"a": Life("token", UNTIL - timedelta(days=1), until=UNTIL)})
    at = UNTIL + timedelta(seconds=late_s)
    found = every_wait_has_ended("world", ["step"], model, {"a": {"status": "postponed"}}, at)
    assert [finding.title for finding in found] == titles
