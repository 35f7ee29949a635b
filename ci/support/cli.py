"""Shared by all commands: options, exit codes, usage errors, crashes, and paths relative to the caller."""

import argparse
import enum
import functools
import io
import os
import sys
import tomllib
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from fixtures.core import redaction, run_config, surroundings
from fixtures.core.errors import UserError
from fixtures.core.project import ROOT
from fixtures.results import build_folder
from fixtures.results.build_folder import RunFiles


class ExitCode(enum.IntEnum):
    """Exit codes of all commands. Wrong usage has a code of its own, so it never looks like a verdict."""

    GO = 0
    NO_GO = 1
    UNDECIDED = 2
    USAGE = 64
    DATA = 65
    UNAVAILABLE = 69
    CRASH = 70
    INTERRUPTED = 130


VERDICT_EXIT_CODES = {"go": ExitCode.GO, "no-go": ExitCode.NO_GO, "undecided": ExitCode.UNDECIDED}
OPTIONS_FILE = ROOT / "ci" / "commands" / "options.toml"
TEMPLATES = ROOT / "ci" / "commands" / "templates"


def report_crash(message: str) -> ExitCode:
    """Print the current exception without secrets, then the message. Returns the exit code of a crash."""
    print(redaction.REDACTOR.redact_text(traceback.format_exc()), file=sys.stderr)
    print(message, file=sys.stderr)
    return ExitCode.CRASH


class CommandParser(argparse.ArgumentParser):
    """A parser with exit code 64 for usage errors, and the caller's folder as `caller_folder`.

    The shell commands of ci/ change to the project's root and pass the caller's folder as `--from`.
    """

    def __init__(self, prog: str, description: str | None) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)
        self.add_argument("--from", dest="caller_folder", default=".", help=argparse.SUPPRESS)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.refuse(f"usage: {message}\n  next: {self.prog} --help")

    def refuse(self, problem: object) -> NoReturn:
        """Print a problem of the command line, and exit."""
        self.exit(ExitCode.USAGE, f"{redaction.REDACTOR.redact_text(str(problem))}\n")


RunCommand: TypeAlias = Callable[[CommandParser, argparse.Namespace], int]
MainFunction: TypeAlias = Callable[..., int]


def add_options(parser: argparse.ArgumentParser, rows: Mapping[str, Any]) -> None:
    """Declare the options of a table of ci/commands/options.toml, which says what its rows hold."""
    groups: dict[str, Any] = {}
    for name, row in rows.items():
        if name == "epilog":
            parser.epilog = row
            continue
        if name == "run_config":
            run_config.add_options(parser.add_argument, row)
            continue
        keywords = dict(row)
        if "type" in row:
            keywords["type"] = {"int": int}[row["type"]]
        if variable := keywords.pop("variable", None):
            keywords["default"] = os.environ.get(variable, row.get("default", ""))
        group = keywords.pop("only_one_of", None)
        if group and group not in groups:
            groups[group] = parser.add_mutually_exclusive_group()
        groups.get(group, parser).add_argument(name, **keywords)


def read_option_rows(command: str) -> dict[str, Any]:
    """The rows of ci/commands/options.toml for a command or a subcommand, such as `broker verify`."""
    tables = tomllib.loads(OPTIONS_FILE.read_text(encoding="utf-8"))
    return dict(tables.get(command, {}))


def command(
    name: str,
    description: str | None,
    *,
    crashed: str = "",
    interrupted: str = "",
    prepare: Callable[[CommandParser], object] = lambda _: None,
    **defaults: object,
) -> Callable[[RunCommand], MainFunction]:
    """Make the `main` of a command from a function that runs it with its parser and its options.

    A UserError is wrong usage. `crashed` and `interrupted` are printed at any other error, and at Ctrl-C;
    without them, the exception is raised. `prepare` adds what options.toml cannot say to the parser, and
    `defaults` are those that depend on the machine.
    """

    def decorate(run: RunCommand) -> MainFunction:
        @functools.wraps(run)
        def main(argv: Sequence[str] | None = None) -> int:
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, io.TextIOWrapper):  # a text that cannot be printed is no crash
                    stream.reconfigure(errors="backslashreplace")
            try:
                parser = CommandParser(f"./ci/{name}", description)
                add_options(parser, read_option_rows(name))
                parser.set_defaults(**defaults)
                prepare(parser)
                try:
                    surroundings.prepare_process()
                    return run(parser, parser.parse_args(argv))
                except UserError as error:
                    parser.refuse(error)
            except KeyboardInterrupt:
                if not interrupted:
                    raise
                print(interrupted, file=sys.stderr)
                return ExitCode.INTERRUPTED
            except Exception:
                if not crashed:
                    raise
                return report_crash(crashed)

        return main

    return decorate


def resolve_path(caller_folder: str, path: str) -> Path:
    """Resolve a path of the command line relative to the caller's folder."""
    return Path(path) if Path(path).is_absolute() else Path(caller_folder, path).resolve()


def resolve_build_folder(options: argparse.Namespace) -> Path:
    """The folder of --build, marked as ours. Raises UserError for a folder that holds anything else."""
    return build_folder.adopt(build_folder.find_build_folder(options.caller_folder, options.build))


def resolve_run_files(options: argparse.Namespace) -> RunFiles:
    """The files that --build and --history name."""
    build = resolve_build_folder(options)
    history = resolve_path(options.caller_folder, options.history) if options.history else build / "history"
    return RunFiles(build, history)


def require_positive(parser: CommandParser, options: argparse.Namespace, *names: str) -> None:
    """Refuse a number below 1; an option that was not given is None."""
    for name in names:
        if (number := getattr(options, name)) is not None and number < 1:
            parser.error(f"--{name} {number}: allowed: 1 or more")
