"""The kill table: which fault was caught by what, how soon, and how small the payload that shows it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from ci.kills import Caught
from fixtures.faults import named


def to_json(caught: Sequence[Caught]) -> dict[str, Any]:
    """As selfcheck.json holds it."""
    return {"summary": summary(caught), "faults": [row(one) for one in caught]}


def row(one: Caught) -> dict[str, Any]:
    """One fault."""
    fault = named(one.fault)
    first = one.first.findings[0] if one.first.findings else {}
    return {
        "fault": one.fault,
        "service": fault.service,
        "caught_by": fault.caught_by,
        "claimed": list(fault.checks),
        "found": list(one.first.checks),
        "title": first.get("title"),
        "test": first.get("test"),
        "seconds": round(one.seconds, 2),
        "shrunk_bytes": one.shrunk if first else None,
        "trouble": one.trouble,
    }


def summary(caught: Sequence[Caught]) -> dict[str, Any]:
    """How many were caught, and how soon and small."""
    found = [one for one in caught if one.first.findings]
    seconds = sorted(one.seconds for one in found)
    return {
        "faults": len(caught),
        "caught": sum(one.is_right for one in caught),
        "median_s": round(statistics.median(seconds), 2) if seconds else None,
        "p95_s": round(seconds[math.ceil(0.95 * len(seconds)) - 1], 2) if seconds else None,
        "median_shrunk_bytes": statistics.median_low([one.shrunk for one in found]) if found else None,
    }


def show(console: Console, caught: Sequence[Caught]) -> None:
    """Print the table, what went wrong, and the sum."""
    table = Table("fault", "service", "caught by", "checks", "s", "bytes", title="Does the suite notice?")
    for one in caught:
        cells = row(one)
        style = None if one.is_right else "bold red"
        found = ", ".join(cells["found"]) or "nothing"
        size = str(cells["shrunk_bytes"] or "-")
        table.add_row(
            one.fault, cells["service"], cells["caught_by"], found, f"{one.seconds:.1f}", size, style=style
        )
    console.print(table)
    for one in caught:
        if one.trouble:
            console.print(f"{one.fault}: {one.trouble}", markup=False, style="bold red")
            console.print(
                f"  next: ./ci/test suites/compat/{named(one.fault).caught_by} --variant {one.fault}"
            )
    told = summary(caught)
    console.print(
        f"{told['caught']} of {told['faults']} faults caught as claimed; seconds to the first finding: "
        f"median {told['median_s']}, 95th percentile {told['p95_s']}; "
        f"median size of the payload that shows it: {told['median_shrunk_bytes']} bytes"
    )
