"""Only a folder of our own is cleared, one run at a time writes there, and a run begins as undecided."""

import contextlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ci.support.exit_codes import ExitCode
from fixtures.core.errors import UserError
from fixtures.core.project import ROOT
from fixtures.results import build_folder
from fixtures.results.build_folder import MARK, RunFiles

COMMANDS = (
    ("gate",),
    ("merge", "--run=r1", "shards"),
    ("report",),
    ("deep", "--budget=1s"),
    ("selfcheck", "--sample=1"),
    ("doctor",),
)
HOLD = """
import pathlib, sys, time
from fixtures.results import build_folder
with build_folder.lock(pathlib.Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


@contextlib.contextmanager
def hold_lock(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Let another process write into a build folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_a_folder_that_holds_anything_else_is_refused_and_unchanged(tmp_path: Path) -> None:
    for name in ("report", "rollout", "allure-results", "verifications"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=r"(?s)foreign-folder: .*next: name a new folder"):
        build_folder.adopt(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_new_an_empty_and_a_marked_folder_are_ours(tmp_path: Path) -> None:
    new = build_folder.adopt(tmp_path / "new" / "folder")
    (new / "report").mkdir()
    assert build_folder.adopt(new) == new
    (tmp_path / "empty").mkdir()
    build_folder.adopt(tmp_path / "empty")


def test_a_link_is_removed_and_never_what_it_leads_to(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").touch()
    files = RunFiles(build_folder.adopt(tmp_path / "build"), tmp_path / "history")
    files.pages.symlink_to(other)
    files.clear()
    assert not files.pages.exists()
    assert (other / "mine.txt").exists()


@pytest.mark.parametrize("arguments", COMMANDS, ids=[command for command, *_ in COMMANDS])
def test_no_command_writes_into_a_folder_that_is_not_ours(
    arguments: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").touch()
    name, *options = arguments
    main = importlib.import_module(f"ci.commands.{name.replace('-', '_')}").main
    with pytest.raises(SystemExit, match=str(int(ExitCode.USAGE))):
        main([*options, f"--build={tmp_path}"])
    assert "foreign-folder" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.process
def test_a_second_run_is_refused_by_name_until_the_first_one_has_died(tmp_path: Path) -> None:
    folder = build_folder.adopt(tmp_path / "build")
    with hold_lock(folder) as process:
        for shared in (False, True):
            with pytest.raises(UserError, match=rf"build-in-use: .*process {process.pid}, since 20"):
                build_folder.lock(folder, shared=shared).__enter__()
    with build_folder.lock(folder):
        assert f"process {os.getpid()}," in (folder / MARK).read_text(encoding="utf-8")


def test_without_a_result_wrong_usage_changes_nothing(tmp_path: Path) -> None:
    folder = build_folder.adopt(tmp_path / "build")
    build_folder.expire_results([f"--build={folder}", "--fast"])
    build_folder.expire_results(["--build"])
    assert sorted(tmp_path.rglob("*")) == [folder, folder / MARK]
    (folder / "verdict.json").write_text("{}", encoding="utf-8")
    build_folder.expire_results([f"--build={folder}", "--help"])
    assert (folder / "verdict.json").read_text(encoding="utf-8") == "{}"
