"""A verdict names what it was made with."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ci.commands import gate
from ci.support import provenance
from ci.support.provenance import describe_provenance
from fixtures.core.project import ROOT
from fixtures.core.run_config import RunConfig
from fixtures.core.topology import RELEASE_FILE
from fixtures.results.policy_file import POLICY_FILE
from fixtures.results.report import exports
from suites.selfcheck.results.parsed_page import page_text, render_page
from suites.selfcheck.results.sample_reports import build_run
from suites.selfcheck.results.sample_runs import change_line, good_run


@pytest.mark.parametrize(
    ("constant", "source"), [("POLICY_FILE", POLICY_FILE), ("RELEASE_FILE", RELEASE_FILE)]
)
def test_another_file_has_another_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, constant: str, source: Path
) -> None:
    before = describe_provenance(RunConfig())
    changed = tmp_path / source.name
    changed.write_text(source.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    monkeypatch.setattr(provenance, constant, changed)
    after = describe_provenance(RunConfig())
    assert [name for name in before if before[name] != after[name]] == [constant.partition("_")[0].lower()]


def test_files_that_a_command_line_names_have_digests(tmp_path: Path) -> None:
    file = tmp_path / "targets.toml"
    file.write_text("a = 1", encoding="utf-8")
    about = describe_provenance(RunConfig(targets=str(file), replay=(str(file),)))
    assert about["targets"] == f"{about['replay']} targets.toml"
    assert not {"targets", "replay"} & describe_provenance(RunConfig()).keys()


def test_the_commit_says_whether_files_differ_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert describe_provenance(RunConfig())["commit"] == "unknown"
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)  # noqa: S603, S607  our own command
    commit = describe_provenance(RunConfig())["commit"]
    assert len(commit) == 40
    (tmp_path / "pyproject.toml").write_text("[project]\nversion = '9'\n", encoding="utf-8")
    changed = describe_provenance(RunConfig())
    assert (changed["fcm-compat"], changed["commit"]) == ("9", f"{commit}+")


def test_verdict_report_and_junit_say_it(tmp_path: Path) -> None:
    lines = good_run()
    change_line(0, provenance={"fcm-compat": "1.2.3", "policy": "0123456789abcdef"})(lines)
    run = build_run(tmp_path, lines)
    assert run.verdict["provenance"] == {"fcm-compat": "1.2.3", "policy": "0123456789abcdef"}
    assert "fcm-compat 1.2.3 policy 0123456789abcdef" in page_text(render_page(run))
    assert '<property name="policy" value="0123456789abcdef" />' in exports.format_junit([run])


def test_the_version_is_printed_and_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert gate.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"fcm-compat {provenance.read_version()}, commit ")
