"""What the commands have in common: usage errors that exit 64, and paths as the user meant them."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from ci.support import exits
from fixtures.core import redaction
from fixtures.core.project import ROOT
from fixtures.targets import config as deployments
from fixtures.targets.config import OWN_VARIABLE, Deployment


class Arguments(argparse.ArgumentParser):
    """A parser whose usage errors exit 64, and that knows where the user stands."""

    def __init__(self, prog: str, description: str | None) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)
        self.add_argument("--from", dest="here", default=".", help=argparse.SUPPRESS)

    def error(self, message: str) -> NoReturn:
        """Print the usage and the problem, and exit."""
        self.print_usage(sys.stderr)
        self.refuse(f"usage: {message}\n  next: {self.prog} --help")

    def refuse(self, problem: object) -> NoReturn:
        """Print a problem of the command line and exit."""
        self.exit(exits.USAGE, f"{redaction.text(str(problem))}\n")


def meant(here: str, path: str) -> Path:
    """A path on the command line, from where the user called."""
    return Path(here, path).resolve() if not Path(path).is_absolute() else Path(path)


def build_of(options: argparse.Namespace) -> Path:
    """The folder of --build: this project's own if nothing is said, else from where the user called."""
    return ROOT / "build" if options.build == "build" else meant(options.here, options.build)


def add_targets(parser: argparse.ArgumentParser) -> None:
    """The options that say which deployments are meant, and that they may be tested."""
    add = parser.add_argument
    add("--target", action="append", default=[], metavar="NAME=URL", help="a deployment of this provider")
    add("--targets", metavar="FILE", help="where deployments are: see ci/targets.example.toml")
    add("--environment", metavar="NAME", help="which one of the targets file, and what the report calls it")
    add(
        "--i-own",
        action="append",
        default=[],
        metavar="NAME",
        help=f"the environment or host may be tested: it is not production (or {OWN_VARIABLE}=NAME)",
    )


def deployed_of(options: argparse.Namespace) -> dict[str, Deployment]:
    """The deployments that the command line names; TargetError for whatever may not be asked."""
    if options.targets:
        options.targets = str(meant(options.here, options.targets))
    may_test = deployments.owned(options.i_own, os.environ)
    return deployments.chosen(options.target, options.targets, options.environment, may_test)


def target_options(options: argparse.Namespace) -> list[str]:
    """The same options, for pytest."""
    found = [f"--target={one}" for one in options.target]
    found += [
        f"--{name}={getattr(options, name)}" for name in ("targets", "environment") if getattr(options, name)
    ]
    return found + [f"--i-own={one}" for one in options.i_own]
