"""The command line of every command, from ci/commands/options.toml: options, help, and the nearest word.

This module needs nothing but the standard library: `--help` needs no set-up.
"""

import argparse
import ast
import functools
import os
import sys
import textwrap
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ci.support.exit_codes import ANSWERS, MEANINGS, ExitCode
from fixtures.core import redaction, run_config, topology
from fixtures.core.errors import sort_by_similarity
from fixtures.core.project import ROOT
from fixtures.core.settings import SETTINGS_FILE
from fixtures.platform.fcm import options as emulator_options

OPTIONS_FILE = ROOT / "ci" / "commands" / "options.toml"
SUGGESTED = 3
LINE_WIDTH = 100
# What depends on the machine, by the words of `default_of`.
DEFAULTS: Mapping[str, Callable[[], int]] = {
    "processors": lambda: os.cpu_count() or 1,
    "processors, at most 8": lambda: max(1, min(os.cpu_count() or 1, 8)),
}
NOT_FOR_ARGPARSE = ("summary", "description", "docstring", "epilog", "subcommands", "settings")


class CommandParser(argparse.ArgumentParser):
    """A parser with exit code 64 for usage errors, and the caller's folder as `caller_folder`.

    The shell commands of ci/ change to the project's root and pass the caller's folder as `--from`.
    """

    def __init__(self, prog: str, **keywords: Any) -> None:
        keywords = {
            "formatter_class": argparse.RawDescriptionHelpFormatter,
            "allow_abbrev": False,
            **keywords,
        }
        super().__init__(prog=prog, **keywords)
        self.actions: list[argparse.Action] = []
        self.subcommands: list[CommandParser] = []
        self.add_argument("--from", dest="caller_folder", default=argparse.SUPPRESS, help=argparse.SUPPRESS)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse an unknown option before anything else that is wrong, and suggest the nearest ones."""
        argv = list(sys.argv[1:] if args is None else args)
        last = ""
        for word in () if self.subcommands else argv[: argv.index("--") if "--" in argv else None]:
            name, equals, value = word.partition("=")
            if name.startswith("--") and name not in (*self.long_options, "--from"):
                self.error(f"unknown-option: {name!r}: {suggest(name, self.long_options)}")
            if (name in self.long_options and equals and not value) or (
                not word and last in self.long_options
            ):
                # A script gives it so if a variable is not set.
                self.error(f"empty-option: {name or last!r}: allowed: a value, or no such option")
            last = word
        return super().parse_known_args(argv, namespace)

    @property
    def long_options(self) -> list[str]:
        names = (name for action in self.actions for name in action.option_strings)
        return ["--help", *(name for name in names if name.startswith("--"))]

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.refuse(f"usage: {message}\n  next: {self.prog} --help")

    def refuse(self, problem: object) -> NoReturn:
        """Print a problem of the command line, and exit."""
        self.exit(ExitCode.USAGE, f"{redaction.REDACTOR.redact_text(str(problem))}\n")


def suggest(word: str, allowed: Sequence[str]) -> str:
    """The allowed words that are most like a word."""
    return f"nearest: {', '.join(sort_by_similarity(word, allowed)[:SUGGESTED])}"


def require_choice(allowed: Sequence[str]) -> Callable[[str], str]:
    """Make a type of argparse that refuses any other word, and names the nearest ones first."""

    def check(text: str) -> str:
        if text not in allowed:
            names = ", ".join(sort_by_similarity(text, allowed))
            raise argparse.ArgumentTypeError(f"{text!r}: allowed: {names}")
        return text

    return check


@functools.cache
def read_tables() -> Mapping[str, Mapping[str, Any]]:
    """The tables of ci/commands/options.toml, by command or subcommand."""
    return tomllib.loads(OPTIONS_FILE.read_text(encoding="utf-8"))


def list_commands() -> dict[str, str]:
    """The summary of each command, in the order of the overview."""
    return {name: row["summary"] for name, row in read_tables().items() if " " not in name}


def build_parser(command: str) -> CommandParser:
    """The parser of a command, such as `gate`, or of a subcommand alone, such as `serve fcm`."""
    table = read_tables()[command]
    parser = CommandParser(f"./ci/{command}")
    fill_parser(parser, command, table)
    parser.set_defaults(caller_folder=".")
    return parser


def build_overview_parser() -> CommandParser:
    """One parser of all commands, for completion."""
    parser = CommandParser("fcm-compat")
    commands = list_commands()
    add_subcommands(parser, {name: name for name in commands})
    for subcommand, summary in zip(parser.subcommands, commands.values(), strict=True):
        subcommand.description = summary
    return parser


def fill_parser(parser: CommandParser, command: str, table: Mapping[str, Any]) -> None:
    parser.description = read_description(command, table)
    parser.epilog = f"{table.get('epilog', '').strip()}\n\n{describe_exit_codes(command)}".strip()
    add_options(parser, {name: row for name, row in table.items() if name not in NOT_FOR_ARGPARSE})
    if "settings" in table:
        parser.set_defaults(settings=table["settings"])
        help_text = f"do not look for {SETTINGS_FILE}, upwards from here (docs/settings.md)"
        add_options(parser, {"--no-config": {"action": "store_true", "help": help_text}})
    if "subcommands" in table:
        add_subcommands(parser, {name: f"{command} {name}" for name in table["subcommands"]})


def add_subcommands(parser: CommandParser, names: Mapping[str, str]) -> None:
    """Add a parser for each word, from the table that it names."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for word, name in names.items():
        table = read_tables()[name]
        subcommand = commands.add_parser(word, help=table["summary"])
        fill_parser(subcommand, name, table)
        parser.subcommands.append(subcommand)


def read_description(command: str, table: Mapping[str, Any]) -> str:
    """The docstring of the command's module, which is not imported: that needs the set-up."""
    if "description" in table or " " in command:
        return str(table.get("description") or table["summary"])
    file = ROOT / table.get("docstring", f"ci/commands/{command.replace('-', '_')}.py")
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""


def describe_exit_codes(command: str) -> str:
    answers = ANSWERS.get(command, {0: MEANINGS[ExitCode.GO]})
    codes = "; ".join(f"{int(code)} {meaning}" for code, meaning in answers.items())
    text = f"Exit codes: {codes}; 64 wrong usage. All others: docs/exit-codes.md"
    return textwrap.fill(text, LINE_WIDTH, break_on_hyphens=False)


def add_options(parser: CommandParser, rows: Mapping[str, Any]) -> None:
    """Declare the options of a table of ci/commands/options.toml, which says what its rows hold."""

    def add(name: str, **keywords: Any) -> None:
        parser.actions.append(parser.add_argument(name, **keywords))

    groups: dict[str, Any] = {}
    for name, row in rows.items():
        if name == "run_config":
            run_config.add_options(add, row)
            continue
        if name == "emulator":
            emulator_options.add_options(add)  # all of them
            continue
        keywords = dict(row)
        if "type" in row:
            keywords["type"] = {"int": int}[row["type"]]
        if "choices" in row:
            keywords["type"] = require_choice(row["choices"])
        if variable := keywords.pop("variable", None):
            keywords["default"] = os.environ.get(variable, row.get("default", ""))
        if default_of := keywords.pop("default_of", None):
            keywords["default"] = DEFAULTS[default_of]()
        keywords["help"] = row["help"].replace("{services}", ", ".join(topology.FLOW))
        group = keywords.pop("only_one_of", None)
        if group and group not in groups:
            groups[group] = parser.add_mutually_exclusive_group()
        parser.actions.append(groups.get(group, parser).add_argument(name, **keywords))
