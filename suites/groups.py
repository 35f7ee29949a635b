"""Which tests go to the same worker, since they share what takes long to make.

The marks of `--dist=loadgroup` are lost where pytest's node ids cannot be written to (pytest 9.2 with
pytest-xdist 3.8), and then each worker judged the whole release and started every world.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from fixtures.topology import PROVIDERS

ROLLOUT = "suites/rollout/"
END_TO_END = "suites/compat/test_end_to_end.py"
LIVES = "suites/compat/test_life_of_a_subscriber.py"
COMPAT = "suites/compat/"
CONTRACTS = "suites/contracts/"
SELFCHECK = "suites/selfcheck/"


def group_of(test: str) -> str:
    """The judged release, Pact's Verifier, the worlds, the strategies of a case, what self-checks draw.

    A test that shares nothing is alone, and so among the last. Lives, which share nothing and take long, go
    with the worlds: otherwise one worker would still be at them when the others have ended.
    """
    path, _, parameters = test.partition("[")
    if path.startswith(LIVES):
        return END_TO_END
    for whole in (ROLLOUT, CONTRACTS, END_TO_END):
        if path.startswith(whole):
            return whole
    if path.startswith(SELFCHECK):
        return path.partition("::")[0]
    if path.startswith(COMPAT):
        cases = (parameters.removeprefix(f"{name}-") for name in PROVIDERS if parameters.startswith(name))
        return next((f"{COMPAT} {case}" for case in cases), test)
    return test


class Grouped(LoadScopeScheduling):  # type: ignore[misc]  # no types in the package
    """Gives whole groups to workers, the greatest first."""

    def _split_scope(self, nodeid: str) -> str:
        """As the documentation of pytest-xdist says that others may group tests."""
        return group_of(nodeid)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped | None:
    """Group tests wherever groups are asked for."""
    return Grouped(config, log) if config.getvalue("dist") == "loadgroup" else None
