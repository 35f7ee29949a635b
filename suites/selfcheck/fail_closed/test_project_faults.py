"""Wrong files of the project are never a go: nothing to run, tests left out, data that promise nothing."""

import contextlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.project import ROOT
from suites.selfcheck.fail_closed.sandbox import (
    SLICE,
    SUITE_PROCESS,
    TEST_FOLDERS,
    GateCall,
    GateFault,
    PutInPlace,
    Scene,
    edit_file,
    for_each_fault,
)

OLD_CODES = "suites/compat/test_old_codes_still_unsubscribe.py"
TEST = "def test_old_codes_still_unsubscribe("
FIRST_LINE = "    assert_case_handled(provider, case)\n"
PACT = "pacts/after/directory-errors-listener-subscribers-errors.json"

REMOTE_REFERENCE = {"$ref": "http://127.0.0.1:9/x.json"}

Change = Callable[[Path], object]


def change_project(change: Change) -> PutInPlace:
    def put_in_place(scene: Scene) -> contextlib.nullcontext[GateCall]:
        change(scene.project)
        return contextlib.nullcontext(GateCall())

    return put_in_place


def edit(file: str, old: str, new: str) -> PutInPlace:
    return change_project(lambda project: edit_file(project / file, old, new))


def write(file: str, text: str) -> PutInPlace:
    return change_project(lambda project: (project / file).write_text(text, encoding="utf-8"))


def with_mark(mark: str) -> PutInPlace:
    """A mark on the test of old codes."""
    return edit(OLD_CODES, TEST, f"@__import__('pytest').mark.{mark}\n{TEST}")


def with_first_line(statement: str) -> PutInPlace:
    """A statement at the beginning of the test of old codes."""
    return edit(OLD_CODES, FIRST_LINE, f"    {statement}\n{FIRST_LINE}")


def rewrite_json(file: str, change: Callable[[Any], Any]) -> Change:
    def rewrite(project: Path) -> None:
        data = json.loads((project / file).read_text(encoding="utf-8"))
        (project / file).write_text(json.dumps(change(data)), encoding="utf-8")

    return rewrite


def with_selfcheck(test_file: str, change: Change) -> PutInPlace:
    """A project with one more self-check of every real gate, which must notice the change."""

    def add_selfcheck(project: Path) -> None:
        folder = project / "suites" / "selfcheck"
        ignored = shutil.ignore_patterns("test_*", "__pycache__")
        shutil.copytree(ROOT / "suites" / "selfcheck", folder, ignore=ignored)
        shutil.copy2(ROOT / "suites" / "selfcheck" / test_file, folder / test_file)
        edit_file(project / SUITE_PROCESS, TEST_FOLDERS, f'{TEST_FOLDERS}"suites/selfcheck/checks"')
        edit_file(project / SUITE_PROCESS, SLICE, f"{SLICE} or {Path(test_file).stem}")
        change(project)

    return change_project(add_selfcheck)


def remove_tests(project: Path) -> None:
    for file in project.glob("suites/compat/test_*.py"):
        file.unlink()


def remove_pacts(project: Path) -> None:
    for file in project.glob("pacts/*/*.json"):
        file.unlink()


def expect_failure(project: Path) -> None:
    """Let the test of old codes fail, and mark it as expected to fail."""
    mark = "@__import__('pytest').mark.xfail(reason='known', strict=False)"
    edit_file(project / OLD_CODES, TEST, f"{mark}\n{TEST}")
    edit_file(project / OLD_CODES, FIRST_LINE, "    raise KeyError('known')\n")


def accept_everything(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema that accepts everything, in all of its definitions."""
    definitions: dict[str, Any] = {name: {} for name in schema.get("$defs", {})}
    return {**{name: schema[name] for name in ("$schema", "$id")}, "$defs": definitions}


def fetch_first_case(catalogue: Mapping[str, Any]) -> dict[str, Any]:
    first, *other_cases = catalogue["cases"]
    return {**catalogue, "cases": [{**first, "match": REMOTE_REFERENCE}, *other_cases]}


REPORT_SCHEMA, ANSWERS_SCHEMA = "schemas/response-report.schema.json", "schemas/provider-answers.schema.json"
ROWS: tuple[tuple[str, str, PutInPlace, str], ...] = (
    ("no-tests", "there is no test at all", change_project(remove_tests), "no-tests|pytest exited 5"),
    (
        "filter-matches-nothing",
        "a filter matches nothing",
        edit(SUITE_PROCESS, SLICE, "no-such-case"),
        "no-tests|pytest exited 5",
    ),
    (
        "deselected",
        "a required case is deselected",
        edit(SUITE_PROCESS, SLICE, f"{SLICE} and not (old_codes and subscribers-errors)"),
        "too-few-tests",
    ),
    (
        "suite-ignored",
        "a file of tests is ignored",
        write("suites/conftest.py", "collect_ignore = ['compat/test_mixed_batches.py']\n"),
        "too-few-tests",
    ),
    ("skipped", "a required case is skipped", with_mark("skip(reason='not today')"), "skipped: .*not today"),
    (
        "expected-to-fail",
        "a required case fails, and is expected to",
        change_project(expect_failure),
        "skipped: ",
    ),
    (
        "skips-itself",
        "a test skips itself",
        with_first_line("__import__('pytest').skip('no network')"),
        "no network",
    ),
    ("test-crashes", "a test crashes", with_first_line("raise KeyError('lost')"), "lost"),
    (
        "test-exits",
        "a test ends its process",
        with_first_line("raise SystemExit(0)"),
        "SystemExit|crashed|ended",
    ),
    (
        "test-ends-the-session",
        "a test ends the whole run",
        with_first_line("__import__('pytest').exit('enough', 0)"),
        ".",
    ),
    (
        "syntax-error",
        "a file of tests cannot be read",
        edit(OLD_CODES, TEST, f"this is no Python\n{TEST}"),
        "cannot be collected",
    ),
    (
        "catalogue-empty",
        "the catalogue is empty",
        change_project(rewrite_json("schemas/response-codes.json", lambda data: {**data, "cases": []})),
        "catalogue-invalid",
    ),
    (
        "catalogue-cut",
        "the catalogue is cut off",
        write("schemas/response-codes.json", "{"),
        "schema-unreadable",
    ),
    (
        "catalogue-fetches",
        "a case of the catalogue refers to a schema on the network",
        change_project(rewrite_json("schemas/response-codes.json", fetch_first_case)),
        "foreign-reference: case 'legacy-NotRegistered'",
    ),
    (
        "schema-fetches",
        "the schema of reports refers to a schema on the network",
        change_project(rewrite_json(REPORT_SCHEMA, lambda schema: {**schema, "allOf": [REMOTE_REFERENCE]})),
        "foreign-reference: response-report.schema.json",
    ),
    (
        "schema-accepts-all",
        "the schema of reports accepts everything",
        change_project(rewrite_json(REPORT_SCHEMA, accept_everything)),
        "unspecified-documented",
    ),
    (
        "answers-schema-accepts-all",
        "the schema of answers accepts everything",
        with_selfcheck("checks/test_batch_answer.py", rewrite_json(ANSWERS_SCHEMA, accept_everything)),
        "test_batch_answer",
    ),
    (
        "schema-without-id",
        "a schema has lost its name",
        write("schemas/ctrf.schema.json", "{}"),
        "schema-misnamed",
    ),
    ("pacts-gone", "there are no pacts", change_project(remove_pacts), "pact"),
    (
        "pact-empty",
        "a pact has no interactions",
        change_project(rewrite_json(PACT, lambda data: {**data, "interactions": []})),
        "pact",
    ),
    ("pact-cut", "a pact is cut off", write(PACT, '{"consumer"'), "pact"),
    ("policy-empty", "the policy asks for nothing", write("ci/gate_policy.toml", ""), "policy-unreadable"),
    (
        "expected-tests-gone",
        "the list of expected tests is gone",
        change_project(lambda project: (project / "ci" / "expected_tests.json").unlink()),
        "policy-unreadable",
    ),
)
# The others are undecided.
VERDICTS = {"schema-fetches": "none", "schema-without-id": "none"}
FAULTS = [
    GateFault(name, what, VERDICTS.get(name, "undecided"), reason, put) for name, what, put, reason in ROWS
]


@pytest.mark.process
@for_each_fault(FAULTS, by_day={"expected-tests-gone"})
def test_a_wrong_project_is_never_go(
    fault: GateFault, own_scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, own_scene) == ""
