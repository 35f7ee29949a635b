"""`./ci/regenerate` writes all files that are made from the project's data, or checks that they are current.

Kinds of files: `pacts` (pacts/), `documents` (docs/openapi and docs/asyncapi), `tables` (docs/cases.md and
docs/faults.md), `tests` (ci/expected_tests.json).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ci.support import rendering
from ci.support.cli import CommandParser, ExitCode, command, resolve_path
from fixtures.contracts.pact.model import PACTS
from fixtures.core.errors import UserError
from fixtures.core.project import DOCS
from fixtures.core.schemas import SchemaViolation
from fixtures.results.policy import EXPECTED_TESTS


@dataclass(frozen=True)
class GeneratedFiles:
    """A kind of generated files: from its folder to the text of each file, by the path in the folder.

    All files that match `patterns` belong to it. Others among them are strays; only pacts are deleted, since
    a pact that no consumer declares would still be verified.
    """

    noun: str
    folder: Path
    render: Callable[[Path], Mapping[str, str]]
    patterns: tuple[str, ...] = ()
    delete_strays: bool = False

    def find_stale(self, folder: Path, texts: Mapping[str, str]) -> list[str]:
        """The files that are missing or have another text."""
        current = {path for path in texts if (folder / path).is_file()}
        current = {path for path in current if (folder / path).read_bytes() == texts[path].encode()}
        return sorted(texts.keys() - current)

    def find_strays(self, folder: Path, texts: Mapping[str, str]) -> list[str]:
        """The files that no data makes."""
        files = [file for pattern in self.patterns for file in folder.glob(pattern) if file.is_file()]
        return sorted({file.relative_to(folder).as_posix() for file in files} - texts.keys())


KINDS: Mapping[str, GeneratedFiles] = {
    "pacts": GeneratedFiles(
        "pact", PACTS, rendering.render_pacts, ("before/**/*", "after/**/*"), delete_strays=True
    ),
    "documents": GeneratedFiles(
        "document", DOCS, lambda _folder: rendering.render_documents(), ("openapi/*.json", "asyncapi/*.json")
    ),
    "tables": GeneratedFiles("table", DOCS, lambda _folder: rendering.render_tables()),
    "tests": GeneratedFiles("list", EXPECTED_TESTS.parent, lambda _folder: rendering.render_tests()),
}


@command("regenerate", __doc__)
def main(parser: CommandParser, options: argparse.Namespace) -> int:
    """Write the files. With --check, only compare, and exit 1 if one is not current."""
    if options.folder and not options.kind:
        parser.refuse("usage: --folder needs a kind\n  next: ./ci/regenerate pacts --folder DIR")
    problems: list[str] = []
    for name in [options.kind] if options.kind else KINDS:
        kind = KINDS[name]
        folder = resolve_path(options.caller_folder, options.folder) if options.folder else kind.folder
        try:
            texts = kind.render(folder)
            if options.check:
                problems += find_problems(name, folder, texts)
            else:
                write_files(kind, folder, texts)
        except (UserError, SchemaViolation, RuntimeError) as error:
            print(error, file=sys.stderr)
            return ExitCode.DATA
        except OSError as error:
            problem = f"folder-unwritable: {folder}: {error.strerror}"
            parser.refuse(f"{problem}\n  next: --folder, a folder of yours")
    for problem in problems:
        print(problem, file=sys.stderr)
    return ExitCode.NO_GO if problems else ExitCode.GO


def find_problems(name: str, folder: Path, texts: Mapping[str, str]) -> Iterator[str]:
    kind = KINDS[name]
    if stale := kind.find_stale(folder, texts):
        yield f"stale-{kind.noun}: {', '.join(stale)}\n  next: ./ci/regenerate {name}"
    if strays := kind.find_strays(folder, texts):
        yield f"stray-{kind.noun}: {', '.join(strays)}: it is not generated\n  next: delete it"


def write_files(kind: GeneratedFiles, folder: Path, texts: Mapping[str, str]) -> None:
    stale = kind.find_stale(folder, texts)
    for path in stale:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(texts[path], encoding="utf-8")
        print(f"written: {path}")
    if kind.delete_strays:
        for path in kind.find_strays(folder, texts):
            (folder / path).unlink()
            print(f"deleted: {path}")
    print(f"{len(stale)} of {len(texts)} {kind.noun} files changed")
