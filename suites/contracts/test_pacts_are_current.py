"""The committed pacts are what the consumers declare, byte for byte."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.contracts.pact.consumer_tests import PACT_RELEASE_MEMBERS, render_pacts
from fixtures.contracts.pact.model import PACTS, read_pact
from fixtures.core.project import ROOT
from fixtures.core.topology import EDGES, VERSIONS, Edge

pytestmark = pytest.mark.aside  # the gate reads the same declarations one by one


def regenerate(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ci.commands", "regenerate", "pacts", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  our own


def read_texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("*/*"))
    }


def test_regenerating_into_an_empty_folder_makes_the_committed_pacts() -> None:
    assert render_pacts() == read_texts(PACTS)


def test_the_check_names_what_is_not_current_and_regenerating_mends_it(tmp_path: Path) -> None:
    folder = tmp_path / "pacts"
    shutil.copytree(PACTS, folder)
    first, second, *_ = sorted(read_texts(folder))
    (folder / first).write_text((folder / first).read_text(encoding="utf-8") + " ", encoding="utf-8")
    (folder / second).unlink()
    (folder / "after" / "a-b.json").write_text("{}", encoding="utf-8")
    result = regenerate("--check", "--folder", str(folder))
    assert result.returncode == 1
    assert result.stderr.splitlines() == [
        f"stale-pact: {first}, {second}",
        "  next: ./ci/regenerate pacts",
        "stray-pact: after/a-b.json: it is not generated",
        "  next: delete it",
    ]
    assert regenerate("--folder", str(folder)).returncode == 0
    assert read_texts(folder) == read_texts(PACTS)
    result = regenerate("--check", "--folder", str(folder))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("option", ["--chek", "now"])
def test_wrong_usage_never_looks_like_an_answer(option: str) -> None:
    result = regenerate(option)
    assert result.returncode == 64
    assert "next: ./ci/regenerate --help" in result.stderr


@pytest.mark.parametrize(
    ("edge", "version"),
    [
        pytest.param(edge, version, id=f"{edge.consumer}={version},{edge.provider}")
        for edge in EDGES
        for version in VERSIONS
    ],
)
def test_no_release_of_pact_is_written_down(edge: Edge, version: str) -> None:
    pact = read_pact(edge, version)
    assert pact["metadata"] == {"pactSpecification": {"version": "4.0"}}
    assert not any(name in json.dumps(pact["metadata"]) for name in PACT_RELEASE_MEMBERS)
