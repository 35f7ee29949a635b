"""A third opinion: what Pact's Verifier is expected to find, pair by pair, leads to the same orders."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fixtures.core import topology
from fixtures.core.project import ROOT
from fixtures.release.order import analysis as answer
from fixtures.release.order import pairwise_results as results
from fixtures.release.order.analysis import Judged
from fixtures.release.order.pairwise import Table
from fixtures.release.order.pairwise_results import Recorded, Result
from fixtures.release.order.release_file import Edge, Release

EXPECTED = tomllib.loads((ROOT / "pacts" / "expected.toml").read_text(encoding="utf-8"))
PAIRS = list(itertools.product(("before", "after"), repeat=2))


def said_of(release: Release) -> Iterator[Result]:
    """The rows of pacts/expected.toml as results; where a consumer reads, its readings."""
    for kind, row in [(k, row) for k in ("verification", "reading") for row in EXPECTED[k]]:
        for edge in release.edges:
            if edge.returns or {edge.writer, edge.reader} != {row["consumer"], row["provider"]}:
                continue
            writes = edge.writer == row["consumer"]
            if writes != (edge.kind == "http") or (not writes and kind == "verification"):
                continue
            versions = row["consumer_version"], row["provider_version"]
            writer, reader = versions if writes else versions[::-1]
            # A version after the release passes on what was written before it as well.
            for content in {"before", writer} if edge.passes_on else {writer}:
                success = row["expected"] == "honoured" or (edge.passes_on and content == "before")
                yield Result(edge.name, writer, reader, success, why=row["why"], content=content)


def handed_over(table: Table) -> Iterator[Result]:
    """go-sender that hears what another version of it asked: no contract between two services."""
    for writer, reader in PAIRS:
        yield Result("answers", writer, reader, success=not table.rows["answers", writer, reader].damage)


def test_the_pacts_allow_the_same_orders_as_the_services(
    planned: Release, table: Table, judged: Judged
) -> None:
    recorded = Recorded((*said_of(planned), *handed_over(table)))
    by_pacts = answer.judge(planned, results.table(planned, [recorded]), None)
    found = answer.answer(by_pacts)
    assert (found["verdict"], found["unknown"]) == ("go", [])
    assert by_pacts.orders.safe == judged.orders.safe
    names = [{(p.first.name, p.then.name) for p in one.orders.precedences} for one in (by_pacts, judged)]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("edge", "versions"),
    [
        (edge, pair)
        for edge in topology.EDGES
        for pair in PAIRS
        if edge.provider in topology.load_release()["services"]
    ],
    ids=lambda value: value.id if isinstance(value, topology.Edge) else "-".join(value),
)
def test_each_pair_agrees_with_the_table(
    edge: topology.Edge, versions: tuple[str, str], planned: Release, table: Table
) -> None:
    ours = [one for one in planned.edges if ends(one) == (edge.consumer, edge.provider) and not one.returns]
    if edge.consumer == "subscribers-postponed":
        assert not ours  # who is due again comes of no push
        return
    (one,) = ours
    said = {(r.edge, r.writer, r.reader): r.success for r in said_of(planned) if r.content == r.writer}
    harmless = not table.rows[one.name, *versions].damage
    passed_on_whole = harmless and not changes(table, one.name, *versions)
    assert said[one.name, *versions] is passed_on_whole


def ends(edge: Edge) -> tuple[str, str]:
    """Consumer and provider of an edge: over HTTP the consumer writes."""
    return (edge.writer, edge.reader) if edge.kind == "http" else (edge.reader, edge.writer)


def changes(table: Table, edge: str, form: str, version: str) -> bool:
    """Whether a reader passes on something that no version writes of its own."""
    gives: Mapping[str, Any] = table.rows[edge, form, version].gives
    return any(" through " in given for given in gives.values())
