"""Paths with the same start share it: each copy of the platform ends as if it were the only one."""

import contextlib
import itertools

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.topology import FLOW, version_map
from fixtures.platform.in_memory import InMemoryPlatform, scripted_fcm
from fixtures.release.order.end_to_end_runs import (
    START,
    finish_pushes,
    possible_cases,
    run_paths,
    start_pushes,
)
from fixtures.release.order.traced_platform import HOPS
from fixtures.services import VERSIONS

pytestmark = pytest.mark.process

STARTS = list(itertools.product(VERSIONS, repeat=len(START)))
PATHS = {
    "all-before": ("before",) * len(HOPS),
    "all-after": ("after",) * len(HOPS),
    "asked-before-heard-after": ("before", "before", *("after",) * (len(HOPS) - 2)),
    "sender-cannot-send": ("before", "after", *("before",) * (len(HOPS) - 2)),
    "api-cannot-read": ("after", "after", "after", "after", *("before",) * (len(HOPS) - 4)),
    "only-the-last-before": (*("after",) * (len(HOPS) - 2), "before", "before"),
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_copy_ends_as_the_pushes_themselves_and_leaves_them_alone(path: tuple[str, ...]) -> None:
    cases = possible_cases(load_catalogue(), path)
    with contextlib.closing(start_pushes(path[: len(START)], cases)) as platform:
        versions = dict(zip(HOPS, path, strict=True)) | {"go-sender": platform.versions["go-sender"]}
        copies = [finish_pushes(platform.fork(versions), cases) for _ in range(2)]
        for name in set(FLOW).difference(START):
            platform.deploy(name, versions[name])
        assert copies == [finish_pushes(platform, cases)] * 2


@pytest.mark.parametrize("sender", ["before", "after"])
def test_a_run_that_paths_share_is_the_run_of_each(sender: str) -> None:
    paths = [(*start, *("after",) * (len(HOPS) - len(start))) for start in STARTS if start[1] == sender]
    case = possible_cases(load_catalogue(), paths[0])[0]
    together = run_paths([case], paths)
    alone = [run_paths([case], [path]) for path in paths]
    assert together.runs == {path: run for each in alone for path, run in each.runs.items()}
    assert together.reports < len(alone) == sum(each.reports for each in alone)


def test_messages_in_transit_are_not_lost_in_a_copy() -> None:
    platform = InMemoryPlatform(scripted_fcm({}))
    platform.queue.send("{}")
    with pytest.raises(ValueError, match="a queue holds messages"):
        platform.fork(version_map("after"))
