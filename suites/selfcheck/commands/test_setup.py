"""ci/setup/venv.sh sets up .venv once, keeps what the user added, and refuses what cannot work."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.core.project import ROOT

pytestmark = pytest.mark.process

COMMAND = """#!/usr/bin/env bash
set -euo pipefail
locks="requirements.lock"
source "$(dirname "${BASH_SOURCE[0]}")/setup/venv.sh" || exit 70
exec .venv/bin/python -c '
from importlib.metadata import distributions
print(*(row.name for row in distributions()))'
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a command that needs one package, which lies in a folder of wheels."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "ci" / "setup", folder / "ci" / "setup")
    (folder / "ci" / "command").write_text(COMMAND, encoding="utf-8")
    (folder / "ci" / "command").chmod(0o755)
    (folder / "requirements-dev.lock").touch()
    write_lock(folder, "needed", "1")
    return folder


def write_lock(project: Path, name: str, version: str) -> None:
    """Make a wheel without content, and lock its version."""
    wheel = project / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = f"{name}=={version} --hash=sha256:{digest}\n"
    (project / "requirements.lock").write_text(lock, encoding="utf-8")


def run(
    project: Path, words: Sequence[str] = ("ci/command",), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command, or another, with pip, which takes wheels from the project's folder only."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "HOME": str(project.parent)}
    environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(project), **variables}
    return subprocess.run(  # noqa: S603  our own script
        words, cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def add_package(project: Path, name: str) -> None:
    """Add a package to .venv, as pip would."""
    (site,) = (project / ".venv" / "lib").glob("python*/site-packages")
    folder = site / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")


def test_it_installs_once_and_keeps_what_the_user_added(project: Path) -> None:
    first = run(project)
    assert (first.returncode, "needed" in first.stdout.split()) == (0, True), first.stderr
    assert "Setting up .venv from requirements.lock: 1 packages" in first.stderr
    assert "Set up in " in first.stderr
    second = run(project, PYTHON="/nonexistent/python")
    assert (second.returncode, second.stderr) == (0, "")

    add_package(project, "mine")
    write_lock(project, "other", "1")
    third = run(project)
    assert "Setting up .venv" in third.stderr
    assert {"mine", "needed", "other"} <= set(third.stdout.split())


@pytest.mark.nightly
def test_an_environment_whose_python_is_gone_is_made_anew(project: Path) -> None:
    run(project)
    add_package(project, "mine")
    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python")
    anew = run(project)
    assert "The Python of .venv is gone, so .venv is made anew. Install again" in anew.stderr
    assert " mine" in anew.stderr
    assert anew.returncode == 0
    assert "needed" in anew.stdout.split()
    assert "mine" not in anew.stdout.split()


@pytest.mark.nightly
def test_a_package_with_another_digest_is_no_set_up(project: Path) -> None:
    lock = project / "requirements.lock"
    lock.write_text(f"needed==1 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    for _ in range(2):
        done = run(project)
        assert (done.returncode, done.stdout) == (70, "")
        assert "set-up-failed: see above; next: rm -rf .venv" in done.stderr


def test_windows_is_refused_by_name(project: Path) -> None:
    tools = project.parent / "tools"
    tools.mkdir()
    (tools / "uname").write_text("#!/bin/sh\necho MINGW64_NT-10.0\n", encoding="utf-8")
    (tools / "uname").chmod(0o755)
    done = run(project, PATH=f"{tools}{os.pathsep}/usr/bin:/bin")
    assert done.returncode == 64
    assert "unsupported-system: MINGW64_NT-10.0" in done.stderr
    assert "next: on Windows, wsl --install" in done.stderr
    assert not (project / ".venv").exists()


def test_each_step_of_the_container_file_can_be_taken(project: Path) -> None:
    python = project / "python3"  # its `-m venv` makes a link to it, and it says what else it shall do
    python.write_text("""#!/bin/sh
case "$*" in
"-m venv "*) mkdir -p "$3/bin"; ln -s "$0" "$3/bin/python" ;;
"-m pip "*) echo "$*" >&2 ;;
esac
""")
    python.chmod(0o755)
    text = (ROOT / "ci" / "templates" / "Containerfile").read_text(encoding="utf-8")
    copied: list[Path] = []
    ran = []
    for instruction, _, rest in (line.partition(" ") for line in text.splitlines()):
        words = [word for word in rest.split() if not word.startswith("--")]
        if instruction == "COPY":
            sources = [list(ROOT.glob(word)) if "*" in word else [ROOT / word] for word in words[:-1]]
            assert all(files and all(file.exists() for file in files) for files in sources), rest
            copied += [file for files in sources for file in files]
        elif words and words[0] == "bash":
            assert any((ROOT / words[1]).is_relative_to(file) for file in copied), (
                "it is copied before it runs"
            )
            ran.append(run(project, words, PYTHON=str(python)))
    (set_up,) = ran
    assert (set_up.returncode, "-r requirements.lock" in set_up.stderr) == (0, True), set_up.stderr
