"""From a ledger to a verdict: only a whole, complete and clean run is *go*; whatever is amiss is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures import ledger, policy, schemas
from fixtures.catalogue import load
from fixtures.policy import Policy
from fixtures.topology import PROVIDERS
from fixtures.verdict import Finding, Verdict

ROOT = Path(__file__).resolve().parents[2]
CASES = load().cases
VERSIONS = {name: {"version": "1.66.4.1", "target": "embedded"} for name in PROVIDERS}
DURATION_S = 12.3456

Line = dict[str, Any]
Change = Callable[[list[Any]], object]


def finding(title: str = "answers 500") -> dict[str, Any]:
    """Something that a check found."""
    found = Finding("effects", "subscribers-errors", "v1-UNREGISTERED", title, [{}], "unsubscribe", None)
    return found.at("suites/compat/x.py::y", "./ci/test suites/compat/x.py::y").to_json()


def a_test(name: str, **members: Any) -> Line:
    """A passed test."""
    suite = "/".join(name.split("/")[:2])
    passed = {
        "kind": "test",
        "test": name,
        "suite": suite,
        "result": "passed",
        "duration_s": 0.1,
        "reports": 7,
    }
    return {**passed, **members}


GOOD_TESTS = [
    a_test("suites/selfcheck/test_a.py::one", reports=0),
    a_test("suites/contracts/test_b.py::two"),
    *(
        a_test(f"suites/compat/test_c.py::{provider}-{case.id}", provider=provider, case=case.id)
        for provider in PROVIDERS
        for case in CASES
    ),
]
ASKED = Policy(
    {"suites/compat": len(CASES) * 3, "suites/contracts": 1, "suites/selfcheck": 1},
    7 * (len(CASES) * 3 + 1),
    every_case=True,
)


def good_run() -> list[Any]:
    """The lines of a run that proves everything, with nothing to spare."""
    header = {
        "kind": "header",
        "run": "r1",
        "seed": 5,
        "started_at": "2026-01-01T00:00:00.000Z",
        "versions": VERSIONS,
        "collected": len(GOOD_TESTS),
    }
    footer = {"kind": "footer", "run": "r1", "tests": len(GOOD_TESTS), "exit_status": 0, "duration_s": 9.5}
    return [header, *(dict(line) for line in GOOD_TESTS), footer]


def judged(folder: Path, lines: list[Any], trouble: tuple[str, ...] = ()) -> dict[str, Any]:
    """The verdict on a ledger of these lines: texts as they stand, anything else as JSON."""
    file = folder / "ledger.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return verdict_of(file, trouble)


def verdict_of(file: Path, trouble: tuple[str, ...] = ()) -> dict[str, Any]:
    """The verdict on a ledger, which satisfies its schema for the reference validator too."""
    read = ledger.read(file)
    verdict = policy.decide(read, ASKED, load(), duration_s=DURATION_S, trouble=trouble)
    schemas.validator("verdict.schema.json").validate(json.loads(json.dumps(verdict)))
    return verdict


def test_a_good_run_is_go(tmp_path: Path) -> None:
    verdict = judged(tmp_path, good_run())
    assert verdict == {
        "verdict": "go",
        "reasons": [],
        "findings": [],
        "cases": {provider: {case.id: "passed" for case in CASES} for provider in PROVIDERS},
        "reports": ASKED.reports,
        "versions": VERSIONS,
        "seed": 5,
        "duration_s": 12.346,
        "suites": {suite: {"tests": tests, "passed": tests} for suite, tests in ASKED.suites.items()},
    }


def at(position: int, **members: Any) -> Change:
    """One line says something else."""
    return lambda lines: lines[position].update(members)


def without(position: int) -> Change:
    """One line is not there."""
    return lambda lines: lines.pop(position)


def without_test(position: int, *, counted: bool = True) -> Change:
    """One test did not run; nobody counted on it."""

    def change(lines: list[Any]) -> None:
        lines.pop(position)
        if counted:
            lines[0]["collected"] -= 1
            lines[-1]["tests"] -= 1

    return change


def cut(lines: list[Any]) -> None:
    """The last line is only half written."""
    lines[-1] = json.dumps(lines[-1])[:40]


def cut_among_tests(lines: list[Any]) -> None:
    """The run was killed while it wrote about a test."""
    lines[50:] = [json.dumps(lines[50])[:40]]


def with_line(line: Any, position: int = 2) -> Change:
    """One line more."""
    return lambda lines: lines.insert(position, line)


def twin(lines: list[Any]) -> None:
    """A test is recorded twice, and counted twice."""
    lines.insert(2, lines[1])
    lines[-1]["tests"] += 1


FIRST_CASE = next(number for number, line in enumerate(good_run()) if "case" in line)
NAME = GOOD_TESTS[0]["test"]

DOUBTS: Mapping[str, tuple[Change, str]] = {
    "empty": (list.clear, "ledger-without-header: 0 headers instead of one"),
    "no header": (without(0), "ledger-without-header: 0 headers instead of one"),
    "two headers": (with_line(good_run()[0]), "ledger-without-header: 2 headers instead of one"),
    "no footer": (without(-1), "ledger-without-footer: the run did not come to its end"),
    "two footers": (with_line(good_run()[-1]), "ledger-without-footer: the run did not come to its end"),
    "truncated last line": (cut, f"ledger-truncated: line {len(good_run())} is no ledger line: "),
    "truncated among the tests": (cut_among_tests, "ledger-truncated: line 51 is no ledger line: "),
    "garbage": (with_line("killed"), "ledger-truncated: line 3 is no ledger line: Expecting value"),
    "deep garbage": (with_line("[" * 100_000), "ledger-truncated: line 3 is no ledger line: "),
    "an empty line": (with_line(""), "ledger-truncated: line 3 is no ledger line: "),
    "a line of no kind": (with_line({"kind": "note"}), "ledger-truncated: line 3 is no ledger line: "),
    "a result of no kind": (at(1, result="ok"), "ledger-truncated: line 2 is no ledger line: "),
    "twins": (twin, f"ledger-twins: {NAME} is recorded more than once"),
    "footer of another run": (at(-1, run="r2"), "ledger-mixed: header and footer are of different runs"),
    "too many counted": (
        at(-1, tests=len(GOOD_TESTS) + 1),
        f"ledger-truncated: {len(GOOD_TESTS)} tests recorded, the footer counts {len(GOOD_TESTS) + 1}",
    ),
    "too few counted": (
        at(-1, tests=len(GOOD_TESTS) - 1),
        f"ledger-truncated: {len(GOOD_TESTS)} tests recorded, the footer counts {len(GOOD_TESTS) - 1}",
    ),
    "vanished tests": (
        at(0, collected=len(GOOD_TESTS) + 2),
        f"tests-vanished: 2 of {len(GOOD_TESTS) + 2} collected tests have no result",
    ),
    "skipped": (at(1, result="skipped", message="no network"), f"skipped: no network [{NAME}]"),
    "skipped without a reason": (at(1, result="skipped"), f"skipped: skipped [{NAME}]"),
    "broken": (at(1, result="broken", message="KeyError: 'x'\nmore"), f"broken: KeyError: 'x' [{NAME}]"),
    "failed without a finding": (at(1, result="failed", message="assert 0"), f"failed: assert 0 [{NAME}]"),
    "failed with no finding at all": (at(1, result="failed", findings=[]), f"failed: failed [{NAME}]"),
    "one test too few": (
        without_test(2),
        "too-few-tests: suites/contracts: 0 ran, the policy asks for 1",
    ),
    "one case too few": (
        without_test(FIRST_CASE),
        f"too-few-tests: suites/compat: {len(CASES) * 3 - 1} ran, the policy asks for {len(CASES) * 3}",
    ),
    "one report too few": (
        at(2, reports=6),
        f"too-few-reports: {ASKED.reports - 1} judged, the policy asks for {ASKED.reports}",
    ),
    "a case missing at a provider": (
        at(FIRST_CASE, case=CASES[1].id),
        f"cases-not-checked: {next(iter(PROVIDERS))}: 1 of the catalogue: {CASES[0].id}",
    ),
    "a provider missing": (
        lambda lines: [
            line.pop("provider") for line in lines if line.get("provider") == "directory-responses"
        ],
        f"cases-not-checked: directory-responses: {len(CASES)} of the catalogue: {CASES[0].id}, ",
    ),
}


@pytest.mark.parametrize(("change", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_a_doubt_is_undecided_and_said(tmp_path: Path, change: Change, reason: str) -> None:
    lines = good_run()
    change(lines)
    verdict = judged(tmp_path, lines)
    assert (verdict["verdict"], verdict["findings"]) == ("undecided", [])
    assert [said for said in verdict["reasons"] if said.startswith(reason)], verdict["reasons"]


FINDABLE = {name: doubt for name, doubt in DOUBTS.items() if name != "empty"}


@pytest.mark.parametrize(("change", "reason"), FINDABLE.values(), ids=FINDABLE)
def test_a_finding_is_no_go_whatever_else_is_amiss(tmp_path: Path, change: Change, reason: str) -> None:
    lines = good_run()
    at(20, result="failed", findings=[finding()])(lines)
    change(lines)
    verdict = judged(tmp_path, lines)
    assert verdict["verdict"] == "no-go"
    assert verdict["reasons"][0] == "subscribers-errors: answers 500"
    assert len(verdict["reasons"]) > 1, reason


def test_no_file_is_undecided(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path / "ledger.jsonl")
    assert verdict["verdict"] == "undecided"
    assert verdict["reasons"][0].startswith("ledger-missing: ledger.jsonl: ")
    assert "No such file" in verdict["reasons"][0]


@pytest.mark.parametrize("content", [b"\xff\xfe", b""], ids=["not UTF-8", "nothing"])
def test_a_file_that_is_none_is_undecided(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.jsonl").write_bytes(content)
    verdict = verdict_of(tmp_path / "ledger.jsonl")
    assert verdict["verdict"] == "undecided"
    assert verdict["reasons"][0].startswith("ledger-")


def test_trouble_is_undecided(tmp_path: Path) -> None:
    verdict = judged(tmp_path, good_run(), ("run-timed-out: after 300 s",))
    assert (verdict["verdict"], verdict["reasons"]) == ("undecided", ["run-timed-out: after 300 s"])


def test_a_single_doubt_gives_a_single_reason(tmp_path: Path) -> None:
    lines = good_run()
    at(1, result="skipped", message="no network")(lines)
    assert judged(tmp_path, lines)["reasons"] == [f"skipped: no network [{NAME}]"]


def test_a_finding_is_no_go(tmp_path: Path) -> None:
    lines = good_run()
    at(FIRST_CASE, result="failed", findings=[finding()], message="x")(lines)
    verdict = judged(tmp_path, lines)
    assert (verdict["verdict"], verdict["findings"]) == ("no-go", [finding()])
    assert verdict["reasons"] == ["subscribers-errors: answers 500"]
    assert verdict["cases"][next(iter(PROVIDERS))][CASES[0].id] == "failed"


def test_equal_findings_are_one_reason(tmp_path: Path) -> None:
    lines = good_run()
    at(1, result="failed", findings=[finding(), finding("lost")])(lines)
    at(2, result="failed", findings=[finding()])(lines)
    verdict = judged(tmp_path, lines)
    assert verdict["reasons"] == ["subscribers-errors: answers 500", "subscribers-errors: lost"]
    assert len(verdict["findings"]) == 3


def test_equal_reasons_are_told_once(tmp_path: Path) -> None:
    lines = good_run()
    for position in range(2, 8):
        at(position, result="broken", message="ConnectionError: refused\nat line 5")(lines)
    at(8, result="broken", message="KeyError: 'x'")(lines)
    at(9, result="skipped", message="ConnectionError: refused")(lines)
    assert judged(tmp_path, lines)["reasons"] == [
        f"broken: ConnectionError: refused [6 tests, first {GOOD_TESTS[1]['test']}]",
        f"broken: KeyError: 'x' [{GOOD_TESTS[7]['test']}]",
        f"skipped: ConnectionError: refused [{GOOD_TESTS[8]['test']}]",
    ]


@pytest.mark.parametrize(
    ("results", "state"),
    [
        (("passed", "passed"), "passed"),
        (("passed", "skipped"), "undecided"),
        (("broken", "passed"), "undecided"),
        (("failed", "broken"), "failed"),
        (("passed", "failed", "passed"), "failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_the_worst_result_counts_for_a_case(results: tuple[str, ...], state: str) -> None:
    lines = [a_test(str(n), provider="p", case="c", result=result) for n, result in enumerate(results)]
    assert policy.cases_by_provider(lines) == {"p": {"c": state}}


def test_tests_of_no_case_are_in_no_row() -> None:
    assert policy.cases_by_provider([a_test("a"), a_test("b", provider="p")]) == {}


def test_no_tests_are_undecided_under_any_policy(tmp_path: Path) -> None:
    lines = [good_run()[0], good_run()[-1]]
    lines[0]["collected"] = lines[1]["tests"] = 0
    judged(tmp_path, lines)
    nothing = Policy({}, 0, every_case=False)
    read = ledger.read(tmp_path / "ledger.jsonl")
    verdict = policy.decide(read, nothing, load(), duration_s=0)
    assert (verdict["verdict"], len(verdict["reasons"])) == ("undecided", 1)
    assert verdict["reasons"][0].startswith("no-tests: ")


def test_the_policy_of_the_gate_asks_for_every_case() -> None:
    asked = policy.load()
    assert asked.every_case
    assert asked.reports > 0
    assert set(asked.suites) >= {"suites/compat", "suites/contracts", "suites/selfcheck"}
    assert min(asked.suites.values()) > 0


def test_verdicts_combine_by_what_wins() -> None:
    assert [max(Verdict.GO, Verdict.UNDECIDED).word, max(Verdict).word] == ["undecided", "no-go"]


def test_a_writer_takes_only_lines(tmp_path: Path) -> None:
    writer = ledger.Writer(tmp_path / "new" / "ledger.jsonl")
    for line in good_run():
        writer.write(line)
    with pytest.raises(schemas.Invalid):
        writer.write({"kind": "test", "test": "x"})
    writer.close()
    read = ledger.read(tmp_path / "new" / "ledger.jsonl")
    assert (read.problems, writer.tests, list(read.tests)) == ((), len(GOOD_TESTS), GOOD_TESTS)


# --- the recorder, in a run of its own

SAMPLE = """
import os, time
import pytest
from fixtures.verdict import Finding, Findings

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
    raise Findings([Finding("effects", provider, case, "answers 500", [{}], "unsubscribe", {"status": 500})])
"""


@pytest.mark.process
def test_the_recorder_records_what_happens(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "suite"
    folder.mkdir(parents=True)
    sample = SAMPLE.replace("SKIP", "pytest.skip")  # no test of ours may hold the word
    (folder / "test_sample.py").write_text(sample, encoding="utf-8")
    file = tmp_path / "ledger.jsonl"
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    command += ["-p", "conftest", "-p", "no:allure_pytest", "-n", "2", "--seed", "4", "--ledger", str(file)]
    done = subprocess.run(  # noqa: S603  our own command
        [*command, str(folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    read = ledger.read(file)
    assert (list(read.problems), done.returncode) == ([], 1), done.stdout + done.stderr
    assert (read.header["collected"], read.header["seed"], set(read.header["versions"])) == (
        7,
        4,
        set(PROVIDERS),
    )
    lines = {line["test"].rpartition("::")[2]: line for line in read.tests}
    found = lines.pop("test_finds[v1-UNREGISTERED-subscribers-errors]")
    assert {name: line["result"] for name, line in lines.items()} == {
        "test_passes": "passed",
        "test_fails": "broken",
        "test_skips": "skipped",
        "test_has_no_fixture": "broken",
        "test_ends_badly": "broken",
        "test_dies": "broken",
    }
    assert {line["suite"] for line in read.tests} == {"some/suite"}
    assert (lines["test_passes"]["reports"], read.reports) == (40, 40)
    assert "message" not in lines["test_passes"]
    messages = {name: line["message"] for name, line in lines.items() if "message" in line}
    assert "sums" in messages["test_fails"]
    assert "not today" in messages["test_skips"]
    assert messages["test_has_no_fixture"] == "RuntimeError: no such thing"
    assert messages["test_ends_badly"] == "RuntimeError: no way back"
    assert "crashed while running" in messages["test_dies"]
    assert (found["result"], found["provider"], found["case"]) == (
        "failed",
        "subscribers-errors",
        "v1-UNREGISTERED",
    )
    assert found["findings"][0]["title"] == "answers 500"
    assert found["findings"][0]["test"] == found["test"]
    assert found["findings"][0]["reproduce"] == f"./ci/test '{found['test']}' --seed 4 --examples 8"
    assert "again:    ./ci/test" in found["message"]
    verdict = verdict_of(file)
    assert (verdict["verdict"], verdict["reasons"][0]) == ("no-go", "subscribers-errors: answers 500")
