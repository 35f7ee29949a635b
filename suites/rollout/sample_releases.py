"""Small releases for the tests: written as files, as users write them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

TOML = """[release]
name = "three"

{services}
[plan]
steps = {plan}

{constraints}{edges}"""


def write_release(
    folder: Path,
    *,
    services: Sequence[str] = ("one", "two", "three"),
    plan: Sequence[str] | None = None,
    edges: Iterable[str] | None = None,
    constraints: Iterable[tuple[str, str]] = (),
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
    )
    path = folder / "release.toml"
    path.write_text(text.replace("'", '"'), encoding="utf-8")
    return path


def list_chain_edges(services: Sequence[str]) -> list[str]:
    """Edges from each service to the next."""
    pairs = itertools.pairwise(services)
    return [f'[[edges]]\nname = "{a}-{b}"\nfrom = "{a}"\nto = "{b}"\nkind = "http"\n' for a, b in pairs]
