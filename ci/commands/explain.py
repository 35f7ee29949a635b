"""`./ci/explain FILE|-`: what must become of a subscriber after each recorded FCM answer."""

import argparse
import io
import json
import sys
from typing import Any

from rich.markup import escape
from rich.table import Table

from ci.support.cli import Answer, command, resolve_path
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode
from fixtures.core.console import create_console
from fixtures.core.plain_text import to_line
from fixtures.generation.recordings import BrokenLine, RecordedAnswer, open_recording, read_recording

NEXT_STEP = "  next: put one answer into each line, or read a log with ./ci/import-reports FILE"
OUTCOME_STYLE = {"unsubscribe": "bold red", "alert": "yellow", "fix_message": "magenta", "postpone": "cyan"}
# The width of the table where there is no terminal.
WIDTH = 200


@command("explain")
def main(parser: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit 0, 65 if some lines hold no answer, 64 for wrong usage."""
    try:
        if options.file == "-":
            if isinstance(sys.stdin, io.TextIOWrapper):
                sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace")
            entries = list(read_recording(sys.stdin, "standard input", protocol=options.protocol))
        else:
            file = resolve_path(options.caller_folder, options.file)
            with open_recording(file) as lines:
                entries = list(read_recording(lines, str(file), protocol=options.protocol))
    except OSError as error:
        parser.error(f"unreadable-file: {options.file!r}: {error.strerror}; allowed: a file of NDJSON, or -")
    answers = [entry for entry in entries if isinstance(entry, RecordedAnswer)]
    broken = [entry for entry in entries if isinstance(entry, BrokenLine)]
    if not options.json:
        print_table(answers, with_bodies=options.raw)
    for line in broken:
        print(to_line(str(line)), file=sys.stderr)
    if not entries:
        print(f"empty-file: {options.file}: no line, so nothing to explain", file=sys.stderr)
    exit_code = ExitCode.DATA if broken or not entries else ExitCode.GO
    if exit_code is not ExitCode.GO:
        print(NEXT_STEP, file=sys.stderr)
    return Answer(exit_code, [explain_answer(answer, with_body=options.raw) for answer in answers])


def explain_answer(answer: RecordedAnswer, *, with_body: bool) -> dict[str, Any]:
    """The object that --json prints."""
    return answer.explain() | ({"body": answer.body} if with_body else {})


def print_table(answers: list[RecordedAnswer], *, with_bodies: bool) -> None:
    console = create_console(WIDTH)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("answer", "case", "class", "outcome", "wait", "why", *(["body"] if with_bodies else [])):
        table.add_column(column, overflow="fold", no_wrap=column == "wait")
    for answer in answers:
        row = answer.explain()
        index = "" if answer.result is None else f" [{answer.result}]"
        style = OUTCOME_STYLE.get(row["outcome"], "green")
        table.add_row(
            escape(to_line(f"{answer.id}{index}")),
            row["case"],
            row["class"],
            f"[{style}]{' or '.join(row.get('allowed', [row['outcome']]))}[/]",
            "" if row["wait_s"] is None else f"{row['wait_s']:g} s",
            row["why"],
            *([escape(to_line(as_text(answer.body)))] if with_bodies else []),
        )
    console.print(table)


def as_text(body: Any) -> str:
    """A recorded body as text: a text as it is, any other value as JSON."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
