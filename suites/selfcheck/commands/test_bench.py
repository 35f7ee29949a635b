"""The benchmarks' page says what was measured, and a change is told from noise."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks import check_loop
from benchmarks.bench import pages, peer
from benchmarks.bench.__main__ import KEPT, MEASURES, main
from benchmarks.bench.rows import Aim, Row, paired
from fixtures.core import payloads
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import IdFactory

pytestmark = pytest.mark.aside

ROW = Row("a measure", "reports/s", 50.0, "a bound", 100.0, 0.5, 0.4, 0.6)


def test_the_page_is_of_the_results_that_are_kept() -> None:
    for path, text in pages.rendered(pages.read(KEPT)).items():
        assert path.read_text(encoding="utf-8") == text, "next: ./ci/bench --keep"


def test_every_measure_is_among_the_results_that_are_kept() -> None:
    names = {row.name.split(":")[0] for row in pages.read(KEPT).rows}
    for part in ("generation", "validation of a report", "matching an answer with its pact", "check loop"):
        assert part in names
    for beside_a_peer in ("generation beside a peer", "variety", "finding a fault"):
        assert beside_a_peer in names
    for whole in ("cold start", "rollout", "gate", "the gate's tests with -n 0"):
        assert whole in names


def test_rounds_are_paired_and_their_medians_taken() -> None:
    ours, theirs = iter([1.0, 2.0, 9.0]), iter([2.0, 2.0, 3.0])
    row = paired("a", "payloads/s", lambda: next(ours), ("b", lambda: next(theirs)), 3)
    assert (row.value, row.bound_value, row.ratio, row.lowest, row.highest) == (2.0, 2.0, 1.0, 0.5, 3.0)


@pytest.mark.parametrize(
    ("aim", "reached"),
    [
        (None, None),
        (Aim("ratio", 0.5), True),
        (Aim("ratio", 0.51), False),
        (Aim("value", 50.0, least=False), True),
        (Aim("value", 49.0, least=False), False),
    ],
)
def test_an_aim_is_reached_or_not(aim: Aim | None, reached: bool | None) -> None:  # noqa: FBT001
    assert replace(ROW, aim=aim).reached is reached


@pytest.mark.parametrize(
    ("before", "unit", "said"),
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
def test_a_change_is_told_from_noise(before: float | None, unit: str, said: str) -> None:
    row = replace(ROW, unit=unit)
    assert pages.change(row, None if before is None else replace(row, ratio=before)) == said


def test_a_speed_up_is_better_when_it_grows() -> None:
    row = replace(ROW, unit="s", ratio=1.9, aim=Aim("ratio", 1.8))
    assert pages.change(row, replace(row, ratio=1.1)).startswith("faster: ")


def test_rows_survive_being_written() -> None:
    row = replace(ROW, aim=Aim("value", 3, least=False))
    assert Row.from_json(json.loads(json.dumps(row.to_json()))) == row


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["speed"], "unknown-measure: 'speed': allowed: validation, "),
        (["--rounds", "0"], "--rounds takes a whole number of 1 or more"),
        (["--keep", "start"], "--keep takes all measures"),
    ],
    ids=["measure", "rounds", "keep"],
)
def test_wrong_use_is_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 64
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("provider", "asked"),
    [
        ("directory-responses", ["POST /v1/responses", "GET /v1/responses?id="]),
        (
            "subscribers-errors",
            ["POST /_pact/provider-states", "POST /v1/errors", "GET /v1/subscribers?id="],
        ),
    ],
)
def test_what_the_check_loop_asks_is_written_down(provider: str, asked: list[str]) -> None:
    answer = example_report(load_catalogue()["v1-UNREGISTERED"])
    requests = check_loop.requests_of(provider, [[answer], [answer, answer]])
    assert [f"{method} {path}".partition("=")[0] for method, path, _ in requests] == [
        one.rstrip("=") for one in asked * 2
    ]
    assert [body.count(b'"UNREGISTERED"') > 0 for *_, body in requests] == [
        one.startswith("POST /v1/") for one in asked * 2
    ]


def test_variety_is_what_reports_reach() -> None:
    apns, fcm = ("google.firebase.fcm.v1.ApnsError", "google.firebase.fcm.v1.FcmError")
    details = [{"@type": f"type.googleapis.com/{fcm}", "errorCode": "UNREGISTERED"}, {}, {}]
    error = {"code": 404, "message": "", "status": "NOT_FOUND", "details": details}
    answer = {"protocol": "fcm_v1", "http_status": 404, "retry_after": None, "response": {"error": error}}
    found = peer.reached([payloads.address(answer, IdFactory())])
    assert found["cases"] == {"v1-UNREGISTERED"}
    assert found["orders of details"] == {(f"type.googleapis.com/{fcm}", "?", "?")}
    assert f"type.googleapis.com/{apns}" in peer.known_kinds()
    assert any("http_status" in place for place in found["keywords"])


@pytest.mark.process
@pytest.mark.parametrize("name", ["validation", "matching", "raw", "start"])
def test_a_measure_can_be_taken(name: str) -> None:
    for row in MEASURES[name](1):
        assert row.value > 0
        assert 0 < row.lowest <= row.ratio <= row.highest
