"""The list of tests that the policy asks for is what a bare clone collects, with nothing beside it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ci.support.suite_process import collect_test_ids
from fixtures.core.project import ROOT
from fixtures.results.policy_file import EXPECTED_TESTS, format_expected_tests, read_expected_tests

FOLDERS = ("ci", "docs", "fixtures", "pacts", "schemas", "suites", "benchmarks")


@pytest.fixture
def bare_copy(tmp_path: Path) -> Path:
    """A copy of this checkout, without what runs have left in it, in an otherwise empty folder."""
    copy = tmp_path / "alone" / "project"
    ignore = shutil.ignore_patterns("node_modules")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    for file in (*ROOT.glob("*.py"), *ROOT.glob("*.toml")):
        shutil.copy2(file, copy)
    return copy


@pytest.mark.process
def test_a_bare_clone_collects_what_the_list_names(bare_copy: Path, tmp_path: Path) -> None:
    program = (
        "from ci.support.suite_process import collect_test_ids\n"
        "from fixtures.results.policy_file import format_expected_tests\n"
        "print(format_expected_tests(collect_test_ids()), end='')"
    )
    (tmp_path / "home").mkdir()
    result = subprocess.run(  # noqa: S603  our own program, no shell
        [sys.executable, "-c", program],
        cwd=bare_copy,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == EXPECTED_TESTS.read_text(encoding="utf-8"), "next: ./ci/regenerate tests"


def test_the_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    tests = {
        "suites/a/test_x.py::test_y",
        "suites/a/test_x.py::test_z[b::c]",
        "suites/a/test_x.py::test_z[d]",
    }
    file = tmp_path / "tests.json"
    file.write_text(format_expected_tests(tests), encoding="utf-8")
    assert read_expected_tests(file) == tests


@pytest.mark.nightly
@pytest.mark.process
def test_what_cannot_be_collected_is_an_error(bare_copy: Path) -> None:
    for file in (bare_copy / "suites").rglob("test_*.py"):
        file.unlink()
    (bare_copy / "suites" / "compat" / "test_new.py").write_text("import no_such_module\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="no_such_module"):
        collect_test_ids(bare_copy)
