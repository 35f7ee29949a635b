"""The benchmarks' page shows what was measured, and a change is told from noise."""

import json
from dataclasses import replace

import pytest

from benchmarks import page
from benchmarks.__main__ import MEASURES, RESULTS, main
from benchmarks.measurement import Aim, Measurement, measure_pairs
from benchmarks.peers import generation
from fixtures.core import payloads
from fixtures.core.payloads import IdFactory

ROW = Measurement(
    name="a measure",
    unit="reports/s",
    value=50.0,
    bound="a bound",
    bound_value=100.0,
    ratio=0.5,
    lowest=0.4,
    highest=0.6,
)


def test_the_page_is_that_of_the_committed_results() -> None:
    text = page.format_page(page.read_results(RESULTS))
    assert page.PAGE.read_text(encoding="utf-8") == text, "next: ./ci/bench --keep"


def test_every_measure_is_among_the_committed_results() -> None:
    names = {row.name.split(":")[0] for row in page.read_results(RESULTS).rows}
    assert {"generation", "validation of a report", "matching an answer with its pact", "check loop"} <= names
    assert {"generation beside a peer", "variety", "cold start", "rollout", "gate"} <= names


def test_rounds_are_paired_and_their_medians_taken() -> None:
    ours, theirs = iter([1.0, 2.0, 9.0]), iter([2.0, 2.0, 3.0])
    row = measure_pairs("a", unit="payloads/s", ours=ours.__next__, bound=("b", theirs.__next__), rounds=3)
    assert (row.value, row.bound_value, row.ratio, row.lowest, row.highest) == (2.0, 2.0, 1.0, 0.5, 3.0)


@pytest.mark.parametrize(
    ("aim", "is_reached"),
    [
        (None, None),
        (Aim("ratio", 0.5), True),
        (Aim("ratio", 0.51), False),
        (Aim("value", 50.0, at_least=False), True),
        (Aim("value", 49.0, at_least=False), False),
    ],
)
def test_an_aim_is_reached_or_not(aim: Aim | None, is_reached: bool | None) -> None:  # noqa: FBT001
    assert replace(ROW, aim=aim).is_reached is is_reached


@pytest.mark.parametrize(
    ("previous", "unit", "description"),
    [
        (None, "reports/s", "new"),
        (0.5, "reports/s", "the same"),
        (0.45, "reports/s", "the same"),
        (0.25, "reports/s", "faster: 2.00 times the ratio"),
        (0.25, "s", "slower: 2.00 times the ratio"),
        (1.0, "reports/s", "slower: 0.50 times the ratio"),
        (0.25, "", "more: 2.00 times the ratio"),
    ],
)
def test_a_change_is_told_from_noise(previous: float | None, unit: str, description: str) -> None:
    row = replace(ROW, unit=unit)
    before = None if previous is None else replace(row, ratio=previous)
    assert page.describe_change(row, before) == description


def test_rows_survive_being_written() -> None:
    row = replace(ROW, aim=Aim("value", 3, at_least=False))
    assert Measurement.from_json(json.loads(json.dumps(row.to_json()))) == row


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["speed"], "unknown-measure: 'speed': allowed: peer, "),
        (["--rounds", "0"], "--rounds takes a whole number of 1 or more"),
        (["--keep", "start"], "--keep takes all measures"),
    ],
    ids=["measure", "rounds", "keep"],
)
def test_wrong_use_is_refused(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 64
    assert problem in capsys.readouterr().err


def test_variety_is_what_reports_reach() -> None:
    apns, fcm = ("google.firebase.fcm.v1.ApnsError", "google.firebase.fcm.v1.FcmError")
    details = [{"@type": f"type.googleapis.com/{fcm}", "errorCode": "UNREGISTERED"}, {}, {}]
    error = {"code": 404, "message": "", "status": "NOT_FOUND", "details": details}
    answer = {"protocol": "fcm_v1", "http_status": 404, "retry_after": None, "response": {"error": error}}
    variety = generation.list_reached([payloads.address(answer, IdFactory())])
    assert variety["cases"] == {"v1-UNREGISTERED"}
    assert variety["orders of details"] == {(f"type.googleapis.com/{fcm}", "?", "?")}
    assert f"type.googleapis.com/{apns}" in generation.known_types()
    assert any("http_status" in keyword for keyword in variety["keywords"])


@pytest.mark.process
@pytest.mark.parametrize(
    "name",
    [
        "validation",
        "matching",
        *(pytest.param(name, marks=pytest.mark.nightly) for name in ("start", "loop", "import")),
    ],
)
def test_a_measure_can_be_taken(name: str) -> None:
    for row in MEASURES[name](1):
        assert row.value > 0
        assert 0 < row.lowest <= row.ratio <= row.highest
