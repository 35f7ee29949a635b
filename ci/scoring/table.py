"""The kill table: which fault was caught by what, how soon, and how small the payload that shows it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ci.scoring.fault_runs import COMPAT, SELFCHECK, where
from fixtures.faults import named
from fixtures.faults.scoring import Caught, Tolerated


def to_json(judged: Sequence[Caught | Tolerated]) -> dict[str, Any]:
    """As selfcheck.json holds it."""
    return {
        "summary": summary(judged),
        "faults": [row(one) for one in judged if isinstance(one, Caught)],
        "tolerant": [tolerant_row(one) for one in judged if isinstance(one, Tolerated)],
    }


def row(one: Caught) -> dict[str, Any]:
    """One fault."""
    fault = named(one.fault)
    return {
        "fault": one.fault,
        "service": fault.service,
        "caught_by": fault.caught_by,
        "claimed": list(fault.checks),
        "found": list(one.found),
        "title": one.smallest["title"] if one.smallest else None,
        "test": one.shown_by,
        "tests": one.tests,
        "seconds": round(one.seconds, 2),
        "shrunk_bytes": one.shrunk,
        "trouble": one.trouble,
    }


def tolerant_row(one: Tolerated) -> dict[str, Any]:
    """One right variant with one seed."""
    told = {"variant": one.variant, "seed": one.seed, "tests": one.ran.tests}
    return {**told, "seconds": round(one.ran.seconds, 2), "trouble": one.trouble}


def summary(judged: Sequence[Caught | Tolerated]) -> dict[str, Any]:
    """How many faults were caught, how soon and small; and how many right variants raised an alarm."""
    caught = [one for one in judged if isinstance(one, Caught)]
    tolerated = [one for one in judged if isinstance(one, Tolerated)]
    seconds = sorted(one.seconds for one in caught if one.found)
    sizes = [one.shrunk for one in caught if one.shrunk is not None]
    return {
        "faults": len(caught),
        "caught": sum(one.trouble is None for one in caught),
        "median_s": round(statistics.median(seconds), 2) if seconds else None,
        "p95_s": round(seconds[math.ceil(0.95 * len(seconds)) - 1], 2) if seconds else None,
        "median_shrunk_bytes": statistics.median_low(sizes) if sizes else None,
        "tolerant_runs": len(tolerated),
        "false_alarms": sum(one.trouble is not None for one in tolerated),
    }


def show(console: Console, judged: Sequence[Caught | Tolerated]) -> None:
    """Print the table, what went wrong, and the sum."""
    caught = [one for one in judged if isinstance(one, Caught)]
    if caught:
        console.print(table_of(caught))
    for one in judged:
        if one.trouble:
            console.print(f"{one.name}: {one.trouble}", markup=False, style="bold red")
            console.print(f"  next: {again(one)}", markup=False, soft_wrap=True)  # a command is pasted
    told = summary(judged)
    if caught:
        console.print(
            f"{told['caught']} of {told['faults']} faults caught as claimed; seconds to the first finding: "
            f"median {told['median_s']}, 95th percentile {told['p95_s']}; "
            f"median size of the payload that shows it: {told['median_shrunk_bytes']} bytes"
        )
    if told["tolerant_runs"]:
        console.print(f"{told['tolerant_runs']} runs of right variants, {told['false_alarms']} false alarms")


def table_of(caught: Sequence[Caught]) -> Table:
    """A line for each fault: which of the tests that fail shows it best, and how many there are."""
    table = Table(title="Does the suite notice?")
    for name in ("fault", "service", "shown by", "checks", "tests", "s", "bytes"):
        table.add_column(name, overflow="fold")
    for one in caught:
        cells = row(one)
        shown_by = escape(
            str(cells["test"] or cells["caught_by"]).removeprefix(f"{COMPAT}/").removeprefix(f"{SELFCHECK}/")
        )
        found = ", ".join(cells["found"]) or "nothing"
        numbers = [cells["tests"], f"{one.seconds:.1f}", cells["shrunk_bytes"]]
        style = "bold red" if one.trouble else None
        told = ["-" if number is None else str(number) for number in numbers]
        table.add_row(one.fault, cells["service"], shown_by, found, *told, style=style)
    return table


def again(one: Caught | Tolerated) -> str:
    """The command that shows the trouble once more."""
    if isinstance(one, Tolerated):
        return f"./ci/test suites/compat --variant {one.variant} --seed {one.seed}"
    return f"./ci/test {where(named(one.fault))[0]} --variant {one.fault}"
