"""`python -m ci.commands.licences`: what is installed, in which version, and under which licence."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import metadata

from ci.support import exits

FINE = re.compile(
    r"(?i)\b(mit|apache|bsd|isc|psf|python software foundation|mpl|mozilla|0bsd|unlicense|zlib|cnri|hpnd"
    r"|public domain|blueoak)\b"
)
LONGEST = 60


def main() -> int:
    """Exit 0 if every licence is known to be fine for a tool of one's own, 1 if somebody must look."""
    unknown = 0
    for name, version, licence in licences():
        fine = bool(FINE.search(licence))
        unknown += not fine
        print(f"{name:32} {version:16} {licence}{'' if fine else '   <- look at this one'}")
    print(f"{unknown} to look at" if unknown else "all known to be fine")
    return exits.NO_GO if unknown else exits.GO


def licences() -> Iterator[tuple[str, str, str]]:
    """Each installed package, by name."""
    found = {str(one.metadata["Name"]).lower(): one for one in metadata.distributions()}
    for name in sorted(found):
        told = found[name].metadata
        classifiers = [
            row.rpartition(" :: ")[2]
            for row in told.get_all("Classifier") or ()
            if row.startswith("License ::")
        ]
        licence = (
            _first(told, "License-Expression")
            or "; ".join(classifiers)
            or _first(told, "License")
            or _title(found[name])
        )
        yield name, found[name].version, " ".join(licence.split())[:LONGEST]


def _title(package: metadata.Distribution) -> str:
    """The first line of the licence that a package brings along, where it tells nothing else."""
    for file in package.files or ():
        if "licenses/" in str(file) or file.name.upper().startswith("LICEN"):
            lines = file.read_text(encoding="utf-8").split("\n")
            return next((line.strip() for line in lines if line.strip()), "not told")
    return "not told"


def _first(told: metadata.PackageMetadata, name: str) -> str:
    return next((str(row) for row in told.get_all(name) or ()), "")


if __name__ == "__main__":
    sys.exit(main())
