"""`./ci/fcm-compat completion SHELL` prints a script that completes commands, options and files.

In bash: source <(./ci/fcm-compat completion bash). In zsh, after compinit:
eval "$(./ci/fcm-compat completion zsh)". In fish: ./ci/fcm-compat completion fish | source.
"""

import argparse
from collections.abc import Iterator

import shtab

from ci.support.cli import command
from ci.support.command_line import CommandParser, build_overview_parser
from ci.support.exit_codes import ExitCode

PATHS = {"FILE": shtab.FILE, "FILE|-": shtab.FILE, "LEDGER": shtab.FILE, "DIR": shtab.DIRECTORY}


@command("completion")
def main(_: CommandParser, options: argparse.Namespace) -> int:
    """Print the script, from the same options as those of the commands themselves."""
    parser = build_overview_parser()
    for action in list_actions(parser):
        if action.metavar in PATHS:
            vars(action)["complete"] = PATHS[action.metavar]  # shtab reads it
    print(shtab.complete(parser, shell=options.shell))
    return ExitCode.GO


def list_actions(parser: CommandParser) -> Iterator[argparse.Action]:
    yield from parser.actions
    for subcommand in parser.subcommands:
        yield from list_actions(subcommand)
