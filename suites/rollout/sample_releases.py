"""Small releases for the tests: written as files, as users write them."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from fixtures.results.report.templating import render_template

TEMPLATE = Path(__file__).resolve().with_name("release.toml.jinja")


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
    text = render_template(
        TEMPLATE,
        services=services,
        plan=list(reversed(services) if plan is None else plan),
        edges=list_chain_edges(services) if edges is None else edges,
        constraints=constraints,
        unchanged=unchanged,
    )
    path = folder / "release.toml"
    path.write_text(text, encoding="utf-8")
    return path


def list_chain_edges(services: Sequence[str]) -> list[str]:
    """Edges from each service to the next."""
    pairs = itertools.pairwise(services)
    return [f'[[edges]]\nname = "{a}-{b}"\nfrom = "{a}"\nto = "{b}"\nkind = "http"\n' for a, b in pairs]
