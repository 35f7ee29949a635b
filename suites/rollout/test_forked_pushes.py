"""Pushes that began alike are pushed once: what becomes of each copy is as if it had been the only one."""

from __future__ import annotations

import contextlib

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.topology import FLOW, version_map
from fixtures.platform.in_memory import InMemoryPlatform, scripted_fcm
from fixtures.release.order.end_to_end_runs import START, begun, cases_of, ended
from fixtures.release.order.traced_platform import HOPS

pytestmark = pytest.mark.process

WAYS = {
    "all-before": ("before",) * len(HOPS),
    "all-after": ("after",) * len(HOPS),
    "asked-before-heard-after": ("before", "before", *("after",) * (len(HOPS) - 2)),
    "sender-cannot-send": ("before", "after", *("before",) * (len(HOPS) - 2)),
    "api-cannot-read": ("after", "after", "after", "after", *("before",) * (len(HOPS) - 4)),
    "only-the-last-before": (*("after",) * (len(HOPS) - 2), "before", "before"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_copy_ends_as_the_pushes_themselves_and_leaves_them_alone(way: tuple[str, ...]) -> None:
    cases = cases_of(load_catalogue(), way)
    with contextlib.closing(begun(way[: len(START)], cases)) as system:
        versions = dict(zip(HOPS, way, strict=True)) | {"go-sender": system.versions["go-sender"]}
        copies = [ended(system.fork(versions), cases) for _ in range(2)]
        for name in set(FLOW).difference(START):
            system.deploy(name, versions[name])
        assert copies == [ended(system, cases)] * 2


def test_letters_under_way_are_not_lost_in_a_copy() -> None:
    system = InMemoryPlatform(scripted_fcm({}))
    system.queue.send("{}")
    with pytest.raises(ValueError, match="letters are under way"):
        system.fork(version_map("after"))
