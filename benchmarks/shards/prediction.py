"""How long the shards of a run would take, from the ledger of one that was not cut.

A shard costs what every run costs whatever it holds (start, collection of all tests, end), then its tests in
their groups, the greatest first, each taken by the worker that is free first. What a file sets up once for
all its tests, each worker that runs any of them pays again: that is what the first one in a worker took
longer than the others do.
"""

from __future__ import annotations

import heapq
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pytest_split.algorithms import Algorithms

from fixtures.results.ledger import Ledger
from suites.plugins.scheduling import group_of

ALGORITHM = "duration_based_chunks"
FEWEST_OTHERS = 3
"""Of fewer tests of one file nobody can say which part was set-up."""


class Item(NamedTuple):
    """All that pytest-split looks at."""

    nodeid: str


@dataclass(frozen=True)
class Costs:
    """What a run is made of, in seconds: before and after the tests, between them, and the tests."""

    fixed: float
    between: float
    workers: int
    recorded: Mapping[str, float]
    """As pytest-split is told them, set-up and all."""
    own: Mapping[str, float]
    set_up: Mapping[str, float]


@dataclass(frozen=True)
class Predicted:
    """What a run in so many shards would take."""

    shards: Sequence[float]

    @property
    def wall(self) -> float:
        """Side by side, a run is as fast as its slowest shard."""
        return max(self.shards)

    @property
    def machine(self) -> float:
        """What somebody pays for."""
        return sum(self.shards)


def costs_of(ran: Ledger, wall_s: float, workers: int) -> Costs:
    """What a run was made of that took so long on so many workers."""
    recorded = {line["test"]: line["duration_s"] for line in ran.tests}
    began = min(line["started_s"] for line in ran.tests)
    ended = max(line["started_s"] + line["duration_s"] for line in ran.tests)
    idle = workers * (ended - began) - sum(recorded.values())
    own, set_up = _set_up_apart(ran.tests)
    between = max(0.0, idle / len(recorded))
    return Costs(wall_s - (ended - began), between, workers, recorded, own, set_up)


def _set_up_apart(tests: Sequence[Mapping[str, Any]]) -> tuple[dict[str, float], dict[str, float]]:
    """What each test takes by itself, and what each file sets up in a worker."""
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    for line in sorted(tests, key=lambda line: float(line["started_s"])):
        first.setdefault((file_of(line["test"]), line["worker"]), line)
    firsts = {line["test"] for line in first.values()}
    later: dict[str, list[float]] = defaultdict(list)
    for line in tests:
        if line["test"] not in firsts:
            later[file_of(line["test"])].append(line["duration_s"])
    usual = {name: statistics.median(found) for name, found in later.items() if len(found) >= FEWEST_OTHERS}
    own = {line["test"]: line["duration_s"] for line in tests}
    extra: dict[str, list[float]] = defaultdict(list)
    for (name, _), line in first.items():
        if name in usual:
            extra[name].append(max(0.0, line["duration_s"] - usual[name]))
            own[line["test"]] = min(line["duration_s"], usual[name])
    return own, {name: statistics.mean(found) for name, found in extra.items()}


def file_of(test: str) -> str:
    """The file of a test."""
    return test.partition("::")[0]


def cut(tests: Sequence[str], durations: Mapping[str, float], of: int) -> list[list[str]]:
    """The tests of each shard, as the gate's own plugin cuts them."""
    items: list[Any] = [Item(test) for test in tests]
    groups = Algorithms[ALGORITHM].value(of, items, dict(durations))
    return [[item.nodeid for item in group.selected] for group in groups]


def predict(tests: Sequence[str], costs: Costs, of: int) -> Predicted:
    """How long each of so many shards would take."""
    return Predicted([_shard(shard, costs) for shard in cut(tests, costs.recorded, of)])


def _shard(tests: Sequence[str], costs: Costs) -> float:
    """Each group goes to the worker that is free first, which sets up what it has not yet."""
    groups: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        groups[group_of(test)].append(test)
    workers: list[tuple[float, int]] = [(0.0, number) for number in range(costs.workers)]
    ready: list[set[str]] = [set() for _ in workers]
    for group in sorted(groups.values(), key=len, reverse=True):
        free, number = heapq.heappop(workers)
        names = set(map(file_of, group)) - ready[number]
        ready[number] |= names
        took = sum(costs.own[test] + costs.between for test in group)
        took += sum(costs.set_up.get(name, 0.0) for name in names)
        heapq.heappush(workers, (free + took, number))
    return costs.fixed + max(free for free, _ in workers)
