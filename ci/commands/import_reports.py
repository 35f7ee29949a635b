"""`./ci/import-reports FILE...`: an anonymous replay file of your own traffic, one answer of each shape."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

from ci.support.cli import TEMPLATES, CommandParser, ExitCode, command, resolve_path
from fixtures.generation.importing.deduplicate import ImportedAnswers
from fixtures.results.report.templating import render_text

MAX_PRINTED_BROKEN = 20
MAX_PRINTED_UNKNOWN = 50


@command(
    "import-reports",
    __doc__,
    crashed="import-crashed: nothing was written",
    interrupted="interrupted: nothing was written",
)
def main(parser: CommandParser, options: argparse.Namespace) -> int:
    """Exit 0, 65 for broken lines or no answer at all, 64 for wrong usage, 70 for a crash."""
    files = [resolve_path(options.caller_folder, file) for file in options.files]
    output = resolve_path(options.caller_folder, options.output)
    if output in [file.resolve() for file in files]:
        parser.error(f"output-is-input: {options.output!r}; allowed: another file, as --output FILE")
    for file in files:
        try:
            file.open("rb").close()
        except OSError as error:
            parser.error(f"unreadable-file: {str(file)!r}: {error.strerror}; allowed: a file")
    imported = ImportedAnswers(tuple(options.redact))
    try:
        import_files(files, output, imported)
    except OSError as error:
        parser.error(f"unwritable-file: {str(output)!r}: {error.strerror}; allowed: --output FILE")
    print_summary(imported, output)
    return ExitCode.DATA if imported.broken or not imported.shape_count else ExitCode.GO


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
    """Print what was found, which codes the catalogue does not know, and what was broken."""
    template = TEMPLATES / "import-reports.txt.jinja"
    print(render_text(template, imported=imported, output=output, limit=MAX_PRINTED_UNKNOWN), end="")
    if imported.left_out:
        print(f"too-many-shapes: {imported.left_out} more answers were not kept", file=sys.stderr)
    for line in imported.listed[:MAX_PRINTED_BROKEN]:
        print(line, file=sys.stderr)
    if imported.broken:
        counts = ", ".join(f"{count} {slug}" for slug, count in imported.broken.most_common())
        print(f"broken: {counts}; the first {MAX_PRINTED_BROKEN} are printed above", file=sys.stderr)
    if imported.shape_count:
        print(f"next: ./ci/gate --replay {output}")
    else:
        print("no-answers: nothing looks like an answer of FCM; next: ./ci/explain FILE", file=sys.stderr)
