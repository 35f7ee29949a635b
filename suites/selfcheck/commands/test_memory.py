"""Memory: no process of a gate loads a library, or keeps a result, that only others need."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from fixtures.core.project import ROOT
from suites.plugins import memory

pytestmark = pytest.mark.aside

SELDOM = {
    "httpx",
    "jsonschema",
    "networkx",
    "redis",
    "boto3",
    "botocore",
    "moto",
    "sqlalchemy",
    "cryptography",
}
OF_TESTS = {"hypothesis", "pact_ffi", "uvicorn", "asyncio"}


@pytest.mark.parametrize(
    ("process", "spared"),
    [
        ("ci.commands.gate", SELDOM | OF_TESTS),
        ("conftest", SELDOM | OF_TESTS),
        ("suites.plugins.fixtures", SELDOM),
    ],
    ids=["gate", "who hands tests out", "who runs tests"],
)
def test_a_process_begins_with_what_it_always_uses(process: str, spared: set[str]) -> None:
    begun = [sys.executable, "-c", f"import sys, {process}; print(*sys.modules)"]
    loaded = subprocess.run(begun, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603  our own
    assert not spared & set(loaded.split())


@pytest.mark.parametrize("outcome", ["passed", "failed", "skipped"])
def test_of_what_passed_no_more_is_kept_than_that_it_did(outcome: str) -> None:
    told = [("reports", 3)]
    report = pytest.TestReport("a", ("a", 1, "a"), {"a": 1}, outcome, None, "call", user_properties=told)  # type: ignore[arg-type]
    memory.pytest_runtest_logreport(report)
    kept = {"passed": ({}, [])}.get(outcome, ({"a": 1}, told))
    assert (report.keywords, report.user_properties) == kept
    assert (report.nodeid, report.outcome) == ("a", outcome)


def test_what_is_there_when_tests_begin_is_not_looked_at_for_garbage() -> None:
    kept = [[one] for one in range(memory.YOUNG)]
    frozen = gc.get_freeze_count()
    memory.pytest_collection_finish()
    assert gc.get_freeze_count() >= frozen + len(kept)
    assert gc.get_threshold() == (memory.YOUNG, 10, 10)
    assert gc.isenabled()
