"""A life of a subscriber goes on where FCM refuses a request, and what is wrong then is a finding."""

from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.findings import Finding
from fixtures.faults import find_fault
from fixtures.scenarios.lifecycle import SubscriberLifecycle


@pytest.mark.parametrize("fault", ["message-in-message", "legacy-member-in-v1"])
def test_a_request_that_fcm_refuses_is_a_finding(fault: str) -> None:
    found: list[Finding] = []
    case = load_catalogue()["v1-UNAVAILABLE"]
    chosen: Any = SimpleNamespace(draw=lambda _cases: case)
    life = SubscriberLifecycle("all-after-v1", find_fault(fault).load, found.extend)
    life.first_subscriber()
    life.push_and_run(0, chosen)
    life.check_subscribers()
    life.teardown()
    assert "leaves a subscriber active that must be postponed" in {finding.title for finding in found}
