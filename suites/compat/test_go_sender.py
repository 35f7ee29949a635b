"""A sender reports each push exactly as FCM answered it: once, for the right subscriber, whatever happens."""

import pytest

from fixtures.core.catalogue import Case, load_catalogue
from fixtures.core.topology import PROTOCOLS
from fixtures.scenarios.sender.scenario import AWAY, BROKEN
from suites.types import RaiseIfFound, SenderScenarioOf

pytestmark = pytest.mark.catches(promise="sender")

PROVIDER = "go-sender"
CASES = [pytest.param(PROVIDER, case, id=f"{PROVIDER}-{case.id}") for case in load_catalogue().cases]
EACH_PROTOCOL = pytest.mark.parametrize(
    ("provider", "protocol"), [pytest.param(PROVIDER, name, id=f"{PROVIDER}-{name}") for name in PROTOCOLS]
)


@pytest.mark.parametrize(("provider", "case"), CASES)
def test_go_sender_reports_each_case(
    raise_if_found: RaiseIfFound, sender_scenario_of: SenderScenarioOf, provider: str, case: Case
) -> None:
    raise_if_found(sender_scenario_of(provider, case.protocol).findings[case.id])


@EACH_PROTOCOL
@pytest.mark.parametrize("situation", BROKEN)
def test_go_sender_reports_a_push_without_an_answer(
    raise_if_found: RaiseIfFound,
    sender_scenario_of: SenderScenarioOf,
    provider: str,
    protocol: str,
    situation: str,
) -> None:
    raise_if_found(sender_scenario_of(provider, protocol).findings[situation])


@EACH_PROTOCOL
def test_go_sender_loses_nothing_while_events_proxy_is_away(
    raise_if_found: RaiseIfFound, sender_scenario_of: SenderScenarioOf, provider: str, protocol: str
) -> None:
    raise_if_found(sender_scenario_of(provider, protocol).findings[AWAY])


@EACH_PROTOCOL
def test_go_sender_reports_nothing_else(
    raise_if_found: RaiseIfFound, sender_scenario_of: SenderScenarioOf, provider: str, protocol: str
) -> None:
    raise_if_found(sender_scenario_of(provider, protocol).findings[""])
