"""Write `pacts/` anew from what the consumers declare: `python -m ci.commands.regenerate_pacts [--check]`.

The only thing that writes there. `--check` writes nothing, and names the files that are not current.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ci.support import exits
from ci.support.cli import Arguments, meant
from fixtures.contracts.pact import consumer_tests
from fixtures.contracts.pact.model import PACTS, REGENERATE, PactError, pact_file
from fixtures.core import schemas
from fixtures.core.catalogue import CatalogueError
from fixtures.core.topology import EDGES, VERSIONS

README = PACTS / "README.md"
TABLE = re.compile(r"(<!-- pairs -->\n).*?(<!-- end of pairs -->)", re.DOTALL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Regenerate, or with --check compare."""
    parser = Arguments(REGENERATE, "Write pacts/ anew from what the consumers declare.")
    parser.add_argument("--folder", default=str(PACTS), metavar="DIR", help="where the pacts stand")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not current")
    options = parser.parse_args(arguments)
    folder = meant(options.here, options.folder)
    try:
        wanted = generated(folder)
    except (CatalogueError, PactError, schemas.Invalid, schemas.SchemaError) as error:
        sys.stderr.write(f"{error}\n")
        return exits.DATA
    differing = stale(folder, wanted)
    if options.check:
        sys.stdout.writelines(f"not current: {name}\n" for name in differing)
        sys.stdout.write(f"next: {REGENERATE}\n" if differing else "pacts/ is current\n")
        return exits.NO_GO if differing else exits.GO
    write(folder, wanted)
    sys.stdout.writelines(f"written: {name}\n" for name in differing)
    sys.stdout.write(f"{len(differing)} of {len(wanted)} files changed\n")
    return exits.GO


def generated(folder: Path) -> dict[str, str]:
    """What should stand in `pacts/`: per file the text, made in an empty folder."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-pacts-") as name:
        empty = Path(name)
        texts = {
            path.relative_to(empty).as_posix(): path.read_text(encoding="utf-8")
            for path in consumer_tests.generate(empty)
        }
        rows = table(empty)
    return {**texts, README.name: with_table(folder / README.name, rows)}


def table(folder: Path) -> str:
    """The pairs, their files and how many interactions each has, for people."""
    lines = [
        "| consumer | provider | by | consumer version | file | interactions |",
        "|---|---|---|---|---|---:|",
    ]
    for edge in EDGES:
        for version in VERSIONS:
            path = pact_file(edge, version, folder)
            count = len(json.loads(path.read_text(encoding="utf-8"))["interactions"])
            name = path.relative_to(folder).as_posix()
            ends = f"{edge.consumer} | {edge.provider} | {edge.kind}"
            lines.append(f"| {ends} | {version} | [{name}]({name}) | {count} |")
    return "\n".join(lines) + "\n"


def with_table(readme: Path, rows: str) -> str:
    """The README with the table between its two marks; PactError if it has no such marks."""
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise PactError(
            "readme-missing", str(readme), str(error.strerror), "git checkout pacts/README.md"
        ) from error
    if not TABLE.search(text):
        problem = "it has no <!-- pairs --> and <!-- end of pairs -->"
        raise PactError("readme-unmarked", str(readme), problem, "git checkout pacts/README.md")
    return TABLE.sub(lambda marks: marks[1] + rows + marks[2], text)


def stale(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """The files that differ, are missing, or are there without a reason."""
    present = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for version in VERSIONS
        for path in (folder / version).rglob("*")
        if path.is_file()
    }
    readme = folder / README.name
    present[README.name] = readme.read_text(encoding="utf-8")
    return sorted(name for name in {*present, *wanted} if present.get(name) != wanted.get(name))


def write(folder: Path, wanted: Mapping[str, str]) -> None:
    """Replace what stands there, so that nothing survives that nobody declares any more."""
    for version in VERSIONS:
        shutil.rmtree(folder / version, ignore_errors=True)
    for name, text in wanted.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
