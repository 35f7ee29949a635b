"""What the cleaner of the messages container prints: counts, what stays, progress, and how to undo a run."""

import argparse
import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from fixtures.core import urls
from fixtures.core.console import create_console
from fixtures.core.project import ROOT
from fixtures.release.cleanup.classify import AGES, FORMATS, UNKNOWN_AGE, MessageCounts

# Fewer messages are handled before a bar would be readable.
LONG_WORK = 10_000
# What chooses the project's packages and settings; others may hold secrets, and are not repeated.
PROJECT_VARIABLES = ("PYTHON", "PYTHONPATH", "DJANGO_SETTINGS_MODULE", "DJANGO_CONFIGURATION")
STAYING = {
    "new": "the new go-sender reads them",
    "unreadable": "neither go-sender can send them: show them to the owner of directory-messages; "
    "--delete --all removes all that is left, after a backup",
}


def count_format(counts: MessageCounts, message_format: str) -> int:
    return sum(number for (name, _), number in counts.items() if name == message_format)


def print_counts(name: str, counts: MessageCounts) -> None:
    """Print the counts of a container by format and age."""
    if not counts:
        print(f"{name}: no messages")
        return
    table = Table(title=name, title_justify="left", box=None, header_style="bold", pad_edge=False)
    table.add_column("format")
    for age in (*AGES, UNKNOWN_AGE, "all"):
        table.add_column(age, justify="right")
    for message_format in FORMATS:
        row = [counts[message_format, age] for age in (*AGES, UNKNOWN_AGE)]
        table.add_row(message_format, *map(str, [*row, sum(row)]))
    create_console(120).print(table)


def print_staying(counts: MessageCounts) -> None:
    """Print how many of the counted messages stay without --all, and what to do with them."""
    for message_format, advice in STAYING.items():
        if number := count_format(counts, message_format):
            print(f"stays: {number} {message_format}: {advice}")


def build_undo(options: argparse.Namespace, backup: Path) -> str:
    """The shell command that restores a backup, from any folder, and what has to be filled in there."""
    command = ["./ci/clean-messages-container"]
    if Path(options.caller_folder).resolve() != ROOT or options.django:
        command = [str(ROOT / "ci" / "clean-messages-container")]
    start, note = "", ""
    if options.django:
        command += ["--django", options.django]
        variables = [
            f"{name}={shlex.quote(os.environ[name])} " for name in PROJECT_VARIABLES if name in os.environ
        ]
        start = f"cd {shlex.quote(str(Path(options.caller_folder).resolve()))} && {''.join(variables)}"
    else:
        url = urls.redact_url(options.redis_url)
        note = "" if url == options.redis_url else "\n  in place of ***: what --redis-url or REDIS_URL said"
        command += ["--redis-url", url, *(["--confirm", options.confirm] if options.confirm else [])]
    command += [word for app in options.apps for word in ("--firebase-app", app)]
    return f"{start}{shlex.join([*command, '--kind', options.kind, '--restore', str(backup)])}{note}"


@contextlib.contextmanager
def show_messages(activity: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many messages are done; the block calls the function with the number of messages since."""
    if total < LONG_WORK:
        yield lambda _: None
    elif sys.stderr.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(activity, total=total)
            yield lambda count: bar.advance(task, count)
    else:
        finished = 0

        def print_each_tenth(count: int) -> None:
            nonlocal finished
            tenths, finished = 10 * finished // total, finished + count
            if 10 * finished // total > tenths:
                print(f"{activity}: {finished} of {total} messages", file=sys.stderr, flush=True)

        yield print_each_tenth
