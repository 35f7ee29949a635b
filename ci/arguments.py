"""What the commands have in common: usage errors that exit 64, and paths as the user meant them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from ci import exits


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
        self.exit(exits.USAGE, f"{problem}\n")


def meant(here: str, path: str) -> Path:
    """A path on the command line, from where the user called."""
    return Path(here, path).resolve() if not Path(path).is_absolute() else Path(path)
