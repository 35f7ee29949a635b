"""Linters of CI systems and of containers accept the templates and container files, but no wrong one."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.project import ROOT

pytestmark = pytest.mark.process

TEMPLATES = ROOT / "ci" / "templates"
LINTERS = ROOT / ".venv-linters" / "bin"
NODE = ROOT / "suites" / "contracts" / "validators" / "node"
ZIZMOR = (LINTERS / "zizmor", "--offline", "--no-progress", "--min-severity=medium")
SCHEMA = (sys.executable, "-m", "check_jsonschema")
# By template: its linters, and an edit that each of them must notice.
WORKFLOW: Sequence[tuple[Sequence[object], tuple[str, str]]] = (
    ((*SCHEMA, "--builtin-schema=vendor.github-workflows"), ("runs-on:", "run-on:")),
    (("node", NODE / "lint-workflow.mjs"), ("if: always()", "if: alwyas()")),
    (ZIZMOR, ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7")),
)
GITLAB = (
    ((*SCHEMA, "--builtin-schema=vendor.gitlab-ci", "--data-transform=gitlab-ci"), ("script:", "scripts:")),
)
# The linter's own rules are about style; its compiler tells what Jenkins could not read.
GROOVY = NODE / "node_modules/npm-groovy-lint/lib/java/groovy/lib/groovy-4.0.26.jar"
COMPILER = ("java", "-XX:TieredStopAtLevel=1", "-cp", GROOVY, "org.codehaus.groovy.tools.FileSystemCompiler")
JENKINS = ((COMPILER, ("stages {", "stages {{")),)
LINTERS_OF: Mapping[str, Sequence[tuple[Sequence[object], tuple[str, str]]]] = {
    "github-actions.yml": WORKFLOW,
    "github-actions-shards.yml": WORKFLOW,
    "action/action.yml": (
        ((*SCHEMA, "--builtin-schema=vendor.github-actions"), ("using:", "use:")),
        (ZIZMOR, ("@5fda3b95a4ea91299a34e894583c3862153e4b97", "@v7")),
    ),
    "gitlab-ci.yml": GITLAB,
    "gitlab-ci-shards.yml": GITLAB,
    "Jenkinsfile": JENKINS,
    "Jenkinsfile-shards": JENKINS,
    "Containerfile": (((LINTERS / "hadolint",), ("WORKDIR /", "WORKDIR ")),),
    "../../emulator/Containerfile": (((LINTERS / "hadolint",), ("USER 65534", "USER nobody")),),
}


def list_rows(*, installed: bool) -> list[Any]:
    """The templates with the linters that are installed for them, or with the others."""
    return [
        pytest.param(name, command, edit, id=f"{name}-{Path(str(command[0])).name}")
        for name, linters in LINTERS_OF.items()
        for command, edit in linters
        if installed == (command[0] != sys.executable)
    ]


def lint(command: Sequence[object], file: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"there is no {command[0]}")
    arguments = [str(word) for word in (*command, file)]
    folder = file.parent  # the compiler writes there
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False, timeout=900)  # noqa: S603


def test_every_template_is_linted() -> None:
    files = {str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*") if file.is_file()}
    assert files - {"comment"} <= LINTERS_OF.keys()


@pytest.mark.nightly
@pytest.mark.usefixtures("validators")
@pytest.mark.parametrize(("name", "command", "edit"), list_rows(installed=True))
def test_other_linters_accept_a_template_and_no_wrong_one(
    tmp_path: Path, name: str, command: Sequence[object], edit: tuple[str, str]
) -> None:
    test_a_template_passes_and_a_wrong_one_does_not(tmp_path, name, command, edit)


@pytest.mark.parametrize(("name", "command", "edit"), list_rows(installed=False))
def test_a_template_passes_and_a_wrong_one_does_not(
    tmp_path: Path, name: str, command: Sequence[object], edit: tuple[str, str]
) -> None:
    folder = tmp_path / ".github" / ("action" if name.startswith("action/") else "workflows")
    folder.mkdir(parents=True)
    file = folder / Path(name).name  # as its linter expects
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    result = lint(command, file)
    assert result.returncode == 0, result.stdout + result.stderr
    assert edit[0] in text
    file.write_text(text.replace(*edit), encoding="utf-8")
    assert lint(command, file).returncode != 0
