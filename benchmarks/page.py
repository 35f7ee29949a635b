"""What was measured, for readers: a table with what changed, and docs/benchmarks.md."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measurement import COUNT, SECONDS, Measurement
from fixtures.core.project import DOCS, ROOT

PAGE = DOCS / "benchmarks.md"
TEMPLATE = ROOT / "benchmarks" / "templates" / "benchmarks.md"
NOISE = 0.2  # a ratio that differs by less than this from the last one counts as the same


@dataclass(frozen=True)
class Results:
    """One run of all measures."""

    machine: Mapping[str, Any]
    rows: tuple[Measurement, ...]


def read_results(path: Path) -> Results:
    results = json.loads(path.read_text(encoding="utf-8"))
    return Results(results["machine"], tuple(map(Measurement.from_json, results["rows"])))


def format_table(rows: Iterable[Measurement], previous: Results | None) -> str:
    """A table for the terminal, with what changed since the previous results."""
    previous_rows = {row.name: row for row in previous.rows} if previous else {}
    lines = [f"{'':44} {'value':>11} {'bound':>11} {'ratio':>8}  {'range':>13}  {'aim':>8}  since the last"]
    for row in rows:
        span = f"{row.lowest:.2f}-{row.highest:.2f}"
        value, bound = format_value(row.value, row.unit), format_value(row.bound_value, row.unit)
        change = describe_change(row, previous_rows.get(row.name))
        measured = f"{row.name:44} {value:>11} {bound:>11} {row.ratio:8.2f}"
        lines.append(f"{measured}  {span:>13}  {format_aim(row):>8}  {change}")
    return "\n".join(lines)


def format_value(value: float, unit: str) -> str:
    if unit == COUNT:
        return f"{value:,.0f}"
    return f"{value:.2f} s" if unit == SECONDS else f"{value:,.0f}/s"


def format_aim(row: Measurement) -> str:
    return "" if row.aim is None else f"{row.aim} {'✓' if row.is_reached else '✕'}"


def describe_change(row: Measurement, previous: Measurement | None) -> str:
    """How the ratio differs from the previous one, in words."""
    if previous is None:
        return "new"
    factor = row.ratio / previous.ratio
    if abs(math.log(factor)) < math.log(1 + NOISE):
        return "the same"
    better = (factor > 1) == (row.unit != SECONDS)
    labels = ("more", "less") if row.unit == COUNT else ("faster", "slower")
    return f"{labels[0] if better else labels[1]}: {factor:.2f} times the ratio"


def format_page(results: Results) -> str:
    """The page in Markdown."""
    machine = "{cores} cores, Python {python}, {system}, load {load}, {date}".format(**results.machine)
    rows = []
    for row in results.rows:
        value, bound = format_value(row.value, row.unit), format_value(row.bound_value, row.unit)
        span = f"{row.lowest:.2f} to {row.highest:.2f}"
        cells = (row.name, value, f"{bound}: {row.bound}", f"{row.ratio:.2f}", span, format_aim(row))
        rows.append(f"| {' | '.join(cells)} |")
    return TEMPLATE.read_text(encoding="utf-8").format(machine=machine, rows="\n".join(rows))
