"""The configuration of ./ci/mutants: what it names exists, and each survivor has a reason."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ci.commands import mutants
from fixtures.core.errors import UserError
from fixtures.core.project import ROOT

CONFIG: dict[str, Any] = tomllib.loads((ROOT / "ci/mutation/mutants.toml").read_text(encoding="utf-8"))
MUTATED = ("fixtures/services/*/after.py", "fixtures/services/fcm*.py", "fixtures/checks/*.py")
ROW_MEMBERS = {"module", "scope", "was", "becomes", "occurrence", "why"}


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    with pytest.raises(UserError, match=r"no-git-clone: .*not a git repository"):
        mutants.copy_tree(tmp_path / "copy")


def list_scopes(module: str) -> set[str]:
    """List the functions, classes and assigned names of a module, and those in its classes."""
    scopes = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef):
            prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
            for child in node.body:
                if isinstance(child, ast.FunctionDef | ast.ClassDef):
                    scopes.add(prefix + child.name)
                elif isinstance(child, ast.Assign):
                    scopes.add(prefix + ast.unparse(child.targets[0]))
                elif isinstance(child, ast.AnnAssign):
                    scopes.add(prefix + ast.unparse(child.target))
    return scopes


def test_every_module_and_every_test_exists() -> None:
    arguments = [argument for tests in CONFIG["killers"].values() for argument in tests]
    files = [name for name in [*CONFIG["modules"], *arguments] if name.startswith(("fixtures/", "suites/"))]
    assert [name for name in files if not (ROOT / name).is_file()] == []


def test_every_killer_is_known_and_used() -> None:
    assert {module["killer"] for module in CONFIG["modules"].values()} == set(CONFIG["killers"])


def test_no_service_and_no_check_is_left_out() -> None:
    files = {path.relative_to(ROOT).as_posix() for pattern in MUTATED for path in ROOT.glob(pattern)}
    assert {name for name in files if not name.endswith("__init__.py")} <= set(CONFIG["modules"])


@pytest.mark.parametrize("row", CONFIG["equivalent"], ids=lambda row: f"{row['module']}:{row['scope']}")
def test_every_equivalent_is_of_a_place_that_exists_and_has_its_reason(row: dict[str, Any]) -> None:
    assert set(row) <= ROW_MEMBERS <= {*row, "occurrence"}
    assert row["module"] in CONFIG["modules"]
    assert row["scope"] in list_scopes(row["module"])
    assert row["was"] != row["becomes"]
    assert len(row["why"].split()) > 2


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        pytest.param(
            ["--module", "fixtures/nothing.py"], "unknown-module: fixtures/nothing.py", id="no module"
        ),
        pytest.param(["--sample", "0"], "bad-sample: 0", id="nothing of each"),
        pytest.param(["-n", "0"], "bad-workers: 0", id="no process"),
        pytest.param(["--sample", "x"], "usage: ", id="no number"),
    ],
)
def test_wrong_usage_exits_64_and_says_what_is_allowed(arguments: list[str], slug: str) -> None:
    command = [sys.executable, "-m", "ci.commands", "mutants", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert result.returncode == 64
    assert slug in result.stderr
    assert "next: ./ci/mutants" in result.stderr
