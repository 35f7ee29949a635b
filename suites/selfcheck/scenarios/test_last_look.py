"""However the time of a round of ./ci/deep ends, the last test that runs takes the last look."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.core.run_config import RunConfig
from suites.plugins import later_looks, selection
from suites.plugins.options import RUN_CONFIG

UNTIL = 100.0
# When three tests would start and end, and how many of them run.
TIMES: dict[str, tuple[Sequence[tuple[float, float]], int]] = {
    "within a test": (((90, 95), (96, 101), (102, 103)), 2),
    "between two tests": (((90, 99), (101, 102), (103, 104)), 2),
    "before the first test": (((100, 101), (102, 103), (104, 105)), 0),
}


@pytest.mark.parametrize(("times", "runs"), TIMES.values(), ids=TIMES)
def test_the_last_test_of_a_round_takes_the_last_look(
    times: Sequence[tuple[float, float]], runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    history: list[str] = []

    def look_at_everybody() -> list[Any]:
        history.append("last look")
        return []

    looks: Any = SimpleNamespace(look_at_everybody=look_at_everybody, look_at_bystanders=list)
    stash = pytest.Stash()
    stash[RUN_CONFIG], stash[later_looks.LATER_LOOKS] = RunConfig(until=UNTIL), {"subscribers-errors": looks}
    config, members = SimpleNamespace(stash=stash), {"stash": pytest.Stash(), "user_properties": []}
    item: Any = SimpleNamespace(nodeid="a.py::x", path="a.py", config=config, **members)
    now = [0.0]
    monkeypatch.setattr(later_looks, "time", SimpleNamespace(time=lambda: now[0]))
    for start, end in times:
        now[0] = start
        if not selection.pytest_runtest_protocol(item):
            history.append("test")
            now[0] = end
            list(later_looks.pytest_runtest_teardown(item, item))
    assert history == ["test"] * runs + ["last look"] * bool(runs)
