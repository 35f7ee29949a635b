"""Small releases for the tests: written as files, as users write them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from fixtures.release.order.pairwise_results import RecordedResult, RecordedResults
from fixtures.release.order.release_file import CLEAN, Edge, Release
from fixtures.services import VERSIONS

TOML = """[release]
name = "three"

{services}
[plan]
steps = {plan}

{constraints}{edges}{results}"""


def write_release(  # noqa: PLR0913 - each part of the file can be wrong
    folder: Path,
    *,
    services: Sequence[str] = ("one", "two", "three"),
    plan: Sequence[str] | None = None,
    edges: Iterable[str] | None = None,
    constraints: Iterable[tuple[str, str]] = (),
    results: str = "",
    unchanged: str = "",
) -> Path:
    """A release of a chain of services, each behind the next."""
    service_tables = [
        f'[services.{name}]\nbefore = "1.0"\nafter = "{"1.0" if name == unchanged else "2.0"}"\n'
        for name in services
    ]
    constraint_tables = [
        f'[[constraints]]\nfirst = "{first}"\nthen = "{then}"\nwhy = "said so"\n\n'
        for first, then in constraints
    ]
    text = TOML.format(
        services="\n".join(service_tables),
        plan=list(plan if plan is not None else reversed(services)),
        constraints="".join(constraint_tables),
        edges="\n".join(edges if edges is not None else list_chain_edges(services)),
        results=results,
    )
    path = folder / "release.toml"
    path.write_text(text.replace("'", '"'), encoding="utf-8")
    return path


def list_chain_edges(services: Sequence[str]) -> list[str]:
    """Edges from each service to the next."""
    pairs = itertools.pairwise(services)
    return [f'[[edges]]\nname = "{a}-{b}"\nfrom = "{a}"\nto = "{b}"\nkind = "http"\n' for a, b in pairs]


def verify_pairs(*edges: str, but: Iterable[tuple[str, str, str]] = ()) -> RecordedResults:
    """Results of every pair of these edges: only what is new to an old reader fails; some are missing."""
    missing = set(but)
    pairs = itertools.product(edges, VERSIONS, VERSIONS)
    return RecordedResults(
        tuple(
            RecordedResult(*pair, success=pair[1:] != ("after", "before"))
            for pair in pairs
            if pair not in missing
        )
    )


def build_service_chain(services: int) -> tuple[Release, RecordedResults]:
    """A release of `services` services in a row, and its verified pairs.

    The first service writes into a queue that is cleaned as a step of its own, the others pass on by HTTP. No
    service accepts, before its release, what the service in front of it writes after its own.
    """
    names = [f"service-{number}" for number in range(1, services + 1)]
    edges = tuple(
        Edge(f"from {writer}", writer, reader, "http" if index else "queue", long_lived=not index)
        for index, (writer, reader) in enumerate(itertools.pairwise(names))
    )
    steps = (*reversed(names), CLEAN + edges[0].name)
    release = Release(Path("chain.toml"), dict.fromkeys(names, ("1.0", "2.0")), edges, steps)
    return release, verify_pairs(*(edge.name for edge in edges))
