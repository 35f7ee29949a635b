"""`python -m ci.support.command_help WORDS`: the help of a command, or of all; it needs no set-up."""

import sys
from collections.abc import Sequence

from ci.support import cli
from ci.support.command_line import CommandParser, build_parser, list_commands, read_tables, suggest
from ci.support.exit_codes import ExitCode

OVERVIEW = "./ci/fcm-compat"


def main(arguments: Sequence[str]) -> int:
    """Print the help that the words ask for. Exits 64 if they name no command."""
    return cli.guard(lambda: print_help(arguments), crashed="help-crashed", interrupted="interrupted")


def print_help(arguments: Sequence[str]) -> int:
    names = [word for word in arguments if not word.startswith("-")]
    commands = list_commands()
    if not names and arguments:
        width = max(map(len, commands))
        print("Decides whether a push platform may move from the legacy FCM protocol to FCM HTTP v1.\n")
        print(f"usage: {OVERVIEW} COMMAND [--help] ..., or ./ci/COMMAND ...\n")
        print(*(f"  {name:{width}}  {summary}" for name, summary in commands.items()), sep="\n")
        print("\nExit codes: docs/exit-codes.md")
        return ExitCode.GO
    if not names or names[0] not in commands:
        problem = (
            f"unknown-command: {names[0]!r}: {suggest(names[0], list(commands))}" if names else "no-command"
        )
        CommandParser(OVERVIEW).refuse(f"{problem}\n  next: {OVERVIEW} --help")
    command = " ".join(names[:2])
    build_parser(command if command in read_tables() else names[0]).print_help()
    return ExitCode.GO


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
