"""Shared by all commands: exit codes, usage errors, paths relative to the caller, options for deployments."""

from __future__ import annotations

import argparse
import enum
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from fixtures.core import redaction, run_config
from fixtures.core.project import BUILD
from fixtures.core.run_config import TARGET_OPTIONS, RunConfig
from fixtures.targets import config as deployments
from fixtures.targets.config import Deployment


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


def resolve_path(caller_folder: str, path: str) -> Path:
    """Resolve a path of the command line relative to the caller's folder."""
    return Path(path) if Path(path).is_absolute() else Path(caller_folder, path).resolve()


def add_build_option(parser: argparse.ArgumentParser, explanation: str = "folder for all output") -> None:
    parser.add_argument("--build", default="build", metavar="DIR", help=f"{explanation} (default build)")


def resolve_build_folder(options: argparse.Namespace) -> Path:
    """The folder of --build: by default the project's own, wherever the caller is."""
    return BUILD if options.build == "build" else resolve_path(options.caller_folder, options.build)


def add_target_options(parser: argparse.ArgumentParser) -> None:
    run_config.add_options(parser.add_argument, TARGET_OPTIONS)


def read_target_options(options: argparse.Namespace, base: RunConfig | None = None) -> RunConfig:
    """Read the options of a run, with the path of the targets file resolved."""
    if getattr(options, "targets", None):
        options.targets = str(resolve_path(options.caller_folder, options.targets))
    return RunConfig.from_options(options, base)


def select_deployments(options: argparse.Namespace) -> dict[str, Deployment]:
    """The deployments that the command line names. Raises TargetError for one that may not be tested."""
    config = read_target_options(options)
    may_test = deployments.owned_names(config.i_own, os.environ)
    return deployments.resolve_deployments(
        config.target, config.targets or None, config.environment or None, may_test
    )
