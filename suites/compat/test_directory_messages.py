"""directory-messages puts in records that the senders which may be live can send."""

from collections.abc import Mapping, Sequence
from typing import Any

import hypothesis.strategies as st
import pytest

from fixtures.checks.records import every_record_can_be_sent
from fixtures.generation.runner import batches_of
from fixtures.scenarios.end_to_end import MESSAGE, messages
from suites.types import Explore, IsolatedScenarioOf, RaiseIfFound

pytestmark = pytest.mark.catches(promise="records")

# go-sender is released last: until then, the new directory-messages writes for the old sender as well.
at_live_senders = pytest.mark.parametrize(
    ("provider", "version", "protocol"),
    [
        ("directory-messages", "before", "legacy"),
        ("directory-messages", "after", "legacy"),
        ("directory-messages", "after", "fcm_v1"),
    ],
)
MANY = 1001  # one more than fit into a legacy request


@at_live_senders
def test_every_record_can_be_sent(
    raise_if_found: RaiseIfFound,
    isolated_scenario_of: IsolatedScenarioOf,
    explore: Explore,
    provider: str,
    version: str,
    protocol: str,
) -> None:
    scenario = isolated_scenario_of(provider, version)

    def judge(pushes: Sequence[tuple[Mapping[str, Any], int, bool]]) -> None:
        for message, subscribers, spam in pushes:
            put = scenario.put_message(message, subscribers, protocol, spam=spam)
            raise_if_found(every_record_can_be_sent(*put, protocol))

    pushes = st.tuples(messages(), st.integers(1, 4), st.booleans())
    explore(batches_of(pushes, most=4), judge, explicit=[[(MESSAGE, 2, False), (MESSAGE, 2, True)]])


@at_live_senders
def test_many_subscribers_get_a_message(
    raise_if_found: RaiseIfFound,
    isolated_scenario_of: IsolatedScenarioOf,
    provider: str,
    version: str,
    protocol: str,
) -> None:
    put = isolated_scenario_of(provider, version).put_message(MESSAGE, MANY, protocol, spam=False)
    raise_if_found(every_record_can_be_sent(*put, protocol))
