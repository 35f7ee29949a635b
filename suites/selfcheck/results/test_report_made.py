"""./ci/report writes all files, works without npm, and notices results that Allure loses."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ci.commands import report
from ci.support import allure as running
from fixtures.core.project import ROOT
from fixtures.results import build_folder
from fixtures.results.report import allure
from fixtures.results.report.model import ReportRun
from suites.selfcheck.results.sample_reports import (
    add_finding,
    build_run,
    hostile_run,
    no_go_run,
    run_report,
    write_record,
    wrong_state,
)
from suites.selfcheck.results.sample_runs import CASES, GOOD_TESTS, Line, change_line, good_run

pytestmark = pytest.mark.process


MakeReport = Callable[[Sequence[Path], Path], int]
TOOLS = ("bash", "env", "dirname", "cksum", "cut", "git", "touch", "rm")


@pytest.fixture
def make_report(monkeypatch: pytest.MonkeyPatch) -> MakeReport:
    """Runs the command in this process, without Allure, which changes no verdict."""
    monkeypatch.setattr(running, "generate_pages", lambda *_, **__: "no Allure report")
    return lambda ledgers, build: report.main([*map(str, ledgers), f"--build={build}"])


@pytest.mark.parametrize(
    ("make", "status"),
    [
        pytest.param(lambda folder: build_run(folder, good_run()), 0, id="go"),
        pytest.param(no_go_run, 1, id="no-go"),
        pytest.param(
            lambda folder: build_run(folder, good_run()[:-1]), 2, id="undecided", marks=pytest.mark.nightly
        ),
        pytest.param(hostile_run, 1, id="hostile", marks=pytest.mark.nightly),
    ],
)
def test_the_report_holds_every_result_and_agrees_with_the_verdict(
    tmp_path: Path, make: Any, status: int
) -> None:
    run: ReportRun = make(tmp_path)
    build = tmp_path / "build"
    ledger = write_record(run, tmp_path / "ledger.jsonl", build)
    done = run_report([ledger], build)
    assert (done.returncode, done.stderr) == (status, "")
    exported = json.loads((build / "report" / "allure" / "test-results.json").read_text(encoding="utf-8"))
    assert len(exported["byId"]) == len(run.results)
    gate = json.loads((build / "report" / "allure" / "quality-gate.json").read_text(encoding="utf-8"))
    assert all(rule["success"] for rule in gate) == (status == 0)
    for name in ("index.html", "cases.html", "exports/cases.csv", "exports/summary.md", "exports/ctrf.json"):
        assert (build / "report" / name).stat().st_size > 0
    assert (build / "junit.xml").stat().st_size > 0


def test_an_old_report_never_speaks_for_a_new_run(tmp_path: Path, make_report: MakeReport) -> None:
    build = build_folder.adopt(tmp_path / "build")
    for folder in (build / "report" / "findings", build / "allure-results"):
        folder.mkdir(parents=True)
        (folder / "old-result.json").write_text('{"uuid": "old", "name": "old", "status": "failed"}')
    ledger = write_record(build_run(tmp_path, good_run()), tmp_path / "ledger.jsonl", tmp_path / "at")
    assert make_report([ledger], build) == 0
    assert list(build.rglob("old-result.json")) == []


@pytest.mark.nightly
def test_a_run_told_twice_is_one_point_of_the_history(tmp_path: Path) -> None:
    build = tmp_path / "build"
    ledger = write_record(build_run(tmp_path, good_run()), tmp_path / "ledger.jsonl", build)
    assert run_report([ledger], build).returncode == 0
    (build / "history" / "allure.jsonl").unlink()  # as if Allure were installed now
    for _ in range(2):
        done = run_report([ledger], build)
        assert (done.returncode, "Allure" in done.stdout) == (0, False)
    for name in ("runs.jsonl", "allure.jsonl"):
        assert len((build / "history" / name).read_text(encoding="utf-8").splitlines()) == 1, name


def test_shards_of_one_environment_are_judged_together(tmp_path: Path, make_report: MakeReport) -> None:
    lines = good_run()
    halves = [lines[:40], [lines[0], *lines[40:]]]
    files = []
    for number, half in enumerate(halves):
        tests = [dict(line) for line in half if line["kind"] == "test"]
        header, footer = dict(lines[0]), dict(lines[-1])
        header["collected"] = footer["tests"] = len(tests)
        file = tmp_path / f"shard-{number}.jsonl"
        text = "".join(json.dumps(line) + "\n" for line in [header, *tests, footer])
        file.write_text(text, encoding="utf-8")
        files.append(file)
    assert make_report(files, tmp_path / "build") == 2, "the gate's own policy asks for more"
    assert "too-few-tests" in (tmp_path / "build" / "junit.xml").read_text(encoding="utf-8")
    exported = json.loads(
        (tmp_path / "build" / "report" / "exports" / "ctrf.json").read_text(encoding="utf-8")
    )
    names = {test["extra"]["test"] for test in exported["results"]["tests"]}
    assert {line["test"] for line in GOOD_TESTS} <= names
    assert not any(name.startswith("did not run: ") or "twins" in name for name in names)


def test_the_worst_of_two_environments_decides(tmp_path: Path, make_report: MakeReport) -> None:
    good = write_record(build_run(tmp_path, good_run()), tmp_path / "ledger.jsonl", tmp_path / "a")
    lines = add_finding(good_run(), wrong_state(CASES[0], "active"))
    change_line(0, environment="production")(lines)
    bad = write_record(build_run(tmp_path, lines), tmp_path / "ledger.jsonl", tmp_path / "b")
    assert make_report([good, bad], tmp_path / "build") == 1
    page = (tmp_path / "build" / "report" / "index.html").read_text(encoding="utf-8")
    assert "Environments side by side" in page


def test_a_ledger_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    done = run_report([tmp_path / "no.jsonl"], tmp_path / "build")
    assert done.returncode == 64
    assert done.stderr.startswith("no-ledger: ")
    assert "next: ./ci/gate" in done.stderr


def test_the_verdict_of_another_run_is_not_that_of_a_ledger(
    tmp_path: Path, make_report: MakeReport, capsys: pytest.CaptureFixture[str]
) -> None:
    build = tmp_path / "build"
    ledger = write_record(build_run(tmp_path, good_run()), tmp_path / "ledger.jsonl", build)
    # So does ./ci/test after a gate: its ledger has a run of its own, and no gate judges it.
    ledger.write_text(ledger.read_text(encoding="utf-8").replace('"r1"', '"r2"'), encoding="utf-8")
    assert make_report([ledger], build) == 2
    assert capsys.readouterr().out.startswith("UNDECIDED: ")
    assert "ledger-of-no-gate" in (build / "report" / "exports" / "summary.md").read_text(encoding="utf-8")


def test_a_verdict_that_its_ledger_contradicts_is_undecided(tmp_path: Path, make_report: MakeReport) -> None:
    build = tmp_path / "build"
    ledger = write_record(build_run(tmp_path, good_run()), tmp_path / "ledger.jsonl", build)
    text = ledger.read_text(encoding="utf-8")
    ledger.write_text(text.replace('"result": "passed"', '"result": "broken"', 1), encoding="utf-8")
    assert make_report([ledger], build) == 2
    assert "verdict-contradicts-ledger" in (build / "junit.xml").read_text(encoding="utf-8")


def test_a_report_that_crashes_is_no_verdict(tmp_path: Path) -> None:
    ledger = write_record(build_run(tmp_path, good_run()), tmp_path / "ledger.jsonl", tmp_path / "build")
    (tmp_path / "build" / "verdict.json").write_text("{", encoding="utf-8")
    done = run_report([ledger], tmp_path / "build")
    assert done.returncode == 70
    assert not (tmp_path / "build" / "report").exists()
    assert "report-crashed: this is no verdict" in done.stderr


def bare_tree(folder: Path) -> tuple[Path, str]:
    """A fresh checkout of the project, and a PATH without npm and Node."""
    tree, tools = folder / "tree", folder / "tools"
    for name in ("ci", "fixtures", "schemas"):
        shutil.copytree(
            ROOT / name, tree / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__")
        )
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(shutil.which(name) or name)
    return tree, str(tools)


def test_allure_is_installed_only_when_it_is_asked_for(tmp_path: Path) -> None:
    tree, _ = bare_tree(tmp_path)
    ledger = write_record(no_go_run(tmp_path), tmp_path / "ledger.jsonl", tmp_path / "build")
    done = run_report([ledger], tmp_path / "build", root=tree, options=())
    assert (done.returncode, done.stderr) == (1, "")
    assert "it is not installed; next: ./ci/report --allure" in done.stdout
    assert not (tree / "ci" / "allure" / "node_modules").exists()


def test_without_npm_everything_but_allure_is_there_with_one_line_on_how_to_get_it(tmp_path: Path) -> None:
    tree, path = bare_tree(tmp_path)
    build = tmp_path / "build"
    run = no_go_run(tmp_path)
    ledger = write_record(run, tmp_path / "ledger.jsonl", build)
    done = run_report([ledger], build, root=tree, path=path)
    assert (done.returncode, done.stderr) == (1, "")
    lines = [line for line in done.stdout.splitlines() if "Allure" in line]
    assert len(lines) == 1
    assert "no-npm" in lines[0]
    assert "next: see that npm is there and reaches its registry, then ./ci/report --allure" in lines[0]
    assert not (build / "report" / "allure").exists()
    assert not (build / "allure-results").exists()
    page = (build / "report" / "index.html").read_text(encoding="utf-8")
    assert "no-npm" in page
    assert "allure/awesome" not in page
    assert (build / "junit.xml").is_file()


@pytest.fixture(scope="module")
def node() -> str:
    """The Node of the report."""
    path, problem = running.find_node(install=True)
    assert path, problem
    return path


def test_the_node_of_the_report_knows_what_the_quality_gate_needs(node: str) -> None:
    command = [node, "-p", "process.versions.node.split('.')[0]"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603  ditto
    assert int(done.stdout) >= 22


def summarize_with_allure(node: str, run: ReportRun, folder: Path, files: dict[str, str]) -> dict[str, Any]:
    """Allure's own summary of these files."""
    results = folder / "results"
    results.mkdir()
    for name, text in files.items():
        (results / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    folders = {"results": results, "output": folder / "output", "history": folder / "history.jsonl"}
    config = allure.build_allure_config(
        [run], folders={key: str(at) for key, at in folders.items()}, in_history=False, about={}
    )
    done = subprocess.run(  # noqa: S603  the lock's Node and our own script
        [node, str(ROOT / "ci" / "allure" / "make.mjs")],
        input=json.dumps(config),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env={**os.environ, "HOME": str(folder)},
    )
    summary: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return summary


def damage_files(files: dict[str, str], kind: str) -> dict[str, str]:
    """The files, one of them damaged."""
    name = next(iter(files))
    result: Line = json.loads(files[name])
    changes: dict[str, dict[str, str]] = {
        "a file cut off": {name: files[name][:50]},
        "a file lost": {},
        "an unknown status": {name: json.dumps({**result, "status": "flying"})},
        "a twin of another": {name: json.dumps({**json.loads(list(files.values())[1]), "uuid": "x"})},
    }
    return {**{key: text for key, text in files.items() if key != name}, **changes[kind]}


def test_allure_counts_what_the_ledger_holds(tmp_path: Path, node: str) -> None:
    run = build_run(tmp_path, good_run())
    summary = summarize_with_allure(node, run, tmp_path, allure.build_allure_files([run]))
    assert allure.find_disagreement([run], summary) == ""


@pytest.mark.parametrize("kind", ["a file cut off", "a file lost", "an unknown status", "a twin of another"])
def test_a_result_that_allure_drops_is_noticed(tmp_path: Path, node: str, kind: str) -> None:
    run = build_run(tmp_path, good_run())
    files = damage_files(allure.build_allure_files([run]), kind)
    summary = summarize_with_allure(node, run, tmp_path, files)
    assert allure.find_disagreement([run], summary).startswith("report-incomplete: ")


@pytest.mark.parametrize("answer", ["{}", "[]", '{"statuses": {"passed": 1}, "rules": {}}'])
def test_pages_of_allure_that_are_wrong_are_removed_and_change_no_verdict(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str
) -> None:
    folders = {name: tmp_path / name for name in ("results", "output", "history")}
    folders["output"].mkdir()
    monkeypatch.setattr(running, "find_node", lambda **_: ("node", ""))
    monkeypatch.setattr(running, "run_node", lambda *_: json.loads(answer))
    missing = running.generate_pages(
        [build_run(tmp_path, good_run())], folders, {}, make_results=dict, in_history=False, install=False
    )
    assert missing.startswith("no Allure report: ")
    assert not folders["output"].exists()


def test_a_node_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(running, "find_node", lambda **_: ("/nowhere/node", ""))
    folders = {name: tmp_path / name for name in ("results", "output", "history")}
    missing = running.generate_pages(
        [build_run(tmp_path, good_run())], folders, {}, make_results=dict, in_history=False, install=False
    )
    assert missing.startswith("no Allure report: FileNotFoundError at /nowhere/node; next: ")
