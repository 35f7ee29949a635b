"""A deep run explores as long as it is told, within bounds, and what it finds decides every gate after it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ci.commands import deep
from ci.exploration import rounds
from fixtures.core import payloads, schemas
from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.core.outcome import Outcome, ProviderAnswer
from fixtures.core.payloads import IdFactory
from fixtures.core.project import ROOT
from fixtures.generation import recordings, schema_coverage
from fixtures.scenarios.coverage import corpus, features, plot
from fixtures.scenarios.coverage import coverage as explored
from fixtures.scenarios.coverage.coverage import CoverageSummary
from fixtures.scenarios.coverage.recorder import REPORT_OF, BehaviourRecorder, covered_keywords
from suites.selfcheck.sample_answers import drawn

pytestmark = pytest.mark.aside


CASES = load_catalogue().cases
ACCEPTED = Outcome(ProviderAnswer(202, {"accepted": 1}, "", "application/json"))
TREE = ("ci", "fixtures", "pacts", "schemas", "suites", "conftest.py", "pyproject.toml")
DEAD = "subscribers-errors and v1-UNREGISTERED and test_new_codes"
RIGHT = "def decide(report: Report) -> Decision:\n"
WRONG = (
    "    if report['http_status'] == 598 and report['retry_after'] is None:\n        return bare(report)\n"
)
"""Rare enough that few batches show it."""


# --- what may be asked for

WRONG_USAGE: Mapping[str, tuple[tuple[str, ...], str]] = {
    "no budget": ((), "no-budget"),
    "a budget without a unit": (("--budget=30",), "bad-budget: '30'"),
    "no time at all": (("--budget=0m",), "bad-budget: '0m'"),
    "a budget in words": (("--budget=all night",), "bad-budget"),
    "another profile": (("--profile=shallow", "--budget=1m"), "unknown-profile: 'shallow': allowed: deep"),
    "no examples": (("--budget=1m", "--examples=0"), "--examples 0"),
    "an unknown variant": (("--budget=1m", "--variant=wrong-somehow"), "unknown-variant"),
    "an unknown target": (("--budget=1m", "--target=nobody=http://127.0.0.1:1"), "unknown-target"),
    "nothing to add": (("--add=no-such-file.ndjson",), "unreadable-file"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG_USAGE.values(), ids=WRONG_USAGE)
def test_wrong_usage_is_named(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [f"--build={tmp_path}", *arguments]
    try:
        status = deep.main(told)
    except SystemExit as ended:
        status = ended.code
    words = capsys.readouterr().err
    assert (status, list(tmp_path.iterdir())) == (64, [])
    assert said in words
    assert "next:" in words


@pytest.mark.parametrize(("budget", "seconds"), [("90s", 90), ("30m", 1800), ("8h", 28800)])
def test_a_budget_is_a_number_and_a_unit(budget: str, seconds: int) -> None:
    assert deep.options_of(["--profile", "deep", "--budget", budget]).seconds == seconds


def test_each_round_has_a_seed_of_its_own_that_follows_from_its_number() -> None:
    seeds = [rounds.seed_of(seed, number) for seed in (0, 1) for number in range(1, 50)]
    assert len(set(seeds)) == len(seeds)
    assert seeds[0] == rounds.seed_of(0, 1)


# --- what is told apart


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_traits_do_not_depend_on_who_a_report_is_about(case: Case) -> None:
    one, two = (payloads.address(example_report(case), IdFactory()) for _ in range(2))
    assert one != two
    assert features.payload_traits(one) == features.payload_traits(two)


def test_most_examples_of_cases_differ_in_their_traits() -> None:
    drawn_of = {case: payloads.address(example_report(case), IdFactory()) for case in CASES}
    told = {(case.protocol, features.payload_traits(report)) for case, report in drawn_of.items()}
    assert len(told) > len(CASES) * 3 / 4


@pytest.mark.parametrize("protocol", REPORT_OF)
def test_what_one_report_stresses_is_what_the_others_count(protocol: str) -> None:
    file, case = REPORT_OF[protocol], next(case for case in CASES if case.protocol == protocol)
    reports = [payloads.address(answer, IdFactory()) for answer in drawn(case)[:20]]
    seen = {mark for report in reports for mark in schema_coverage.covered(file, "", report)}
    assert seen < set(schema_coverage.coverable(file))
    unreached = {
        mark.removesuffix(": nothing reaches it") for mark in schema_coverage.uncovered(file, "", reports)
    }
    assert not unreached & seen
    assert all(covered_keywords(protocol, report) for report in reports)


def test_the_same_again_is_nothing_new(tmp_path: Path) -> None:
    notes = BehaviourRecorder(tmp_path)
    for _ in range(2):
        notes.record(
            "subscribers-errors", payloads.address_all([example_report(CASES[0])], IdFactory()), ACCEPTED
        )
        notes.flush()
    (file,) = tmp_path.iterdir()
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert (first["reports"], second["reports"]) == (1, 1)
    assert (len(first["behaviours"]) > 3, len(first["cells"])) == (True, 1)
    assert (second["behaviours"], second["cells"]) == ([], [])


# --- what all of it comes to


def line(reports: int, *behaviours: int) -> dict[str, Any]:
    """A line of notes."""
    return {"reports": reports, "behaviours": list(behaviours), "cells": []}


def after(*lines: Mapping[str, Any]) -> CoverageSummary:
    """What these notes come to, a second each."""
    whole = CoverageSummary()
    for second, one in enumerate(lines, start=1):
        whole.add_record(one, second)
    return whole


SAID = {
    "nothing was explored": ([], "Nothing was explored"),
    "all is new": ([line(100, *range(n, n + 50)) for n in range(0, 500, 50)], "still find much"),
    "a little is new": ([line(1000, n) for n in range(10)], "still find little"),
    "all was seen before": ([line(1000, 7) for _ in range(10)], "still find hardly anything"),
}


@pytest.mark.parametrize(("lines", "said"), SAID.values(), ids=SAID)
def test_the_end_of_the_curve_is_told_in_words(lines: list[dict[str, Any]], said: str) -> None:
    whole = after(*lines)
    _, words = whole.saturation()
    assert said in words
    assert said in plot.draw_curve(whole.curve, words)


def test_it_does_not_grow_however_long_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explored, "MOST", 50)
    whole = after(*[line(10, n) for n in range(3000)])
    whole.add_findings({"provider": "p", "title": f"answers {n}"} for n in range(1000))
    assert (whole.reports, whole.behaviours) == (30_000, 50)
    assert len(whole.curve) <= explored.MAX_POINTS
    assert whole.curve[-1] == (3000, 30_000, 50)
    assert (len(whole.found), whole.left_out) == (explored.MAX_KINDS, 1000 - explored.MAX_KINDS)
    assert "no more can be" in whole.saturation()[1]


def test_what_was_reached_somewhere_and_what_nowhere_is_named() -> None:
    case = CASES[0]
    whole = after({**line(1), "cells": [["subscribers-errors", case.id, {"0": 3}]]})
    coverage = whole.coverage(load_catalogue())
    marks = schema_coverage.coverable(REPORT_OF[case.protocol])
    assert (coverage["reached"], coverage["not_everywhere"]) == (1, 1)
    assert coverage["cases"][case.id]["not_everywhere"] == [marks[0]]
    assert coverage["cases"][case.id]["never"] == list(marks[1:])
    assert marks[0] not in coverage["never_by_any_case"]
    assert marks[1] in coverage["never_by_any_case"]


# --- from what was found to examples


def finding(sent: Any) -> dict[str, Any]:
    """Something that was found."""
    return {"provider": "subscribers-errors", "title": "does it wrong", "sent": sent}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_answer_that_was_found_is_judged_as_the_same_case_ever_after(case: Case, tmp_path: Path) -> None:
    report = payloads.address(example_report(case), IdFactory())
    (written,) = corpus.recording_lines([finding([report])])
    assert report["token"] not in written
    assert report["subscriber_id"] not in written
    file = tmp_path / "found.ndjson"
    file.write_text(f"{written}\n", encoding="utf-8")
    (answer,) = recordings.read_answers(file)
    assert load_catalogue().decide(answer) is case
    assert answer["retry_after"] == report["retry_after"]


def test_what_is_no_answer_makes_no_example() -> None:
    strange: list[Any] = [None, [{}], "not json", [{"http_status": 200}]]
    assert corpus.recording_lines(map(finding, strange)) == []


def test_an_example_is_added_once(tmp_path: Path) -> None:
    reports = [payloads.address(example_report(case), IdFactory()) for case in CASES[:3]]
    file, known = tmp_path / "found.ndjson", tmp_path / "known.ndjson"
    file.write_text("".join(f"{one}\n" for one in corpus.recording_lines([finding(reports)])), encoding="utf-8")
    assert [corpus.append_new(file, known), corpus.append_new(file, known)] == [3, 0]
    assert known.read_text() == file.read_text()


# --- whole runs


def ran(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A module of a tree, run there."""
    told = [sys.executable, "-m", *command]
    return subprocess.run(told, cwd=tree, capture_output=True, text=True, check=False, timeout=900)  # noqa: S603


def gate_draws(tree: Path, seed: int) -> subprocess.CompletedProcess[str]:
    """What a gate of one batch a test says of dead devices."""
    ledger = f"--ledger={tree / 'ledger.jsonl'}"
    return ran(tree, "pytest", "suites/compat", "-k", DEAD, f"--seed={seed}", "--examples=1", ledger)


@pytest.fixture
def wrong_tree(tmp_path: Path) -> Path:
    """A copy of the project whose services are wrong about a rare answer."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in TREE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, tree / name)
    file = tree / "fixtures" / "services" / "fcm_v1.py"
    text = file.read_text(encoding="utf-8")
    head, right, tail = text.partition(RIGHT)
    docstring, _, body = tail.partition("\n")
    bare = "def bare(report: Report) -> Decision:\n    return Decision('fcm_v1', 'OTHER', 'alert')\n\n\n"
    file.write_text(f"{head}{bare}{right}{docstring}\n{WRONG}{body}", encoding="utf-8")
    assert right
    return tree


@pytest.mark.process
def test_what_a_gate_misses_a_deep_run_finds_and_every_gate_after_it(wrong_tree: Path) -> None:
    seed = next(seed for seed in range(8) if gate_draws(wrong_tree, seed).returncode == 0)
    options = ("--profile=deep", "--budget=10m", "--rounds=1", "--examples=40", "-n=1")
    dug = ran(wrong_tree, "ci.commands.deep", *options, f"--seed={seed}", f"--only={DEAD}")
    assert dug.returncode == 1, dug.stdout + dug.stderr
    written = json.loads((wrong_tree / "build/deep/deep.json").read_text())
    schemas.validate(written, "deep.schema.json")
    first = written["findings"][0]
    assert first["seed"] == rounds.seed_of(seed, first["round"])
    assert f"--seed {first['seed']} --examples 40" in first["reproduce"]
    example = wrong_tree / "build/deep/found.ndjson"
    assert f"./ci/deep --add {example}" in dug.stdout
    assert ran(wrong_tree, "ci.commands.deep", "--add", str(example)).returncode == 0
    judged = gate_draws(wrong_tree, seed)
    assert judged.returncode == 1, judged.stdout
    assert '"http_status":598' in judged.stdout


@pytest.mark.process
def test_a_deep_run_that_finds_nothing_is_no_verdict(tmp_path: Path) -> None:
    options = ("--budget=10m", "--rounds=1", "--examples=3", "-n=2", f"--only={DEAD} or test_twins")
    dug = ran(ROOT, "ci.commands.deep", f"--build={tmp_path}", *options)
    assert dug.returncode == 0, dug.stdout + dug.stderr
    assert "this is no verdict" in dug.stdout
    written = json.loads((tmp_path / "deep/deep.json").read_text())
    schemas.validate(written, "deep.schema.json")
    assert written["reports"] == written["curve"][-1][1] > 0
    assert written["behaviours"] > 0
    assert written["coverage"]["cases"]["v1-UNREGISTERED"]["reached"]["subscribers-errors"] > 10
    assert (tmp_path / "deep/curve.svg").read_text().startswith("<svg")
    assert not (tmp_path / "deep/found.ndjson").exists()


@pytest.mark.process
def test_a_deep_run_that_is_stopped_tells_what_it_has_seen(tmp_path: Path) -> None:
    options = ("--budget=10m", f"--build={tmp_path}", "-n=1", f"--only={DEAD}")
    told = [sys.executable, "-m", "ci.commands.deep", *options]
    with subprocess.Popen(told, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as dug:  # noqa: S603
        deadline = time.monotonic() + 300
        while not list(tmp_path.glob("deep/notes/*.jsonl")) and time.monotonic() < deadline:
            time.sleep(0.1)
        dug.send_signal(signal.SIGINT)
        said, complained = dug.communicate(timeout=300)
    assert dug.returncode == 2, said + complained
    assert "interrupted" in complained
    assert json.loads((tmp_path / "deep/deep.json").read_text())["reports"] > 0


COULD_NOT_RUN = {
    "nobody answers": (("--target=subscribers-errors=http://127.0.0.1:1",), "round-ended-badly"),
    "nothing is selected": (("--only=no_such_test",), "no-tests"),
}


@pytest.mark.process
@pytest.mark.parametrize(("options", "said"), COULD_NOT_RUN.values(), ids=COULD_NOT_RUN)
def test_a_deep_run_that_could_not_run_says_so(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    dug = ran(ROOT, "ci.commands.deep", "--budget=10m", f"--build={tmp_path}", "-n=1", *options)
    assert dug.returncode == 2, dug.stdout + dug.stderr
    assert said in dug.stderr
    assert "could not run" in dug.stdout
