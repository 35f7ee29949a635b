"""The tables in the docs are those that the data makes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS, VERSIONS, version_number
from fixtures.services import load


def test_the_table_of_cases_is_current() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "ci.commands.render_tables", "--check"], cwd=ROOT, check=False
    )
    assert ran.returncode == 0


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
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_the_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    locked = set(
        re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    )
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in wanted}
    assert names <= locked


def test_the_reference_services_state_the_versions_of_the_release() -> None:
    stated = {name: {version: load(name, version).number for version in VERSIONS} for name in PROVIDERS}
    assert stated == {name: {v: version_number(name, v) for v in VERSIONS} for name in PROVIDERS}


def test_no_skipped_test_hides_in_the_suites() -> None:
    files = [file for file in Path(ROOT, "suites").rglob("*.py") if file != Path(__file__)]
    marks = re.compile(r"pytest\.mark\.(skip|xfail)|pytest\.(skip|importorskip)\(")
    assert [file.name for file in files if marks.search(file.read_text(encoding="utf-8"))] == []
