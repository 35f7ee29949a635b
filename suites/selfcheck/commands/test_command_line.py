"""The command line of all commands: help without set-up, nearest words, colors, and completion in a shell."""

import subprocess
import sys
from pathlib import Path

import pytest

from ci.support import command_help
from ci.support.command_line import build_parser, list_commands, read_tables
from fixtures.core.console import wants_color
from fixtures.core.project import ROOT

FCM_COMPAT = ROOT / "ci" / "fcm-compat"


def test_every_script_of_ci_is_a_command_and_the_other_way_round() -> None:
    scripts = {file.name for file in (ROOT / "ci").iterdir() if file.is_file() and not file.suffix}
    assert scripts - {"fcm-compat"} == set(list_commands()) - {"completion"}


@pytest.mark.process
def test_help_needs_no_package_and_no_set_up(tmp_path: Path) -> None:
    """Python runs without its site packages, in a checkout without any environment."""
    for name in ("ci", "fixtures", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    command = [sys.executable, "-E", "-s", "-S", "-m", "ci.support.command_help", "gate", "--help"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == build_parser("gate").format_help()
    script = [str(tmp_path / "ci" / "gate"), "--examples", "5", "--help"]
    result = subprocess.run(script, capture_output=True, text=True, check=False)  # noqa: S603
    assert (result.returncode, result.stderr) == (0, "")
    assert "Exit codes: 0 go" in result.stdout
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("command", read_tables())
def test_each_help_says_what_the_command_does_and_its_exit_codes(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_help.main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"usage: ./ci/{command} " in text
    assert "docs/exit-codes.md" in text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["gat"], "unknown-command: 'gat': nearest: gate, "),
        (["explian", "--help"], "unknown-command: 'explian': nearest: explain, "),
        ([], "no-command"),
    ],
)
def test_an_unknown_command_gets_the_nearest(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="64"):
        command_help.main(arguments)
    err = capsys.readouterr().err
    assert err.startswith(problem)
    assert err.endswith("next: ./ci/fcm-compat --help\n")


@pytest.mark.parametrize(
    ("command", "arguments", "problem"),
    [
        ("gate", ["--targts", "x"], "unknown-option: '--targts': nearest: --targets, --target, "),
        ("explain", ["--jsn"], "unknown-option: '--jsn': nearest: --json, "),
        ("broker", ["verify", "--publsh"], "unknown-option: '--publsh': nearest: --publish, "),
        ("regenerate", ["pact"], "'pact': allowed: pacts, "),
        ("clean-messages-container", ["--kind", "spm"], "'spm': allowed: spam, "),
        ("gate", ["--environment", ""], "empty-option: '--environment': "),
        ("rollout", ["--broker="], "empty-option: '--broker': "),
    ],
)
def test_an_unknown_option_or_choice_gets_the_nearest(
    command: str, arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="64"):
        build_parser(command).parse_args(arguments)
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colors_are_as_the_variables_say(
    variables: dict[str, str], *, colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wants_color() is colored


@pytest.mark.process
@pytest.mark.nightly
def test_bash_completes_commands_options_and_files(tmp_path: Path) -> None:
    script = subprocess.run([FCM_COMPAT, "completion", "bash"], capture_output=True, text=True, check=True)  # noqa: S603
    file = tmp_path / "completion"
    file.write_text(script.stdout)
    for arguments, completed in (
        (("cl",), "cleanup-states clean-messages-container"),
        (("gate", "--targ"), "--target --targets"),
        (("broker", "pub"), "publish"),
        (("regenerate", "pa"), "pacts"),
    ):
        typed = " ".join(arguments)
        shell = (
            f"source {file}; COMP_WORDS=(fcm-compat {typed}); COMP_CWORD={len(arguments)}; "
            f'_shtab_fcm_compat fcm-compat {arguments[-1]}; echo "${{COMPREPLY[@]}}"'
        )
        result = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)  # noqa: S603, S607
        assert result.stdout.split() == completed.split(), typed
