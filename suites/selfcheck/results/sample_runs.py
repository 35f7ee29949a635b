"""Runs as their ledgers tell them: one that proves everything, and changes that make it doubtful."""

from __future__ import annotations

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
from fixtures.results.policy import Policy

CASES = load_catalogue().cases
VERSIONS = {name: {"version": "1.66.4.1", "target": "embedded"} for name in PROVIDERS}
DURATION_S = 12.3456

Line = dict[str, Any]
Change = Callable[[list[Any]], object]


def finding(title: str = "answers 500") -> dict[str, Any]:
    """Something that a check found."""
    found = Finding(
        check="effects",
        provider="subscribers-errors",
        case="v1-UNREGISTERED",
        title=title,
        sent=[{}],
        expected="unsubscribe",
        got=None,
    )
    return found.with_test("suites/compat/x.py::y", "./ci/test suites/compat/x.py::y").to_json()


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


def a_rollout() -> dict[str, Any]:
    """The answer on a small release that is safe."""
    found = release_file.read_release(RELEASE_FILE.parent / "examples" / "orders.toml")
    return analysis.build_answer(
        analysis.analyse_release(found, pairwise_results.build_table(found, [pairwise_results.read_release_results(found)]), None)
    )


ROLLOUT = a_rollout()
GOOD_TESTS = [
    a_test("suites/selfcheck/test_a.py::one", reports=0, rollout=ROLLOUT),
    a_test("suites/contracts/test_b.py::two"),
    *(
        a_test(f"suites/compat/test_c.py::{provider}-{case.id}", provider=provider, case=case.id)
        for provider in PROVIDERS
        for case in CASES
    ),
    *(
        a_test(f"suites/compat/test_d.py::{name}-{case.id}", provider=name, case=case.id)
        for name, world in VERSION_MIXES.items()
        for case in CASES
        if case.protocol in world.protocols
    ),
]
COMPAT = sum("case" in test for test in GOOD_TESTS)
ASKED = Policy(
    frozenset(test["test"] for test in GOOD_TESTS),
    7 * (COMPAT + 1),
    every_case=True,
    every_world=True,
    rollout=True,
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
    read = ledger.read_ledger(file)
    verdict = policy.decide(read, ASKED, load_catalogue(), duration_s=DURATION_S, gate_problems=trouble)
    reference_validator.build_validator("verdict.schema.json").validate(json.loads(json.dumps(verdict)))
    return verdict


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


FIRST_CASE = next(number for number, line in enumerate(good_run()) if "case" in line)
NAME = GOOD_TESTS[0]["test"]


def doubted(folder: Path, change: Change, reason: str) -> str:
    """What is amiss with the verdicts on a doubtful run, alone and beside a finding; empty if nothing is."""
    alone, beside = good_run(), good_run()
    change(alone)
    at(20, result="failed", findings=[finding()])(beside)
    change(beside)
    one, two = judged(folder, alone), judged(folder, beside)
    if (one["verdict"], one["findings"]) != ("undecided", []):
        return f"alone it is {one['verdict']}: {one['reasons']}"
    if not [said for said in one["reasons"] if said.startswith(reason)]:
        return f"the reason is not told: {one['reasons']}"
    if (two["verdict"], two["reasons"][0]) != ("no-go", "subscribers-errors: answers 500"):
        return f"with a finding it is {two['verdict']}: {two['reasons']}"
    return "" if len(two["reasons"]) > 1 else f"with a finding the doubt is not told: {two['reasons']}"
