"""The recorder writes down what became of each test, crashes included."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.project import ROOT
from fixtures.core.topology import FLOW
from fixtures.results import ledger
from fixtures.results.report.model import ReportRun
from suites.selfcheck.results.sample_runs import read_verdict

SAMPLE = """
import os, time
import pytest
from fixtures.core.findings import Finding, FindingsError

@pytest.fixture
def bad():
    raise RuntimeError("no such thing")

@pytest.fixture
def bad_end():
    yield
    raise RuntimeError("no way back")

@pytest.fixture
def counted(request):
    yield
    request.node.user_properties.append(("reports", 40))

def test_passes(counted): pass
def test_fails(): assert 1 == 2, "sums"
def test_skips(): SKIP("not today")
def test_has_no_fixture(bad): pass
def test_ends_badly(bad_end): pass
def test_dies(): os._exit(3)

@pytest.mark.parametrize("provider", ["subscribers-errors"])
@pytest.mark.parametrize("case", ["v1-UNREGISTERED"])
def test_finds(provider, case):
    raise FindingsError([
        Finding(
            rule="effects.subscriber", provider=provider, case=case, title="answers 500",
            sent=[{}], expected="unsubscribe", got={"status": 500},
        )
    ])

def test_finds_what_is_overlooked(raise_if_found):
    finding = Finding(
        rule="contract.mismatch", provider="subscribers-errors", case=None, title="answers",
        sent=[{}], expected="nothing", got={},
    )
    raise_if_found([finding] * 2)
"""

SAMPLE_RESULTS = {
    "test_passes": "passed",
    "test_fails": "broken",
    "test_skips": "skipped",
    "test_has_no_fixture": "broken",
    "test_ends_badly": "broken",
    "test_dies": "broken",
    "test_finds_what_is_overlooked": "passed",
}


def run_sample(tmp_path: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The ledger of a run of SAMPLE, and the finished process."""
    folder = tmp_path / "some" / "suite"
    folder.mkdir(parents=True)
    sample = SAMPLE.replace("SKIP", "pytest.skip")  # no test of ours may hold the word
    (folder / "test_sample.py").write_text(sample, encoding="utf-8")
    file = tmp_path / "ledger.jsonl"
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    command += ["-p", "conftest", "-n", "1", "--seed", "4", "--ledger", str(file), "--without=contract"]
    done = subprocess.run(  # noqa: S603  our own command
        [*command, str(folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return file, done


@pytest.mark.process
def test_the_recorder_records_what_happens(tmp_path: Path) -> None:
    file, done = run_sample(tmp_path)
    read = ledger.read_ledger(file)
    assert (list(read.problems), done.returncode) == ([], 1), done.stdout + done.stderr
    assert (read.header["collected"], read.header["seed"]) == (8, 4)
    assert set(read.header["versions"]) == set(FLOW)
    results = ReportRun(read, read_verdict(file), load_catalogue()).results
    assert {line["test"] for line in read.tests} <= {result.test for result in results}, (
        "none is lost to the report"
    )
    lines = {line["test"].rpartition("::")[2]: line for line in read.tests}
    finding_line = lines.pop("test_finds[v1-UNREGISTERED-subscribers-errors]")
    assert {name: line["result"] for name, line in lines.items()} == SAMPLE_RESULTS
    assert {name: line["overlooked"] for name, line in lines.items() if "overlooked" in line} == {
        "test_finds_what_is_overlooked": ["contract"]
    }
    assert {line["suite"] for line in read.tests} == {"some/suite"}
    assert (lines["test_passes"]["reports"], read.report_count) == (40, 40)
    assert "message" not in lines["test_passes"]
    messages = {name: line["message"] for name, line in lines.items() if "message" in line}
    assert "sums" in messages["test_fails"]
    assert "not today" in messages["test_skips"]
    assert messages["test_has_no_fixture"] == "RuntimeError: no such thing"
    assert messages["test_ends_badly"] == "RuntimeError: no way back"
    assert "crashed while running" in messages["test_dies"]
    assert (finding_line["result"], finding_line["provider"], finding_line["case"]) == (
        "failed",
        "subscribers-errors",
        "v1-UNREGISTERED",
    )
    assert finding_line["findings"][0]["title"] == "answers 500"
    assert finding_line["findings"][0]["test"] == finding_line["test"]
    assert (
        finding_line["findings"][0]["reproduce"]
        == f"./ci/test '{finding_line['test']}' --seed 4 --examples 8"
    )
    assert "again:    ./ci/test" in finding_line["message"]
    verdict = read_verdict(file)
    assert (verdict["verdict"], verdict["reasons"][0]) == ("no-go", "subscribers-errors: answers 500")


@pytest.mark.process
@pytest.mark.parametrize(
    "joined", [pytest.param(True, id="equals", marks=pytest.mark.nightly), pytest.param(False, id="space")]
)
def test_the_names_of_tests_do_not_depend_on_where_the_ledger_is(joined: bool, tmp_path: Path) -> None:  # noqa: FBT001
    ledger_path = tmp_path / "ledger.jsonl"
    option = [f"--ledger={ledger_path}"] if joined else ["--ledger", str(ledger_path)]
    # The history of a report is kept under these names, so ci/commands/gate.py names the root, too.
    command = [sys.executable, "-m", "pytest", "suites/selfcheck/results/test_ledger.py", f"--rootdir={ROOT}"]
    ran = subprocess.run(  # noqa: S603  our own, no shell
        [*command, "--collect-only", "-q", *option], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = [line for line in ran.stdout.splitlines() if "::" in line]
    assert len(names) > 10
    assert all(name.startswith("suites/selfcheck/results/test_ledger.py::") for name in names)
