"""A third opinion: what Pact's Verifier is expected to find, pair by pair, leads to the same orders."""

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fixtures.core import topology
from fixtures.core.project import ROOT
from fixtures.release.order import analysis, pairwise_results
from fixtures.release.order.analysis import Analysis
from fixtures.release.order.pairwise_model import PairTable
from fixtures.release.order.pairwise_results import RecordedResult, RecordedResults, consumer_and_provider
from fixtures.release.order.release_file import Release

EXPECTED = tomllib.loads((ROOT / "pacts" / "expected.toml").read_text(encoding="utf-8"))
PAIRS = list(itertools.product(("before", "after"), repeat=2))


def read_expected(release: Release) -> Iterator[RecordedResult]:
    """The rows of pacts/expected.toml as results; where a consumer reads, its cross-reads."""
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
                yield RecordedResult(edge.name, writer, reader, success, why=row["why"], content=content)


def judge_replaced_senders(table: PairTable) -> Iterator[RecordedResult]:
    """A go-sender that reads the answer to a request of its other version: no pact covers that."""
    for writer, reader in PAIRS:
        yield RecordedResult(
            "answers", writer, reader, success=not table.rows["answers", writer, reader].damage
        )


def test_the_pacts_allow_the_same_orders_as_the_services(
    planned: Release, table: PairTable, analysed: Analysis
) -> None:
    recorded = RecordedResults((*read_expected(planned), *judge_replaced_senders(table)))
    by_pacts = analysis.analyse_release(planned, pairwise_results.build_table(planned, [recorded]), None)
    answer = analysis.build_answer(by_pacts)
    assert (answer["verdict"], answer["unknown"]) == ("go", [])
    assert by_pacts.orders.safe == analysed.orders.safe
    names = [{(p.first, p.then) for p in result.orders.precedences} for result in (by_pacts, analysed)]
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
    edge: topology.Edge, versions: tuple[str, str], planned: Release, table: PairTable
) -> None:
    pair = edge.consumer, edge.provider
    edges = [e for e in planned.edges if consumer_and_provider(e) == pair and not e.returns]
    if edge.consumer == "subscribers-postponed":
        assert not edges  # no push leads to it
        return
    (release_edge,) = edges
    success = {
        (r.edge, r.writer, r.reader): r.success for r in read_expected(planned) if r.content == r.writer
    }
    harmless = not table.rows[release_edge.name, *versions].damage
    passed_on_unchanged = harmless and not changes(table, release_edge.name, *versions)
    assert success[release_edge.name, *versions] is passed_on_unchanged


def changes(table: PairTable, edge: str, shape: str, version: str) -> bool:
    """Whether a reader passes on a shape that no version writes by itself."""
    gives: Mapping[str, Any] = table.rows[edge, shape, version].gives
    return any(" through " in shape for shape in gives.values())
