"""Threads that take turns share a CPU for as long as they run, and nobody else is kept on it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from fixtures.platform import cpu_affinity, over_http
from fixtures.platform.base import FLOW

pytestmark = pytest.mark.aside

THREADS = Path("/proc/self/task")


def test_a_block_and_the_threads_that_it_starts_share_one_cpu_until_it_ends() -> None:
    mine, seen = os.sched_getaffinity(0), list[set[int]]()
    with cpu_affinity.on_one(), cpu_affinity.on_one():
        thread = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
        thread.start()
        thread.join()
        assert seen == [os.sched_getaffinity(0)]
        assert len(seen[0]) == 1
        assert seen[0] <= mine
    assert os.sched_getaffinity(0) == mine


def test_all_threads_of_a_chain_share_one_cpu() -> None:
    mine, before = os.sched_getaffinity(0), set(THREADS.iterdir())
    with over_http.running():
        started = set(THREADS.iterdir()) - before
        places = {frozenset(os.sched_getaffinity(int(thread.name))) for thread in started}
        assert len(started) >= len(FLOW)
        assert [len(place) for place in places] == [1]
    assert os.sched_getaffinity(0) == mine
