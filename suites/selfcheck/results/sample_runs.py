"""Lines of ledgers: a run that is go, and changes that make it undecided."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fixtures.core import reference_validator
from fixtures.core.catalogue import load_catalogue
from fixtures.core.findings import Finding
from fixtures.core.topology import PROVIDERS, RELEASE_FILE, VERSION_MIXES
from fixtures.release.order import analysis, pairwise_results, release_file
from fixtures.results import ledger, policy
from fixtures.results.ledger import Ledger
from fixtures.results.policy_file import Policy

CASES = load_catalogue().cases
VERSIONS = {name: {"version": "1.66.4.1", "target": "embedded"} for name in PROVIDERS}
DURATION_S = 12.3456

Line = dict[str, Any]
Change = Callable[[list[Any]], object]


def make_finding(title: str = "answers 500") -> dict[str, Any]:
    sample = Finding(
        rule="effects.subscriber",
        provider="subscribers-errors",
        case="v1-UNREGISTERED",
        title=title,
        sent=[{}],
        expected="unsubscribe",
        got=None,
    )
    return sample.with_test("suites/compat/x.py::y", "./ci/test suites/compat/x.py::y").to_json()


def make_test(name: str, **members: Any) -> Line:
    passed = {"kind": "test", "test": name, "suite": "/".join(name.split("/")[:2]), "result": "passed"}
    return {**passed, "line": 12, "duration_s": 0.1, "reports": 7, **members}


def judge_sample_release() -> dict[str, Any]:
    """The answer for a small release that is safe."""
    release = release_file.read_release(RELEASE_FILE.parent / "examples" / "orders.toml")
    results = [pairwise_results.read_release_results(release)]
    table = pairwise_results.build_table(release, results)
    return analysis.build_answer(analysis.analyse_release(release, table, None))


ROLLOUT = judge_sample_release()
GOOD_TESTS = [
    make_test("suites/selfcheck/test_a.py::one", reports=0, rollout=ROLLOUT),
    make_test("suites/contracts/test_b.py::two"),
    *(
        make_test(f"suites/compat/test_c.py::{provider}-{case.id}", provider=provider, case=case.id)
        for provider in PROVIDERS
        for case in CASES
    ),
    *(
        make_test(f"suites/compat/test_d.py::{name}-{case.id}", provider=name, case=case.id)
        for name, mix in VERSION_MIXES.items()
        for case in CASES
        if case.protocol in mix.protocols
    ),
]
COMPAT = sum("case" in test for test in GOOD_TESTS)
REQUIRED_TESTS = frozenset(test["test"] for test in GOOD_TESTS)
COMPLETE_POLICY = Policy(REQUIRED_TESTS, 7 * (COMPAT + 1), every_case=True, every_world=True, rollout=True)


def good_run() -> list[Any]:
    """The lines of a run that is go, but would not be with one test less."""
    header = {"kind": "header", "run": "r1", "seed": 5, "started_at": "2026-01-01T00:00:00.000Z"}
    header |= {"versions": VERSIONS, "collected": len(GOOD_TESTS)}
    footer = {"kind": "footer", "run": "r1", "tests": len(GOOD_TESTS), "exit_status": 0, "duration_s": 9.5}
    return [header, *(dict(line) for line in GOOD_TESTS), footer]


def decide(
    run: Ledger, gate_problems: tuple[str, ...] = (), duration_s: float = DURATION_S
) -> dict[str, Any]:
    return policy.decide(
        run, COMPLETE_POLICY, load_catalogue(), duration_s=duration_s, gate_problems=gate_problems
    )


def judge(folder: Path, lines: list[Any], gate_problems: tuple[str, ...] = ()) -> dict[str, Any]:
    """The verdict on a ledger with these lines. A text is written as it is, anything else as JSON."""
    file = folder / "ledger.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return read_verdict(file, gate_problems)


def read_verdict(file: Path, gate_problems: tuple[str, ...] = ()) -> dict[str, Any]:
    """The verdict on a ledger. The reference validator accepts it, too."""
    verdict = decide(ledger.read_ledger(file), gate_problems)
    reference_validator.build_validator("verdict.schema.json").validate(json.loads(json.dumps(verdict)))
    return verdict


def change_line(position: int, **members: Any) -> Change:
    return lambda lines: lines[position].update(members)


def remove_line(position: int) -> Change:
    return lambda lines: lines.pop(position)


def remove_test(position: int, *, counted: bool = True) -> Change:
    """Remove a test and, if `counted`, do not count it either."""

    def change(lines: list[Any]) -> None:
        lines.pop(position)
        if counted:
            lines[0]["collected"] -= 1
            lines[-1]["tests"] -= 1

    return change


FIRST_CASE = next(number for number, line in enumerate(good_run()) if "case" in line)
NAME = GOOD_TESTS[0]["test"]


def find_weakness(folder: Path, change: Change, reason: str) -> str:
    """What is wrong with the verdicts on a changed run, without and with a finding. Empty if right."""
    lines, lines_with_finding = good_run(), good_run()
    change(lines)
    change_line(20, result="failed", findings=[make_finding()])(lines_with_finding)
    change(lines_with_finding)
    verdict, with_finding = judge(folder, lines), judge(folder, lines_with_finding)
    if (verdict["verdict"], verdict["findings"]) != ("undecided", []):
        return f"without a finding it is {verdict['verdict']}: {verdict['reasons']}"
    if not any(text.startswith(reason) for text in verdict["reasons"]):
        return f"the reason is missing: {verdict['reasons']}"
    if (with_finding["verdict"], with_finding["reasons"][0]) != ("no-go", "subscribers-errors: answers 500"):
        return f"with a finding it is {with_finding['verdict']}: {with_finding['reasons']}"
    if len(with_finding["reasons"]) == 1:
        return f"with a finding the reason is missing: {with_finding['reasons']}"
    return ""
