"""Which tests go to the same worker, since they share what takes long to make.

The marks of `--dist=loadgroup` are lost where pytest's node ids cannot be written to (pytest 9.2 with
pytest-xdist 3.8), and then each worker judged the whole release and started every world.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import chain
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from fixtures.core.topology import PROVIDERS

ROLLOUT = "suites/rollout/"
END_TO_END = "suites/compat/test_end_to_end.py"
LIVES = "suites/compat/test_subscriber_lifecycle.py"
COMPAT = "suites/compat/"
CONTRACTS = "suites/contracts/"
SELFCHECK = "suites/selfcheck/"
CATALOGUE = f"{SELFCHECK}core/test_catalogue.py"


def group_of(test: str) -> str:
    """The judged release, Pact's Verifier, the worlds, lives, a case's strategies, a file of self-checks.

    A test that shares nothing is alone.
    """
    path, _, parameters = test.partition("[")
    for whole in (ROLLOUT, CONTRACTS, END_TO_END, LIVES):
        if path.startswith(whole):
            return whole
    if path.startswith(SELFCHECK):
        return path.partition("::")[0]
    if path.startswith(COMPAT):
        cases = (parameters.removeprefix(f"{name}-") for name in PROVIDERS if parameters.startswith(name))
        return next((f"{COMPAT} {case}" for case in cases), test)
    return test


def next_of(waiting: Mapping[str, Sized], own: Sequence[str], begun: Iterable[str]) -> str:
    """The group that a worker takes, of those that wait, by what it and any worker have taken so far.

    First what takes longest, and the worlds while workers hold little: they come with servers of their own,
    18 MB in all. Then one worker draws from the cases, and stays with that, since it has told them apart and
    started the providers; others turn to it when nothing else is left. Of the rest, what takes long comes
    before the self-checks: otherwise one worker would be at it when the others have ended.

    A worker is told of its next group while two tests are left to it. Behind the release, which one test
    judges for all, that is the smallest, and nothing that another worker could have begun meanwhile.
    """
    if own and own[-1] == ROLLOUT:
        turns = {"check": 0, "drawn": 1}
        return min(waiting, key=lambda group: (turns.get(_kind(group), 2), len(waiting[group])))
    draws = any(_kind(group) == "drawn" for group in own) or all(_kind(group) != "drawn" for group in begun)
    order = ("first", "drawn", "long", "check") if draws else ("first", "long", "check", "drawn")
    return min(waiting, key=lambda group: order.index(_kind(group)))


def _kind(group: str) -> str:
    if group in (ROLLOUT, END_TO_END):
        return "first"
    if group == CATALOGUE or (group.startswith(COMPAT) and group != LIVES):
        return "drawn"
    return "check" if group.startswith(SELFCHECK) else "long"


class Grouped(LoadScopeScheduling):  # type: ignore[misc]  # no types in the package
    """Gives whole groups to workers, of equals the greatest first."""

    def _split_scope(self, nodeid: str) -> str:
        """As the documentation of pytest-xdist says that others may group tests."""
        return group_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        """Give a worker the group that suits it."""
        own = list(self.assigned_work.get(node, ()))
        begun = chain.from_iterable(self.assigned_work.values())
        self.workqueue.move_to_end(next_of(self.workqueue, own, begun), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped | None:
    """Group tests wherever groups are asked for."""
    return Grouped(config, log) if config.getvalue("dist") == "loadgroup" else None
