"""The history keeps earlier runs, survives a bad line, and shows changes per environment."""

import json
from pathlib import Path
from typing import Any

from fixtures.core import schemas
from fixtures.results.report import history
from fixtures.results.report.model import ReportRun
from suites.selfcheck.results.sample_reports import build_run, no_go_run
from suites.selfcheck.results.sample_runs import change_line, good_run


def make_line(reported_run: ReportRun, **members: Any) -> dict[str, Any]:
    line = {**history.summarize_run(reported_run, "c0ffee"), **members}
    schemas.validate(line, history.SCHEMA)
    return line


def test_the_first_run_has_nothing_to_compare_with(tmp_path: Path) -> None:
    now = make_line(build_run(tmp_path, good_run()))
    assert history.find_changes([], now).since == ""
    assert history.find_changes([now], now).since == "", "a run that is recorded twice is not its own past"
    elsewhere = {**now, "environment": "production", "run": "r0"}
    assert history.find_changes([elsewhere], now).since == ""


def test_new_and_mended_kinds_are_told(tmp_path: Path) -> None:
    good, bad = (
        make_line(build_run(tmp_path, good_run()), run="r0"),
        make_line(no_go_run(tmp_path), run="r2"),
    )
    worse, better = history.find_changes([good], bad), history.find_changes([bad], good)
    assert (worse.verdict_was, len(worse.new), len(worse.gone)) == ("go", 2, 0)
    assert (better.verdict_was, len(better.new), len(better.gone)) == ("no-go", 0, 2)
    assert any(line.endswith("passed -> failed") for line in worse.cases)
    assert not worse.is_empty


def test_another_version_is_told(tmp_path: Path) -> None:
    lines = good_run()
    versions = {name: {**tested, "version": "0.1"} for name, tested in lines[0]["versions"].items()}
    change_line(0, versions=versions)(lines)
    now, last = (make_line(build_run(tmp_path, good_run())), make_line(build_run(tmp_path, lines), run="r0"))
    assert (
        "subscribers-errors: 0.1 (embedded) -> 1.66.4.1 (embedded)"
        in history.find_changes([last], now).versions
    )


def test_the_last_run_of_the_environment_counts(tmp_path: Path) -> None:
    good = build_run(tmp_path, good_run())
    runs = [make_line(good, run="r0", verdict="no-go"), make_line(good, run="r1", verdict="undecided")]
    assert history.find_changes(runs, make_line(good, run="r2")).verdict_was == "undecided"


def test_a_spoilt_line_costs_no_other(tmp_path: Path) -> None:
    good = make_line(build_run(tmp_path, good_run()))
    text = "".join(["{\n", json.dumps(good) + "\n", '{"run": 1}\n', json.dumps(good)[:40]])
    assert history.parse_history(text) == [good]


def test_a_run_is_remembered_once_and_the_oldest_are_dropped(tmp_path: Path) -> None:
    good = make_line(build_run(tmp_path, good_run()))
    many = [{**good, "run": f"r{number}"} for number in range(history.MAX_RUNS + 5)]
    text = history.append_runs(many, [many[-1]])
    assert [run["run"] for run in history.parse_history(text)] == [run["run"] for run in many[5:]]


def test_runs_of_deployments_and_of_reference_services_are_kept_apart(tmp_path: Path) -> None:
    embedded = make_line(no_go_run(tmp_path), run="r0")
    lines = good_run()
    deployed = lines[0]["versions"] | {
        "subscribers-errors": {"version": "2", "target": "https://push.example"}
    }
    change_line(0, versions=deployed)(lines)
    now = make_line(build_run(tmp_path, lines), run="r2")
    assert history.find_changes([embedded], now).since == ""
    assert history.find_changes([embedded, {**now, "run": "r1"}], now).verdict_was == "go"
