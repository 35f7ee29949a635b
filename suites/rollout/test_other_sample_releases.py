"""Releases of other people: services, edges and results are data, and what nobody verified is unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.topology import RELEASE_FILE
from fixtures.release.order import analysis
from fixtures.release.order import pairwise_results as results
from fixtures.release.order import release_file as release
from fixtures.release.order.pairwise_results import Recorded, ResultsError
from fixtures.release.order.release_file import Step
from suites.rollout.sample_releases import build_service_chain, verified, written

pytestmark = pytest.mark.aside

EXAMPLES = RELEASE_FILE.parent / "examples"
EDGES = ("one-two", "two-three")


def answered(path: Path, *recorded: Recorded) -> dict[str, Any]:
    """The answer on a release, by what was recorded."""
    found = release.read(path)
    return analysis.answer(analysis.judge(found, results.table(found, recorded), None))


def test_the_example_is_go_with_its_two_constraints() -> None:
    path = EXAMPLES / "orders.toml"
    found = answered(path, results.of_release(release.read(path)))
    assert (found["verdict"], found["orders"]) == ("go", {"all": 24, "safe": 4, "undecided": 0})
    assert [(c["first"], c["then"]) for c in found["constraints"]] == [
        ("billing", "shop"),
        ("ledger", "billing"),
    ]
    assert "drops an entry with a VAT id" in found["constraints"][1]["because"]
    assert found["explained"]


def test_the_example_the_wrong_way_round_is_no_go_and_shows_how() -> None:
    path = EXAMPLES / "orders.toml"
    wrong = release.with_plan(release.read(path), [Step(name) for name in ("billing", "ledger", "shop")])
    table = results.table(wrong, [results.of_release(wrong)])
    found = analysis.answer(analysis.judge(wrong, table, None))
    assert found["verdict"] == "no-go"
    (damage,) = found["steps"][0]["damage"]
    assert damage["timeline"] == [
        "deploy billing: 2.8 -> 2.9",
        "billing 2.9 writes entries",
        "ledger 1.0 reads them: drops an entry with a VAT id",
    ]
    assert found["suggestion"] == ["ledger", "billing", "shop"]


def test_long_lived_data_closes_the_way_back() -> None:
    path = EXAMPLES / "orders.toml"
    found = answered(path, results.of_release(release.read(path)))
    assert [step["way_back"]["state"] for step in found["steps"]] == [
        "open",
        "after-stopping",
        "closed",
        "closed",
    ]


def test_what_was_never_verified_is_named_and_undecided(tmp_path: Path) -> None:
    gap = ("two-three", "before", "after")
    found = answered(written(tmp_path), verified(*EDGES, but=[gap]))
    assert found["verdict"] == "undecided"
    assert found["unknown"] == ["two-three: two 1.0 -> three 2.0"]
    assert found["orders"] == {"all": 6, "safe": 0, "undecided": 1}
    assert [step["way_back"]["state"] for step in found["steps"]] == ["after-stopping", "unknown", "unknown"]


def test_nothing_verified_is_undecided_and_never_go(tmp_path: Path) -> None:
    found = answered(written(tmp_path), Recorded())
    assert found["verdict"] == "undecided"
    assert len(found["unknown"]) == 6


def test_damage_outweighs_what_is_unknown(tmp_path: Path) -> None:
    path = written(tmp_path, plan=["one", "two", "three"])
    found = answered(path, verified(*EDGES, but=[("two-three", "before", "after")]))
    assert found["verdict"] == "no-go"


def test_a_stated_constraint_that_the_plan_breaks_is_no_go(tmp_path: Path) -> None:
    path = written(tmp_path, constraints=[("one", "three")])
    found = answered(path, verified(*EDGES))
    assert found["verdict"] == "no-go"
    assert found["reasons"] == ["stated-constraint: one must come before three: said so"]


@pytest.mark.parametrize("services", [3, 7, 12])
def test_a_chain_has_one_more_safe_order_than_services_but_two(services: int) -> None:
    # Its services go in one order only; the clean-up of the queue may stand anywhere among them.
    found, recorded = build_service_chain(services)
    said = analysis.answer(analysis.judge(found, results.table(found, [recorded]), None))
    assert said["verdict"] == "go"
    assert said["orders"]["safe"] == services + 1
    assert said["explained"]


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


def recorded_in(folder: Path, data: Any) -> Recorded:
    """What is read from a folder with one file."""
    (folder / "results").mkdir()
    (folder / "results" / "a.json").write_text(json.dumps(data), encoding="utf-8")
    return results.of_folder(release.read(written(folder)), folder / "results")


def test_a_verification_of_a_pact_becomes_results(tmp_path: Path) -> None:
    found = recorded_in(tmp_path, VERIFICATION)
    assert [(r.edge, r.writer, r.reader, r.success, r.case, r.why) for r in found.results] == [
        ("one-two", "after", "before", True, "every case", ""),
        ("one-two", "after", "before", False, "c", "no"),
    ]


def test_a_queue_is_read_by_the_consumer(tmp_path: Path) -> None:
    queue = [
        '[[edges]]\nname = "one-two"\nfrom = "one"\nto = "two"\nkind = "queue"\n',
        '[[edges]]\nname = "two-three"\nfrom = "two"\nto = "three"\nkind = "http"\n',
    ]
    found = release.read(written(tmp_path, edges=queue))
    data = {**VERIFICATION, "consumer": "two", "provider": "one"}
    (first, _) = results.of_verification(found, data, "a.json")
    assert (first["edge"], first["writer"], first["reader"]) == ("one-two", "1.0", "2.0")


def test_a_verification_of_a_service_that_stays_says_nothing(tmp_path: Path) -> None:
    assert recorded_in(tmp_path, {**VERIFICATION, "provider": "fcm"}).results == ()


def test_results_of_other_versions_are_named_and_say_nothing(tmp_path: Path) -> None:
    found = recorded_in(tmp_path, {**VERIFICATION, "consumer_version": "0.9"})
    assert found.results == ()
    assert found.strangers == ("a.json: one 0.9 -> two 1.0",)


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
    (found,) = recorded_in(tmp_path, matrix(success)).results
    assert (found.edge, found.writer, found.reader, found.success) == ("one-two", "after", "before", success)


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
    found = release.read(written(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError, match="no-results"):
        results.of_folder(found, tmp_path / "empty")
    (tmp_path / "empty" / "a.json").write_text("{", encoding="utf-8")
    with pytest.raises(ResultsError, match=r"unreadable-results: 'a\.json'"):
        results.of_folder(found, tmp_path / "empty")
