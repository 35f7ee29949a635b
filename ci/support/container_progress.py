"""How far the cleaner is: a bar on a terminal, a line for each tenth elsewhere, nothing for short work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LONG = 10_000
"""Fewer messages are dealt with before anybody could read a bar."""


@contextmanager
def progress(doing: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function to be told how many more messages were dealt with."""
    if total < LONG:
        yield lambda _: None
    elif sys.stderr.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(doing, total=total)
            yield lambda more: bar.advance(task, more)
    else:
        yield _lines(doing, total)


def _lines(doing: str, total: int) -> Callable[[int], None]:
    done = tenths = 0

    def told(more: int) -> None:
        nonlocal done, tenths
        done += more
        if 10 * done // total > tenths:
            tenths = 10 * done // total
            print(f"{doing}: {done} of {total} messages", file=sys.stderr, flush=True)

    return told
