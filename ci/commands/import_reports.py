"""`./ci/import-reports FILE...`: an anonymous replay file of your own traffic, one answer of each shape."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

from ci.support.cli import TEMPLATES, Answer, command, resolve_path
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode
from fixtures.generation.importing.deduplicate import ImportedAnswers
from fixtures.generation.not_sends import REASONS
from fixtures.results.report.templating import render_text

MAX_PRINTED_UNKNOWN = 50
NOTHING_MISSING = "no answer to a send is missing here; leave these out of the file for exit code 0"


@command(
    "import-reports",
    crashed="import-crashed: nothing was written",
    interrupted="interrupted: nothing was written",
)
def main(parser: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit 0, 65 if a passage is not taken or there is no answer, 64 for wrong usage, 70 for a crash."""
    files = [resolve_path(options.caller_folder, file) for file in options.files]
    output = resolve_path(options.caller_folder, options.output)
    if output in [file.resolve() for file in files]:
        parser.error(f"output-is-input: {options.output!r}; allowed: another file, as --output FILE")
    for file in files:
        try:
            file.open("rb").close()
        except OSError as error:
            parser.error(f"unreadable-file: {str(file)!r}: {error.strerror}; allowed: a file")
    imported = ImportedAnswers(tuple(options.redact), options.protocol)
    try:
        import_files(files, output, imported)
    except OSError as error:
        parser.error(f"unwritable-file: {str(output)!r}: {error.strerror}; allowed: --output FILE")
    if not options.json:
        print_summary(imported, output)
    print_not_taken(imported)
    exit_code = ExitCode.DATA if imported.not_taken or not imported.answers else ExitCode.GO
    return Answer(exit_code, imported.summary(output))


def import_files(files: Sequence[Path], output: Path, imported: ImportedAnswers) -> None:
    """Write the whole replay file or nothing, and show the progress in a terminal."""
    output.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}-")
    columns = [*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn()]
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as lines, Progress(*columns, transient=True) as bars:
            for file in files:
                with bars.open(file, "rb", description=file.name) as source:
                    lines.writelines(f"{line}\n" for line in imported.read(source, str(file)))
        Path(name).replace(output)
    finally:
        Path(name).unlink(missing_ok=True)


def print_summary(imported: ImportedAnswers, output: Path) -> None:
    """Print what was found, which codes the catalogue does not know, and what to do with it."""
    template = TEMPLATES / "import-reports.txt.jinja"
    print(render_text(template, imported=imported, output=output, limit=MAX_PRINTED_UNKNOWN), end="")
    if imported.answers:
        print(f"next: ./ci/gate --replay {output}")


def print_not_taken(imported: ImportedAnswers) -> None:
    """Print for each reason how many passages of FCM were not taken, the first of them, and what to do."""
    for slug, count in imported.not_taken.most_common():
        print(f"{count} not taken, first {imported.first[slug]}", file=sys.stderr)
        print(f"  next: {REASONS[slug].get('next', NOTHING_MISSING)}", file=sys.stderr)
    if not imported.answers:
        problem = "nothing in these files is the answer to a send"
        print(
            f"no-answers: {problem}\n  next: import files with the bodies of answers in them", file=sys.stderr
        )
