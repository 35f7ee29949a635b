"""Every command ends in every trouble with the exit code that ci/support/exit_codes.py says, never with 1."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ci.commands.__main__ import find_main
from ci.support.command_line import read_tables
from ci.support.exit_codes import ANSWERS, TROUBLES, ExitCode
from fixtures.core import surroundings
from fixtures.core.project import ROOT

pytestmark = pytest.mark.process

TABLES = read_tables()
SCRIPTS = tuple(name for name in TABLES if " " not in name)
# They run in an environment of their own, or as pytest.
ALONE = ("completion", "test")
COMMANDS = tuple(name for name in TABLES if "subcommands" not in TABLES[name] and name not in ALONE)
# What a command must be given, so that nothing but the trouble is wrong.
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "merge": ("--run=x", "shards"),
    "import-reports": ("answers.ndjson",),
    "explain": ("-",),
    "replay": ("module:Class",),
    "completion": ("bash",),
    "test": ("suites",),
}
# Nothing can be below a device.
NO_FOLDER = "/dev/null/none"
FOLDERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("gate", "summary", "selfcheck", "doctor"), (f"--build={NO_FOLDER}",)),
    "merge": (*ARGUMENTS["merge"], f"--build={NO_FOLDER}"),
    "report": (f"--build={NO_FOLDER}", __file__),
    "deep": ("--budget=1s", f"--build={NO_FOLDER}"),
    "rollout": (f"--output={NO_FOLDER}",),
    "import-reports": (f"--output={NO_FOLDER}/replay.ndjson", __file__),
    "regenerate": ("documents", f"--folder={NO_FOLDER}"),
    "serve fcm": (f"--ca={NO_FOLDER}/ca.pem",),
}
# Ends each command in a child of its own, as Python ends it.
FORKS = """
import gc, json, os, sys
from ci.commands import __main__
commands, file = json.loads(sys.argv[1]), sys.argv[2]
for command in commands:
    __main__.find_main(command.split()[0])
gc.freeze()  # else each child looks at all objects when it ends
codes = {}
for command in commands:
    child = os.fork()
    if not child:
        sys.exit(__main__.main([*command.split(), "--help"]))
    codes[command] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
with open(file, "w") as output:
    json.dump(codes, output)
"""
UNSET = {"PYTHONHOME", "PYTHONSAFEPATH", "PYTHONPATH", "PYTHON"}


def expected(what: str, commands: tuple[str, ...] = COMMANDS) -> dict[str, int]:
    """The column of a trouble in the table."""
    (trouble,) = (trouble for trouble in TROUBLES if trouble.what == what)
    return {name: code for name in commands if (code := trouble.get_exit_code(name)) is not None}


def run_here(command: str, *arguments: str) -> int:
    """The exit code of a command that runs in this process."""
    name, *subcommands = command.split()
    try:
        return find_main(name)([*subcommands, *arguments])
    except SystemExit as error:
        return int(error.code or 0)


def test_the_table_names_the_commands_and_no_others() -> None:
    tables = read_tables()
    assert set(ANSWERS) <= set(tables)
    assert {name for trouble in TROUBLES for name in trouble.codes_by_command} <= set(tables)
    codes = {code for trouble in TROUBLES for code in (trouble.exit_code, *trouble.codes_by_command.values())}
    assert ExitCode.NO_GO not in codes
    assert ExitCode.GO not in codes
    # What writes into a folder is tried with one that cannot be made; the clean-up only reads a list there.
    folders = {name for name, row in tables.items() if {"--build", "--output", "--folder"} & set(row)}
    assert folders - {"cleanup-states"} <= set(FOLDERS)
    assert set(FOLDERS) == set(expected("a folder that cannot be made", tuple(tables)))


def crash() -> None:
    raise RuntimeError("no one expects this")


@pytest.mark.parametrize(
    ("what", "act"),
    [
        ("SIGINT", lambda: os.kill(os.getpid(), signal.SIGINT)),
        ("SIGTERM", lambda: os.kill(os.getpid(), signal.SIGTERM)),
        ("an unexpected error", crash),
    ],
)
def test_what_happens_during_a_command(
    what: str, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "prepare_process", act)
    assert {name: run_here(name, *ARGUMENTS.get(name, ())) for name in COMMANDS} == expected(what)


def test_an_unknown_option(capsys: pytest.CaptureFixture[str]) -> None:
    codes = {}
    for name in COMMANDS:
        codes[name] = run_here(name, "--hepl")
        assert "unknown-option: '--hepl': nearest: --help" in capsys.readouterr().err
    assert codes == expected("an unknown option")


def test_a_folder_that_cannot_be_made() -> None:
    codes = {name: run_here(name, *FOLDERS[name]) for name in FOLDERS}
    assert codes == expected("a folder that cannot be made", tuple(FOLDERS))


@pytest.mark.parametrize(
    "what", ["a full device", pytest.param("its reader has gone", marks=pytest.mark.nightly)]
)
def test_output_that_is_lost(what: str, tmp_path: Path) -> None:
    if what == "a full device":
        output = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, output = os.pipe()
        os.close(reader)
    file = tmp_path / "codes.json"
    command = [sys.executable, "-c", FORKS, json.dumps(COMMANDS), str(file)]
    try:
        subprocess.run(command, cwd=ROOT, stdout=output, check=True)  # noqa: S603  our own module
    finally:
        os.close(output)
    assert json.loads(file.read_text()) == expected(what)


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """A checkout whose environment holds no package, but is set up as far as the scripts can see."""
    for file in ROOT.iterdir():
        if not file.name.startswith(".") and file.name != "build":
            (tmp_path / file.name).symlink_to(file)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    for file in Path(sys.prefix).iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path / ".venv")
    for name in ("mutants", "completion"):
        lock = ROOT / f"requirements-{name}.lock"
        ran = subprocess.run(["cksum"], input=lock.read_bytes(), capture_output=True, check=True)  # noqa: S607
        shutil.copytree(tmp_path / ".venv", tmp_path / f".venv-{name}")
        (tmp_path / f".venv-{name}" / f".{lock.name}-{ran.stdout.split()[0].decode()}").touch()
    return tmp_path


def run_script(checkout: Path, name: str, variables: Mapping[str, str]) -> tuple[int, str]:
    """The exit code and standard error of a script of ci/."""
    script = checkout / "ci" / name
    command = [str(script)] if script.exists() else [str(checkout / "ci" / "fcm-compat"), name]
    environment = {name: value for name, value in os.environ.items() if name not in UNSET} | dict(variables)
    arguments = ARGUMENTS.get(name, ("publish",) if name == "broker" else ())
    result = subprocess.run(  # noqa: S603  our own scripts
        [*command, *arguments],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.returncode, result.stderr


def test_python_that_lacks_something(bare_checkout: Path) -> None:
    """Variables of Python make no difference: the missing package is still what is told."""
    variables = {"PYTHONSAFEPATH": "1", "PYTHONHOME": "/nonexistent"}
    missing = expected("a package is not installed", SCRIPTS)
    codes = {}
    for name in missing:
        codes[name], err = run_script(bare_checkout, name, variables)
        assert "ModuleNotFoundError" in err, (name, err)
        assert "cannot-start: see above\n  next: " in err, (name, err)
    assert codes == missing
    assert not any(expected(f"`{name}={value}`", SCRIPTS) for name, value in variables.items())


def test_no_interpreter_before_the_set_up(bare_checkout: Path) -> None:
    for folder in bare_checkout.glob(".venv*"):
        shutil.rmtree(folder)
    runs = {name: run_script(bare_checkout, name, {"PYTHON": "/nonexistent"}) for name in SCRIPTS}
    assert {name: code for name, (code, _) in runs.items()} == expected(
        "`PYTHON=/nonexistent` before the set-up", SCRIPTS
    )
    assert all("/nonexistent" in err and "next: " in err for _, err in runs.values())


def test_no_settings_of_django(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A project's module raises this error of its own, as Django's models do."""
    (tmp_path / "models_without_settings.py").write_text("raise RuntimeError('no settings')\n")
    options = ("--from", str(tmp_path), "--django", "models_without_settings")
    code = run_here("clean-messages-container", *options)
    assert {"clean-messages-container": code} == expected("no `DJANGO_SETTINGS_MODULE`")
    err = capsys.readouterr().err
    assert err.startswith("broken-module: 'models_without_settings': it cannot be imported: RuntimeError: ")
    assert "set DJANGO_SETTINGS_MODULE" in err


def test_no_python_of_the_project(tmp_path: Path) -> None:
    variables = {"PYTHON": str(tmp_path / "none")}
    script = [str(ROOT / "ci" / "clean-messages-container"), "--django", "models"]
    result = subprocess.run(  # noqa: S603  our own script
        script, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert f"{tmp_path}/none" in result.stderr
    assert "next: " in result.stderr


@pytest.mark.parametrize(
    ("option", "code"), [("--hepl", ExitCode.USAGE), ("--version", ExitCode.NOT_WRITTEN)]
)
def test_pytest_has_the_same_exit_codes(option: str, code: ExitCode) -> None:
    """Pytest itself exits with 4 and 1."""
    with Path("/dev/full").open("w") as output:
        command = [sys.executable, "-m", "ci.commands", "test", option]
        result = subprocess.run(command, cwd=ROOT, stdout=output, check=False)  # noqa: S603  our own module
    assert result.returncode == code
