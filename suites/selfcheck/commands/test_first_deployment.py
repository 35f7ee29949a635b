"""The page `docs/first-deployment.md` works as it is printed."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from fixtures.core.project import ROOT

pytestmark = pytest.mark.process

PAGE = (ROOT / "docs" / "first-deployment.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
PLATFORM, BETTER = (text for language, text in BLOCKS if language == "python")
[TARGETS] = (text for language, text in BLOCKS if language == "toml")
DOCTOR, TEST, GATE = (shlex.split(text) for language, text in BLOCKS if not language)
FINDING = next(text.strip() for language, text in BLOCKS if language == "text")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the page says to save."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "push.py").write_text(PLATFORM, encoding="utf-8")
    (tmp_path / "ours" / "targets.toml").write_text(TARGETS, encoding="utf-8")
    return tmp_path


def run(command: list[str], folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the page as if the folder were the clone, with its output in the folder."""
    program, *arguments = command
    arguments = [text.replace("ours/", f"{folder}/ours/") for text in arguments]
    return subprocess.run(  # noqa: S603  our own commands
        [str(ROOT / program), *arguments, *options], cwd=folder, capture_output=True, text=True, check=False
    )


def improve(folder: Path) -> None:
    """Replace the function as the page says."""
    file = folder / "ours" / "push.py"
    file.write_text(re.sub(r"def is_gone.*?\n\n\n", lambda _: f"{BETTER}\n\n", PLATFORM, flags=re.DOTALL))


@pytest.mark.nightly
def test_each_step_ends_as_the_page_says(folder: Path) -> None:
    doctor = run(DOCTOR, folder, f"--build={folder / 'build'}")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert "all well" in doctor.stdout.splitlines()[-1]
    options = (f"--ledger={folder / 'ledger.jsonl'}", "-p", "no:cacheprovider")
    first = run(TEST, folder, *options)
    assert first.returncode == 1, first.stdout + first.stderr
    assert FINDING in first.stdout
    assert "2 failed" in first.stdout
    improve(folder)
    second = run(TEST, folder, *options)
    assert second.returncode == 0, second.stdout + second.stderr


@pytest.mark.nightly
def test_the_gate_finds_what_the_page_says(folder: Path) -> None:
    improve(folder)
    gate = run(GATE, folder, f"--build={folder / 'build'}")
    assert gate.returncode == 1, gate.stdout[-2000:] + gate.stderr[-2000:]
    assert "apns-gone" in gate.stdout
    assert "token" in gate.stdout
