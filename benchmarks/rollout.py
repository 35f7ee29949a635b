"""How the time to judge a release grows with its services: `python -m benchmarks.rollout`.

Each release is a chain: the first service writes into a queue that is cleaned as a step of its own, the
others pass on by HTTP, and no service before its release takes what the one in front of it writes after its
own.
"""

from __future__ import annotations

import itertools
import resource
import time
from pathlib import Path

from fixtures.release.order import analysis
from fixtures.release.order import pairwise_results as results
from fixtures.release.order.pairwise_results import Recorded, Result
from fixtures.release.order.release_file import CLEAN, FEWEST, MOST, Edge, Release, Step


def main() -> None:
    """Judge chains of every size by composition, and print how long each takes."""
    print("services         orders  safe   states  seconds  peak MB")
    for services in range(FEWEST, MOST + 1):
        release, recorded = chain(services)
        started = time.perf_counter()
        found = analysis.answer(analysis.judge(release, results.table(release, [recorded]), None))
        seconds = time.perf_counter() - started
        orders, states = found["orders"], found["judged"]["states"]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        counts = f"{services:8}  {orders['all']:13,}  {orders['safe']:4,}  {states:7,}"
        print(f"{counts}  {seconds:7.2f}  {peak:7.0f}")


def chain(services: int) -> tuple[Release, Recorded]:
    """A chain of services, and what was verified of it."""
    names = [f"service-{number}" for number in range(1, services + 1)]
    edges = tuple(
        Edge(f"from {writer}", writer, reader, "http" if place else "queue", long_lived=not place)
        for place, (writer, reader) in enumerate(itertools.pairwise(names))
    )
    steps = (*map(Step, reversed(names)), Step(CLEAN + edges[0].name))
    release = Release(Path("chain.toml"), dict.fromkeys(names, ("1.0", "2.0")), edges, steps)
    versions = ("before", "after")
    recorded = Recorded(
        tuple(
            Result(edge.name, writer, reader, success=(writer, reader) != ("after", "before"))
            for edge in edges
            for writer in versions
            for reader in versions
        )
    )
    return release, recorded


if __name__ == "__main__":
    main()
