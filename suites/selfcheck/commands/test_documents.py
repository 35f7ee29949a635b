"""The documents are current: generated tables, links, locked dependencies and versions."""

import re
import tomllib
from pathlib import Path

import pytest

from ci.commands import regenerate
from ci.support.cli import ExitCode
from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS, VERSIONS, get_version_number
from fixtures.services import load


def test_the_table_of_cases_is_current() -> None:
    assert regenerate.main(["tables", "--check"]) == ExitCode.GO


@pytest.mark.parametrize(
    "file",
    [
        "README.md",
        "CONTRIBUTING.md",
        "pacts/README.md",
        "docs/cases.md",
        "docs/deep.md",
        "docs/faults.md",
        "docs/emulator.md",
        "docs/report.md",
        "docs/serve.md",
        "docs/broker.md",
    ],
)
def test_links_lead_somewhere(file: str) -> None:
    page = ROOT / file
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local_links = [link for link in links if "://" not in link]
    assert [link for link in local_links if not (page.parent / link).exists()] == []


def test_the_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    dependencies = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    locked = set(
        re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    )
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in dependencies}
    assert names <= locked


def test_the_reference_services_state_the_versions_of_the_release() -> None:
    numbers = {name: {version: load(name, version).number for version in VERSIONS} for name in PROVIDERS}
    assert numbers == {name: {v: get_version_number(name, v) for v in VERSIONS} for name in PROVIDERS}


def test_no_skipped_test_hides_in_the_suites() -> None:
    files = [file for file in Path(ROOT, "suites").rglob("*.py") if file != Path(__file__)]
    marks = re.compile(r"pytest\.mark\.(skip|xfail)|pytest\.(skip|importorskip)\(")
    assert [file.name for file in files if marks.search(file.read_text(encoding="utf-8"))] == []
