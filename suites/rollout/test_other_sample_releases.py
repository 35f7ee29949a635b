"""Other releases: services, edges and results are data, and what was never verified is unknown."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.topology import RELEASE_FILE
from fixtures.release.order import analysis, pairwise_results, release_file
from fixtures.release.order.pairwise_results import RecordedResult, RecordedResults, ResultsError
from fixtures.release.order.release_file import CLEAN, MessageEdge, Release
from fixtures.services import VERSIONS
from suites.rollout.sample_releases import write_release

pytestmark = pytest.mark.aside

EXAMPLES = RELEASE_FILE.parent / "examples"
EDGES = ("one-two", "two-three")


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


def judge(path: Path, *recorded: RecordedResults) -> dict[str, Any]:
    release = release_file.read_release(path)
    table = pairwise_results.build_table(release, recorded)
    return analysis.build_answer(analysis.analyse_release(release, table, None))


def test_the_example_is_go_with_its_two_constraints() -> None:
    path = EXAMPLES / "orders.toml"
    answer = judge(path, pairwise_results.read_release_results(release_file.read_release(path)))
    assert (answer["verdict"], answer["orders"]) == ("go", {"all": 24, "safe": 4, "undecided": 0})
    assert [(c["first"], c["then"]) for c in answer["constraints"]] == [
        ("billing", "shop"),
        ("ledger", "billing"),
    ]
    assert "drops an entry with a VAT id" in answer["constraints"][1]["because"]
    assert answer["explained"]


def test_the_example_the_wrong_way_round_is_no_go_and_shows_how() -> None:
    path = EXAMPLES / "orders.toml"
    problem = release_file.with_plan(release_file.read_release(path), ["billing", "ledger", "shop"])
    table = pairwise_results.build_table(problem, [pairwise_results.read_release_results(problem)])
    answer = analysis.build_answer(analysis.analyse_release(problem, table, None))
    assert answer["verdict"] == "no-go"
    (damage,) = answer["steps"][0]["damage"]
    assert damage["timeline"] == [
        "deploy billing: 2.8 -> 2.9",
        "billing 2.9 writes entries",
        "ledger 1.0 reads them: drops an entry with a VAT id",
    ]
    assert answer["suggestion"] == ["ledger", "billing", "shop"]


def test_long_lived_data_closes_the_way_back() -> None:
    path = EXAMPLES / "orders.toml"
    answer = judge(path, pairwise_results.read_release_results(release_file.read_release(path)))
    assert [step["way_back"]["state"] for step in answer["steps"]] == [
        "open",
        "after-stopping",
        "closed",
        "closed",
    ]


def test_what_was_never_verified_is_named_and_undecided(tmp_path: Path) -> None:
    gap = ("two-three", "before", "after")
    answer = judge(write_release(tmp_path), verify_pairs(*EDGES, but=[gap]))
    assert answer["verdict"] == "undecided"
    assert answer["unknown"] == ["two-three: two 1.0 -> three 2.0"]
    assert answer["orders"] == {"all": 6, "safe": 0, "undecided": 1}
    assert [step["way_back"]["state"] for step in answer["steps"]] == ["after-stopping", "unknown", "unknown"]


def test_nothing_verified_is_undecided_and_never_go(tmp_path: Path) -> None:
    answer = judge(write_release(tmp_path), RecordedResults())
    assert answer["verdict"] == "undecided"
    assert len(answer["unknown"]) == 6


def test_damage_outweighs_what_is_unknown(tmp_path: Path) -> None:
    path = write_release(tmp_path, plan=["one", "two", "three"])
    answer = judge(path, verify_pairs(*EDGES, but=[("two-three", "before", "after")]))
    assert answer["verdict"] == "no-go"


def test_a_stated_constraint_that_the_plan_breaks_is_no_go(tmp_path: Path) -> None:
    path = write_release(tmp_path, constraints=[("one", "three")])
    answer = judge(path, verify_pairs(*EDGES))
    assert answer["verdict"] == "no-go"
    assert answer["reasons"] == ["stated-constraint: one must come before three: said so"]


def build_service_chain(services: int) -> tuple[Release, RecordedResults]:
    """A release of `services` services in a row, and its verified pairs.

    The first service writes into a queue that is cleaned as a step of its own, the others pass on by HTTP. No
    service accepts, before its release, what the service in front of it writes after its own.
    """
    names = [f"service-{number}" for number in range(1, services + 1)]
    edges = tuple(
        MessageEdge(f"from {writer}", writer, reader, "http" if index else "queue", long_lived=not index)
        for index, (writer, reader) in enumerate(itertools.pairwise(names))
    )
    steps = (*reversed(names), CLEAN + edges[0].name)
    release = Release(Path("chain.toml"), dict.fromkeys(names, ("1.0", "2.0")), edges, steps)
    return release, verify_pairs(*(edge.name for edge in edges))


@pytest.mark.parametrize("services", [3, 7, 12])
def test_a_chain_has_one_more_safe_order_than_services_but_two(services: int) -> None:
    # Its services go in one order only; the clean-up of the queue may stand anywhere among them.
    release, recorded = build_service_chain(services)
    table = pairwise_results.build_table(release, [recorded])
    answer = analysis.build_answer(analysis.analyse_release(release, table, None))
    assert answer["verdict"] == "go"
    assert answer["orders"]["safe"] == services + 1
    assert answer["explained"]


# What was recorded as files.

VERIFICATION = {
    "consumer": "one",
    "consumer_version": "2.0",
    "provider": "two",
    "provider_version": "1.0",
    "edge": "one->two",
    "results": [
        {"interaction": "old", "case": None, "protocol": None, "success": True, "problem": None},
        {"interaction": "new", "case": "c", "protocol": None, "success": False, "problem": "no"},
    ],
}


def recorded_in(folder: Path, data: Any) -> RecordedResults:
    """What is read from a folder with one file."""
    (folder / "results").mkdir()
    (folder / "results" / "a.json").write_text(json.dumps(data), encoding="utf-8")
    return pairwise_results.read_folder(release_file.read_release(write_release(folder)), folder / "results")


def test_a_verification_of_a_pact_becomes_results(tmp_path: Path) -> None:
    answer = recorded_in(tmp_path, VERIFICATION)
    assert [(r.edge, r.writer, r.reader, r.success, r.case, r.why) for r in answer.results] == [
        ("one-two", "after", "before", True, "every case", ""),
        ("one-two", "after", "before", False, "c", "no"),
    ]


def test_a_queue_is_read_by_the_consumer(tmp_path: Path) -> None:
    queue = [
        '[[edges]]\nname = "one-two"\nfrom = "one"\nto = "two"\nkind = "queue"\n',
        '[[edges]]\nname = "two-three"\nfrom = "two"\nto = "three"\nkind = "http"\n',
    ]
    answer = release_file.read_release(write_release(tmp_path, edges=queue))
    data = {**VERIFICATION, "consumer": "two", "provider": "one"}
    (first, _) = pairwise_results.read_verification(answer, data, "a.json")
    assert (first["edge"], first["writer"], first["reader"]) == ("one-two", "1.0", "2.0")


def test_a_verification_of_a_service_that_stays_says_nothing(tmp_path: Path) -> None:
    assert recorded_in(tmp_path, {**VERIFICATION, "provider": "fcm"}).results == ()


def test_results_of_other_versions_are_named_and_say_nothing(tmp_path: Path) -> None:
    answer = recorded_in(tmp_path, {**VERIFICATION, "consumer_version": "0.9"})
    assert answer.results == ()
    assert answer.unknown_versions == ("a.json: one 0.9 -> two 1.0",)


def matrix(success: bool | None) -> dict[str, Any]:  # noqa: FBT001 - as the broker has it
    """A Pact Broker's matrix with one row."""
    verified_ = None if success is None else {"success": success, "number": 1}
    row = {
        "consumer": {"name": "one", "version": {"number": "2.0"}},
        "provider": {"name": "two", "version": {"number": "1.0"}},
        "verificationResult": verified_,
    }
    return {"summary": {"deployable": success}, "matrix": [row]}


@pytest.mark.parametrize("success", [True, False])
def test_a_row_of_a_brokers_matrix_is_a_result(success: bool, tmp_path: Path) -> None:  # noqa: FBT001
    (answer,) = recorded_in(tmp_path, matrix(success)).results
    assert (answer.edge, answer.writer, answer.reader, answer.success) == (
        "one-two",
        "after",
        "before",
        success,
    )


def test_a_row_without_a_verification_says_nothing(tmp_path: Path) -> None:
    assert recorded_in(tmp_path, matrix(None)).results == ()


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        ({"edge": "one-four", "writer": "1.0", "reader": "1.0", "success": True}, "unknown-edge"),
        ({"edge": "one-two", "writer": "1.0", "reader": "1.0", "success": "yes"}, "bad-result"),
        ({"edge": "one-two"}, "bad-result"),
        (["text"], "bad-result"),
        ({"consumer": "one", "provider": "two"}, "unreadable-results"),
        ({**VERIFICATION, "provider": "three"}, "unknown-pair"),
        ({"matrix": [{"consumer": {}}]}, "unreadable-results"),
        ({"matrix": 3}, "unreadable-results"),
    ],
    ids=["edge", "type", "member", "text", "version", "pair", "row", "matrix"],
)
def test_results_that_cannot_be_read_are_refused_by_name(data: Any, slug: str, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=f"^{slug}: (.|\n)*  next: "):
        recorded_in(tmp_path, data)


def test_an_empty_folder_and_a_broken_file_are_refused(tmp_path: Path) -> None:
    answer = release_file.read_release(write_release(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError, match="no-results"):
        pairwise_results.read_folder(answer, tmp_path / "empty")
    (tmp_path / "empty" / "a.json").write_text("{", encoding="utf-8")
    with pytest.raises(ResultsError, match=r"unreadable-results: 'a\.json'"):
        pairwise_results.read_folder(answer, tmp_path / "empty")
