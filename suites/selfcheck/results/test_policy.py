"""Only a complete run without problems is go, and every other verdict has its reasons."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.errors import UserError
from fixtures.core.findings import Verdict
from fixtures.core.topology import PROVIDERS, VERSION_MIXES
from fixtures.results import ledger, policy, policy_file
from fixtures.results.policy_file import NO_REQUIREMENTS, POLICY_FILE
from suites.selfcheck.results.sample_runs import (
    CASES,
    COMPAT,
    COMPLETE_POLICY,
    FIRST_CASE,
    GOOD_TESTS,
    NAME,
    ROLLOUT,
    VERSIONS,
    Change,
    change_line,
    find_weakness,
    good_run,
    judge,
    make_finding,
    make_test,
    remove_test,
)


def test_a_good_run_is_go(tmp_path: Path) -> None:
    verdict = judge(tmp_path, good_run())
    assert verdict == {
        "verdict": "go",
        "run": "r1",
        "environment": "local",
        "reasons": [],
        "notes": [],
        "findings": [],
        "notices": [],
        "waived": [],
        "weaker": [],
        "cases": {
            **{provider: {case.id: "passed" for case in CASES} for provider in PROVIDERS},
            **{
                name: {case.id: "passed" for case in CASES if case.protocol in mix.protocols}
                for name, mix in VERSION_MIXES.items()
            },
        },
        "references_only": True,
        "reports": COMPLETE_POLICY.reports,
        "versions": VERSIONS,
        "provenance": {},
        "seed": 5,
        "duration_s": 12.346,
        "suites": {
            "suites/compat": {"tests": COMPAT, "passed": COMPAT},
            "suites/contracts": {"tests": 1, "passed": 1},
            "suites/selfcheck": {"tests": 1, "passed": 1},
        },
        "rollout": ROLLOUT,
    }


ONE_REPORT_LESS = COMPLETE_POLICY.reports - 1
WITH_OWN_PACTS = {**VERSIONS, "subscribers-errors": {**VERSIONS["subscribers-errors"], "pacts": "files"}}
DOUBTS: Mapping[str, tuple[Change, str]] = {
    "own pacts that no test verified": (
        change_line(0, versions=WITH_OWN_PACTS),
        "pacts-not-verified: subscribers-errors: no test verified the pacts of its targets file",
    ),
    "skipped": (change_line(1, result="skipped", message="no network"), f"skipped: no network [{NAME}]"),
    "skipped without a reason": (change_line(1, result="skipped"), f"skipped: skipped [{NAME}]"),
    "broken": (
        change_line(1, result="broken", message="KeyError: 'x'\nmore"),
        f"broken: KeyError: 'x' [{NAME}]",
    ),
    "failed without a finding": (
        change_line(1, result="failed", message="assert 0"),
        f"failed: assert 0 [{NAME}]",
    ),
    "failed with no finding at all": (
        change_line(1, result="failed", findings=[]),
        f"failed: failed [{NAME}]",
    ),
    "one test too few": (
        remove_test(2),
        f"too-few-tests: expected tests did not run: 1 of suites/contracts, such as {GOOD_TESTS[1]['test']}",
    ),
    "one case too few": (
        remove_test(FIRST_CASE),
        f"too-few-tests: expected tests did not run: 1 of suites/compat, such as {GOOD_TESTS[2]['test']}",
    ),
    "one report too few": (
        change_line(2, reports=6),
        f"too-few-reports: {ONE_REPORT_LESS} judged, the policy asks for {COMPLETE_POLICY.reports}",
    ),
    "a case missing at a provider": (
        change_line(FIRST_CASE, case=CASES[1].id),
        f"cases-not-checked: {next(iter(PROVIDERS))}: 1 of the catalogue: {CASES[0].id}",
    ),
    "a rollout not judged": (
        lambda lines: lines[1].pop("rollout"),
        "rollout-not-judged: the order of the release was not looked at",
    ),
    "a rollout not verified": (
        change_line(1, rollout={**ROLLOUT, "verdict": "undecided", "reasons": ["never-verified: shop"]}),
        "rollout-undecided: never-verified: shop",
    ),
    "a rollout that is no go, and no finding says so": (
        change_line(1, rollout={**ROLLOUT, "verdict": "no-go", "reasons": ["shop: unsafe"]}),
        "rollout-no-go: shop: unsafe",
    ),
    "a case missing in a version mix": (
        change_line(-2, case=CASES[0].id),
        f"cases-not-checked: mixed: 1 of the catalogue: {CASES[-1].id}",
    ),
    "a version mix missing": (
        lambda lines: [line.pop("provider") for line in lines if line.get("provider") == "all-after-v1"],
        "cases-not-checked: all-after-v1: ",
    ),
    "a provider missing": (
        lambda lines: [
            line.pop("provider") for line in lines if line.get("provider") == "directory-responses"
        ],
        f"cases-not-checked: directory-responses: {len(CASES)} of the catalogue: {CASES[0].id}, ",
    ),
}


@pytest.mark.parametrize(("change", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_a_doubt_is_undecided_and_a_finding_beside_it_no_go(
    tmp_path: Path, change: Change, reason: str
) -> None:
    assert find_weakness(tmp_path, change, reason) == ""


def test_trouble_is_undecided(tmp_path: Path) -> None:
    verdict = judge(tmp_path, good_run(), ("run-timed-out: after 300 s",))
    assert (verdict["verdict"], verdict["reasons"]) == ("undecided", ["run-timed-out: after 300 s"])


def test_a_single_doubt_gives_a_single_reason(tmp_path: Path) -> None:
    lines = good_run()
    change_line(1, result="skipped", message="no network")(lines)
    assert judge(tmp_path, lines)["reasons"] == [f"skipped: no network [{NAME}]"]


def test_a_finding_is_no_go(tmp_path: Path) -> None:
    lines = good_run()
    change_line(FIRST_CASE, result="failed", findings=[make_finding()], message="x")(lines)
    verdict = judge(tmp_path, lines)
    assert (verdict["verdict"], verdict["findings"]) == ("no-go", [make_finding()])
    assert verdict["reasons"] == ["subscribers-errors: answers 500"]
    assert verdict["cases"][next(iter(PROVIDERS))][CASES[0].id] == "failed"


def test_equal_findings_are_one_reason(tmp_path: Path) -> None:
    lines = good_run()
    change_line(1, result="failed", findings=[make_finding(), make_finding("lost")])(lines)
    change_line(2, result="failed", findings=[make_finding()])(lines)
    verdict = judge(tmp_path, lines)
    assert verdict["reasons"] == ["subscribers-errors: answers 500", "subscribers-errors: lost"]
    assert len(verdict["findings"]) == 3


def test_equal_reasons_are_told_once(tmp_path: Path) -> None:
    lines = good_run()
    for position in range(2, 8):
        change_line(position, result="broken", message="ConnectionError: refused\nat line 5")(lines)
    change_line(8, result="broken", message="KeyError: 'x'")(lines)
    change_line(9, result="skipped", message="ConnectionError: refused")(lines)
    assert judge(tmp_path, lines)["reasons"] == [
        f"broken: ConnectionError: refused [6 tests, first {GOOD_TESTS[1]['test']}]",
        f"broken: KeyError: 'x' [{GOOD_TESTS[7]['test']}]",
        f"skipped: ConnectionError: refused [{GOOD_TESTS[8]['test']}]",
    ]


def test_a_dead_provider_is_one_reason_however_it_was_noticed(tmp_path: Path) -> None:
    lines = good_run()
    for position, problem in ((1, "ReadError: reset"), (2, "ConnectError: refused"), (3, "ReadError: reset")):
        message = f"unreachable-target: x at http://127.0.0.1:1 does not answer: {problem}"
        change_line(position, result="broken", message=message)(lines)
    first = "broken: unreachable-target: x at http://127.0.0.1:1 does not answer: ReadError: reset"
    assert judge(tmp_path, lines)["reasons"] == [f"{first} [3 tests, first {GOOD_TESTS[0]['test']}]"]


def test_the_worst_result_counts_for_a_case() -> None:
    for results, state in {
        ("passed", "passed"): "passed",
        ("passed", "skipped"): "undecided",
        ("broken", "passed"): "undecided",
        ("failed", "broken"): "failed",
        ("passed", "failed", "passed"): "failed",
    }.items():
        lines = [make_test(str(n), provider="p", case="c", result=result) for n, result in enumerate(results)]
        assert policy.cases_by_provider(lines) == {"p": {"c": state}}, results


def test_tests_of_no_case_are_in_no_row() -> None:
    assert policy.cases_by_provider([make_test("a"), make_test("b", provider="p")]) == {}


def test_no_tests_are_undecided_under_any_policy(tmp_path: Path) -> None:
    lines = [good_run()[0], good_run()[-1]]
    lines[0]["collected"] = lines[1]["tests"] = 0
    judge(tmp_path, lines)
    nothing = NO_REQUIREMENTS
    read = ledger.read_ledger(tmp_path / "ledger.jsonl")
    verdict = policy.decide(read, nothing, load_catalogue(), duration_s=0)
    assert (verdict["verdict"], len(verdict["reasons"])) == ("undecided", 1)
    assert verdict["reasons"][0].startswith("no-tests: ")


def test_the_policy_of_the_gate_asks_for_every_case() -> None:
    required = policy_file.load_policy()
    assert required.every_case
    assert required.every_world
    assert required.reports > 0
    suites = {ledger.suite_of(test) for test in required.tests}
    assert suites == {"suites/compat", "suites/contracts", "suites/rollout", "suites/selfcheck"}


def test_a_member_that_the_policy_does_not_know_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY_FILE.read_text(encoding="utf-8") + "report = 1\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"bad-policy: .*: at /: .*'report' was unexpected"):
        policy_file.load_policy(file)


def test_verdicts_combine_by_what_wins() -> None:
    assert [max(Verdict.GO, Verdict.UNDECIDED).word, max(Verdict).word] == ["undecided", "no-go"]
