"""`./ci/explain FILE|-`: what must become of a subscriber, for each recorded FCM answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table

from ci.support import exits
from ci.support.cli import Arguments, meant
from fixtures.core.catalogue import CatalogueError
from fixtures.core.schemas import SchemaError
from fixtures.generation.recordings import BrokenLine, Recorded, opened, read

OUTCOME_STYLE = {"unsubscribe": "bold red", "alert": "yellow", "fix_message": "magenta", "postpone": "cyan"}
EXAMPLE = '{"id":"a","protocol":"fcm_v1","http_status":404,"headers":{},"body":{"error":{}}}'


def main(argv: list[str] | None = None) -> int:
    """Explain every answer of a file; 65 if some lines hold none, 64 on wrong usage."""
    parser = Arguments(prog="./ci/explain", description=__doc__)
    parser.add_argument("file", metavar="FILE|-", help=f"one JSON object a line, such as {EXAMPLE}")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    parser.add_argument(
        "--protocol",
        choices=("legacy", "fcm_v1"),
        help="for answers that do not tell; by default read like the last one before that tells",
    )
    options = parser.parse_args(argv)
    try:
        file = options.file if options.file == "-" else str(meant(options.here, options.file))
        entries = list(_read(file, options.protocol))
    except OSError as error:
        parser.error(f"unreadable-file: {options.file!r}: {error.strerror}; allowed: a file of NDJSON, or -")
    except (CatalogueError, SchemaError) as error:
        parser.refuse(error)
    answers = [entry for entry in entries if isinstance(entry, Recorded)]
    _print_json(answers) if options.json else _print_table(answers)
    broken = [entry for entry in entries if isinstance(entry, BrokenLine)]
    for entry in broken:
        print(entry, file=sys.stderr)
    if not entries:
        print(f"empty-file: {options.file}: no line, so nothing to explain", file=sys.stderr)
    return exits.DATA if broken or not entries else exits.GO


def _read(file: str, protocol: str | None) -> Iterator[Recorded | BrokenLine]:
    if file == "-":
        yield from read(_utf8(sys.stdin), "standard input", protocol=protocol)
        return
    with opened(Path(file)) as lines:
        yield from read(lines, file, protocol=protocol)


def _utf8(stream: TextIO) -> TextIO:
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(encoding="utf-8-sig", errors="replace")
    return stream


def _print_json(answers: list[Recorded]) -> None:
    for answer in answers:
        print(json.dumps(answer.explain(), ensure_ascii=False))


def _print_table(answers: list[Recorded]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("answer", "case", "outcome", "wait", "why"):
        table.add_column(column, overflow="fold", no_wrap=column == "wait")
    for answer in answers:
        said = answer.explain()
        position = "" if answer.result is None else f" [{answer.result}]"
        wait = "" if said["wait_s"] is None else f"{said['wait_s']:g} s"
        style = OUTCOME_STYLE.get(said["outcome"], "green")
        table.add_row(
            f"{answer.id}{position}".replace("[", r"\["),
            said["case"],
            f"[{style}]{said['outcome']}[/]",
            wait,
            said["why"],
        )
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
