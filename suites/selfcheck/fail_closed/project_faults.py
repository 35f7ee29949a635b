"""Faults of the project's own files: nothing to run, something left out, data that promise nothing."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fixtures.core.project import ROOT
from fixtures.faults import FAULTS as SEEDED
from fixtures.targets.embedded import start_process
from suites.selfcheck.fail_closed.model import REACTOR, Fault, Made, Scene, Setting
from suites.selfcheck.fail_closed.responses import deployed
from suites.selfcheck.fail_closed.sandbox import SLICE, addopts, edited

OLD_CODES = "suites/compat/test_old_codes_still_unsubscribe.py"
TEST = "def test_old_codes_still_unsubscribe("
FIRST = f"{OLD_CODES}::test_old_codes_still_unsubscribe[subscribers-errors-legacy-NotRegistered]"


def changed(change: Callable[[Path], object]) -> Made:
    """A house in which something is otherwise."""

    @contextlib.contextmanager
    def made(scene: Scene) -> Iterator[Setting]:
        change(scene.house)
        yield Setting()

    return made


def options(*told: str) -> Made:
    """What pytest is told besides."""
    return changed(lambda house: addopts(house, *told))


def marked(mark: str) -> Made:
    """A mark on the test of old codes."""
    return changed(
        lambda house: edited(house / OLD_CODES, TEST, f"@__import__('pytest').mark.{mark}\n{TEST}")
    )


def first_line(deed: str) -> Made:
    """Something that the test of old codes does before all else."""

    def change(house: Path) -> None:
        edited(
            house / OLD_CODES,
            "    assert_case_handled(provider, case)\n",
            f"    {deed}\n    assert_case_handled(provider, case)\n",
        )

    return changed(change)


def noticed_by(file: str, then: Callable[[Path], object]) -> Made:
    """A house with one self-check more, which is there in every gate and must notice what is done to it."""

    def change(house: Path) -> None:
        folder = house / "suites" / "selfcheck"
        shutil.copytree(
            ROOT / "suites" / "selfcheck", folder, ignore=shutil.ignore_patterns("test_*", "__pycache__")
        )
        shutil.copy2(ROOT / "suites" / "selfcheck" / file, folder / file)
        edited(house / "pyproject.toml", SLICE, f"{SLICE} or {Path(file).stem}")
        then(house)

    return changed(change)


def rewritten(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """A JSON file, made something else."""

    def rewrite(house: Path) -> None:
        data = json.loads((house / name).read_text(encoding="utf-8"))
        (house / name).write_text(json.dumps(change(data)), encoding="utf-8")

    return rewrite


def without_tests(house: Path) -> None:
    """Nothing to run."""
    for file in house.glob("suites/compat/test_*.py"):
        file.unlink()


def expected_to_fail(house: Path) -> None:
    """The test of old codes fails, and says that it may."""
    mark = "@__import__('pytest').mark.xfail(reason='known', strict=False)"
    edited(house / OLD_CODES, TEST, f"{mark}\n{TEST}")
    edited(house / OLD_CODES, "    assert_case_handled(provider, case)\n", "    raise KeyError('known')\n")


def accepting(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema, and all that it defines, that nothing can break."""
    defined: dict[str, Any] = {name: {} for name in schema.get("$defs", {})}
    return {**{name: schema[name] for name in ("$schema", "$id")}, "$defs": defined}


def emptied(house: Path) -> None:
    """No pact at all."""
    for version in ("before", "after"):
        for file in (house / "pacts" / version).glob("*.json"):
            file.unlink()


PACT = "pacts/after/directory-errors-listener-subscribers-errors.json"


@contextlib.contextmanager
def overlooked(scene: Scene) -> Iterator[Setting]:
    """A deployment with a fault, and an environment that tells pytest to overlook it."""
    fault = next(fault for fault in SEEDED if fault.name == "not-registered-ignored")
    told = {"PYTEST_ADDOPTS": "--without=effects --deselect=suites/compat/test_mixed_batches.py"}
    with start_process("fixtures.faults", fault.name) as (started,):
        yield Setting(deployed(REACTOR, started["url"], scene), environment=told)


ROWS: Mapping[str, tuple[str, Made, str, str]] = {
    "no-tests": (
        "there is no test at all",
        changed(without_tests),
        "undecided",
        "no-tests|pytest exited 5",
    ),
    "filter-matches-nothing": (
        "a filter matches nothing",
        changed(lambda house: edited(house / "pyproject.toml", SLICE, "no-such-case")),
        "undecided",
        "no-tests|pytest exited 5",
    ),
    "deselected": (
        "a required case is deselected",
        options("--deselect", FIRST),
        "undecided",
        "too-few-tests",
    ),
    "suite-ignored": (
        "a file of tests is ignored",
        options("--ignore", "suites/compat/test_mixed_batches.py"),
        "undecided",
        "too-few-tests",
    ),
    "skipped": (
        "a required case is skipped",
        marked("skip(reason='not today')"),
        "undecided",
        "skipped: .*not today",
    ),
    "expected-to-fail": (
        "a required case fails, and is expected to",
        changed(expected_to_fail),
        "undecided",
        "skipped: ",
    ),
    "skips-itself": (
        "a test skips itself",
        first_line("__import__('pytest').skip('no network')"),
        "undecided",
        "no network",
    ),
    "test-crashes": ("a test crashes", first_line("raise KeyError('lost')"), "undecided", "lost"),
    "test-exits": (
        "a test ends its process",
        first_line("raise SystemExit(0)"),
        "undecided",
        "SystemExit|crashed|ended",
    ),
    "test-ends-the-session": (
        "a test ends the whole run",
        first_line("__import__('pytest').exit('enough', 0)"),
        "undecided",
        ".",
    ),
    "syntax-error": (
        "a file of tests cannot be read",
        changed(lambda house: edited(house / OLD_CODES, TEST, f"this is no Python\n{TEST}")),
        "undecided",
        "cannot be collected",
    ),
    "catalogue-empty": (
        "the catalogue is empty",
        changed(rewritten("schemas/response-codes.json", lambda data: {**data, "cases": []})),
        "undecided",
        "catalogue-invalid",
    ),
    "catalogue-cut": (
        "the catalogue is cut off",
        changed(lambda house: (house / "schemas/response-codes.json").write_text("{", encoding="utf-8")),
        "undecided",
        "schema-unreadable",
    ),
    "schema-accepts-all": (
        "the schema of reports accepts everything",
        noticed_by("test_malformed_payloads.py", rewritten("schemas/response-report.schema.json", accepting)),
        "undecided",
        "test_malformed_payloads",
    ),
    "answers-schema-accepts-all": (
        "the schema of answers accepts everything",
        noticed_by("test_check_answers.py", rewritten("schemas/provider-answers.schema.json", accepting)),
        "undecided",
        "test_check_answers",
    ),
    "schema-without-id": (
        "a schema has lost its name",
        changed(lambda house: (house / "schemas/ctrf.schema.json").write_text("{}", encoding="utf-8")),
        "none",
        "schema-misnamed",
    ),
    "pacts-gone": ("there are no pacts", changed(emptied), "undecided", "pact"),
    "pact-empty": (
        "a pact has no interactions",
        changed(rewritten(PACT, lambda data: {**data, "interactions": []})),
        "undecided",
        "pact",
    ),
    "pact-cut": (
        "a pact is cut off",
        changed(lambda house: (house / PACT).write_text('{"consumer"', encoding="utf-8")),
        "undecided",
        "pact",
    ),
    "policy-empty": (
        "the policy asks for nothing",
        changed(lambda house: (house / "ci/gate_policy.toml").write_text("", encoding="utf-8")),
        "undecided",
        "policy-unreadable",
    ),
    "overlooked-from-outside": (
        "the environment tells pytest to overlook the effects, and the deployment is wrong",
        overlooked,
        "no-go",
        "leaves the subscriber active after legacy-NotRegistered",
    ),
}

FAULTS = tuple(
    Fault(name, what, verdict, because, made) for name, (what, made, verdict, because) in ROWS.items()
)
