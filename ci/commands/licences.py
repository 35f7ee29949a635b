"""`./ci/fcm-compat licences`: the installed packages with version and licence."""

import argparse
import re
from collections.abc import Iterator
from importlib import metadata

from ci.support.cli import Answer, command
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode

ALLOWED = re.compile(
    r"(?i)\b(mit|apache|bsd|isc|psf|python software foundation|mpl|mozilla|0bsd|unlicense|zlib|cnri|hpnd"
    r"|public domain|blueoak)\b"
)
TEXT_LIMIT = 60
MISSING = "not told"


@command("licences")
def main(_: CommandParser, __: argparse.Namespace) -> Answer:
    """Print the list, and what a person must check."""
    unknown, rows = 0, []
    for name, version, licence in list_licences():
        allowed = bool(ALLOWED.search(licence))
        unknown += not allowed
        rows.append({"name": name, "version": version, "licence": licence, "allowed": allowed})
        print(f"{name:32} {version:16} {licence}{'' if allowed else '   <- check this one'}")
    print(f"{unknown} to check" if unknown else "all licences are allowed")
    return Answer(ExitCode.NO_GO if unknown else ExitCode.GO, rows)


def list_licences() -> Iterator[tuple[str, str, str]]:
    """Name, version and licence of each installed package, by name."""
    packages = {str(package.metadata["Name"]).lower(): package for package in metadata.distributions()}
    for name in sorted(packages):
        fields = packages[name].metadata
        rows = [row for row in fields.get_all("Classifier") or () if row.startswith("License ::")]
        licence = (
            (fields.get_all("License-Expression") or [""])[0]
            or "; ".join(row.rpartition(" :: ")[2] for row in rows)
            or (fields.get_all("License") or [""])[0]
            or read_licence_title(packages[name])
        )
        yield name, packages[name].version, " ".join(str(licence).split())[:TEXT_LIMIT]


def read_licence_title(package: metadata.Distribution) -> str:
    """The first line of the licence file in a package whose metadata names no licence."""
    for file in package.files or ():
        if "licenses/" in str(file) or file.name.upper().startswith("LICEN"):
            lines = file.read_text(encoding="utf-8").split("\n")
            return next((line.strip() for line in lines if line.strip()), MISSING)
    return MISSING
