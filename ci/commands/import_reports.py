"""`./ci/import-reports FILE...`: your own traffic as a replay file, one answer a shape, with nobody in it."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from ci.support.cli import CommandParser, ExitCode, report_crash, resolve_path
from fixtures.core.catalogue import CatalogueError
from fixtures.core.schemas import SchemaError
from fixtures.generation.importing.deduplicate import MAX_LISTED, ImportedAnswers

SHOWN_BROKEN = 20
SHOWN_UNKNOWN = 50
TOLD_EVERY_S = 0.2


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0, 65 if lines were broken or held no answer at all, 64 wrong usage, 70 its own crash."""
    parser = CommandParser(prog="./ci/import-reports", description=__doc__)
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="NDJSON, JSON arrays, HAR, or log lines with JSON in them")
    add("--output", default="build/replay.ndjson", metavar="FILE", help="default build/replay.ndjson")
    add("--redact", action="append", default=[], metavar="MEMBER", help="a member whose value goes as well")
    options = parser.parse_args(argv)
    files = [resolve_path(options.caller_folder, file) for file in options.files]
    output = resolve_path(options.caller_folder, options.output)
    if output in [file.resolve() for file in files]:
        parser.error(f"output-is-input: {options.output!r}; allowed: another file, as --output FILE")
    for file in files:
        try:
            file.open("rb").close()
        except OSError as error:
            parser.error(f"unreadable-file: {str(file)!r}: {error.strerror}; allowed: a file")
    try:
        collection = ImportedAnswers(tuple(options.redact))
        _write(output, files, collection)
    except (CatalogueError, SchemaError) as error:
        parser.refuse(error)
    except OSError as error:
        parser.error(f"unwritable-file: {str(output)!r}: {error.strerror}; allowed: --output FILE")
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001  whatever it is, it must not look like an answer
        return report_crash("import-crashed: nothing was written")
    tell(collection, output)
    return ExitCode.DATA if collection.broken or not collection.kept else ExitCode.GO


def _write(output: Path, files: Sequence[Path], collection: ImportedAnswers) -> None:
    """Write the whole file or nothing."""
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as lines:
            for file in files:
                _read(file, lines, collection)
        Path(name).replace(output)
    finally:
        Path(name).unlink(missing_ok=True)


def _read(file: Path, lines: TextIO, collection: ImportedAnswers) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with file.open("rb") as source, Progress(*columns, TimeRemainingColumn(), transient=True) as bar:
        task = bar.add_task(file.name, total=file.stat().st_size or None)
        lines.writelines(
            f"{line}\n"
            for line in collection.read(
                _Watched(source, lambda place: bar.update(task, completed=place)), str(file)
            )
        )


class _Watched:
    """A file that tells now and then how far it was read."""

    def __init__(self, file: BinaryIO, tell_place: Callable[[int], None]) -> None:
        self._file, self._tell_place = file, tell_place
        self._next = 0.0
        self.tell, self.seek = file.tell, file.seek

    def read(self, size: int) -> bytes:
        """The next bytes."""
        self._watch()
        return self._file.read(size)

    def readline(self, size: int) -> bytes:
        """The next line, or as much of it."""
        self._watch()
        return self._file.readline(size)

    def _watch(self) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next = now + TOLD_EVERY_S
            self._tell_place(self._file.tell())


def tell(found: ImportedAnswers, output: Path) -> None:
    """Print what was found, what the catalogue does not know, and what was broken."""
    print(f"{found.answers} answers of FCM, {found.kept} shapes: {output}")
    for outcome, number in found.outcomes.most_common():
        print(f"  {number:9} {outcome}")
    if found.unknown:
        print(f"{len(found.unknown)} codes that the catalogue does not know; somebody must look at them:")
        for code, number in found.unknown.most_common(SHOWN_UNKNOWN):
            print(f"  {number:9} {code}")
    if found.left_out:
        print(f"too-many-shapes: {found.left_out} answers more were not kept", file=sys.stderr)
    for line in found.listed[:SHOWN_BROKEN]:
        print(line, file=sys.stderr)
    if found.broken:
        said = ", ".join(f"{number} {slug}" for slug, number in found.broken.most_common())
        print(f"broken: {said}; the first {min(SHOWN_BROKEN, MAX_LISTED)} stand above", file=sys.stderr)
    if found.kept:
        print(f"next: ./ci/gate --replay {output}")
    else:
        print(
            "no-answers: nothing in it looks like an answer of FCM; next: ./ci/explain FILE", file=sys.stderr
        )


if __name__ == "__main__":
    sys.exit(main())
