"""Every command line of the README and the documents is run as it is printed, from the root of a clone.

`documented_commands.toml` says of each line when it runs, or which other test runs it, or why none can.
"""

import os
import re
import signal
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from ci.support import command_line
from fixtures.core.project import ROOT
from fixtures.platform.redis_server import run_redis
from suites.selfcheck.release.cleaner_process import run_process

TABLE = tomllib.loads(Path(__file__).with_name("documented_commands.toml").read_text(encoding="utf-8"))
ROWS: Sequence[dict[str, Any]] = TABLE["command"]
PAGES = sorted(
    [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "emulator/README.md")]
    + list((ROOT / "docs").rglob("*.md"))
)
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SHELLS = ("", "sh", "bash", "console", "shell")
INLINE = re.compile(r"`(\./ci/[a-z-]+[^`]*)`")
HOURS_S = 4 * 3600


def name_page(page: Path) -> str:
    return str(page.relative_to(ROOT))


def list_blocks(page: Path) -> list[str]:
    """The blocks of a page that a shell could run, with continued lines in one."""
    text = page.read_text(encoding="utf-8")
    return [block.replace("\\\n", "") for language, block in BLOCK.findall(text) if language in SHELLS]


def list_command_lines(page: Path) -> list[str]:
    """Every line of a page that is no output: after `$ ` where the block has it, without its comment."""
    lines = []
    for block in list_blocks(page):
        stripped = [line.strip() for line in block.splitlines() if line.strip()]
        if stripped[0] in TABLE["outputs"].get(name_page(page), ()):
            continue
        prompted = [line.removeprefix("$ ") for line in stripped if line.startswith("$ ")]
        lines += [re.sub(r"\s+", " ", re.split(r"\s+# ", line)[0]) for line in prompted or stripped]
    return lines


def test_every_command_line_is_accounted_for_by_name() -> None:
    printed = [(name_page(page), line) for page in PAGES for line in list_command_lines(page)]
    assert sorted(printed) == sorted((row["file"], row["line"]) for row in ROWS)
    for row in ROWS:
        assert len({"when", "elsewhere", "not_run"} & row.keys()) == 1, row
        assert row.get("when", "test") in ("test", "nightly"), row


def test_the_outputs_are_printed_in_the_documents() -> None:
    for name, beginnings in TABLE["outputs"].items():
        printed = [line.strip() for block in list_blocks(ROOT / name) for line in block.splitlines()]
        assert set(beginnings) <= set(printed), name


def test_what_another_test_runs_is_run_there() -> None:
    for row in ROWS:
        if "elsewhere" in row:
            file, _, function = row["elsewhere"].partition("::")
            assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), row


def test_commands_within_the_text_name_options_that_exist() -> None:
    tables = command_line.read_tables()
    for page in PAGES:
        for text in INLINE.findall(page.read_text(encoding="utf-8")):
            program, *arguments = text.split()
            assert (ROOT / program).exists(), (page, text)
            command = program.removeprefix("./ci/")
            if command == "fcm-compat":
                command = arguments[0] if arguments else "test"
            if command == "test" or command not in tables:
                continue  # pytest reads the options, or it is no command
            names = [name for name in tables if name == command or name.startswith(f"{command} ")]
            options = {option for name in names for option in command_line.build_parser(name).long_options}
            named_options = {word.partition("=")[0] for word in arguments if word.startswith("--")}
            assert named_options <= {*options, "--help"}, (page, text)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this checkout as in a new clone, with its set-up."""
    folder = tmp_path_factory.mktemp("clone")
    files = run_process(["git", "-C", str(ROOT), "ls-files"]).stdout.splitlines()
    for name in files:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
            (folder / name).chmod((ROOT / name).stat().st_mode)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    git = ["git", "-C", str(folder), "-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for arguments in (["init"], ["add", "."], ["commit", "--message=All files"]):
        done = run_process([*git, *arguments])
        assert done.returncode == 0, done.stderr
    return folder


@contextmanager
def serving(command: str, until: str, exit_codes: Sequence[int], **options: Any) -> Iterator[None]:
    """A command that serves and says so; it is stopped at the end."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(["bash", "-c", f"exec {command}"], **pipes, **options) as process:  # noqa: S603, S607  of the table
        assert process.stdout
        output = ""
        while until not in output and (printed := process.stdout.readline()):
            output += printed
        assert until in output
        yield
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode in exit_codes


def run_line(row: dict[str, Any], folder: Path, environment: dict[str, str], timeout_s: float) -> None:
    """Run what the page assumes, then the line; one that serves is stopped once it says that it does."""
    line, exit_codes = row["line"], row.get("exit", [0])
    for text, value in row.get("stand_in", {}).items():
        assert text in line, row
        line = line.replace(text, value)
    options: dict[str, Any] = {"cwd": folder, "env": environment, "text": True}
    if before := row.get("before"):
        subprocess.run(["bash", "-ec", before], check=True, **options)  # noqa: S603, S607  of the table
    if "until" in row and "while" not in row:
        with serving(line, row["until"], exit_codes, **options):
            return
    meanwhile = serving(row["while"], row["until"], [0, 143], **options) if "while" in row else nullcontext()
    with meanwhile:
        shell = ["bash", "-c", line]
        done = subprocess.run(shell, capture_output=True, check=False, timeout=timeout_s, **options)  # noqa: S603  of the table
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode in exit_codes, f"{line}: {done.returncode}\n{output[-3000:]}"
    assert row.get("says", "") in output, output[-3000:]


def run_page(name: str, clone: Path, kinds: Sequence[str], timeout_s: float) -> None:
    with run_redis() as url:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment["REDIS_URL"] = url
        for row in ROWS:
            if row["file"] == name and row.get("when") in kinds:
                run_line(row, clone, environment, timeout_s)


def pages_with(*kinds: str) -> list[str]:
    return sorted({row["file"] for row in ROWS if row.get("when") in kinds})


@pytest.mark.process
@pytest.mark.parametrize("page", pages_with("test"))
def test_the_cheap_lines_of_a_page_run(page: str, clone: Path) -> None:
    run_page(page, clone, ["test"], 300)


@pytest.mark.nightly
@pytest.mark.parametrize("page", pages_with("nightly"))
def test_all_lines_of_a_page_run(page: str, clone: Path) -> None:
    run_page(page, clone, ["test", "nightly"], HOURS_S)
