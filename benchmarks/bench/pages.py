"""What was measured, for readers: a table with what changed, and docs/benchmarks.md with its chart."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import drawsvg as svg

from benchmarks.bench.rows import COUNT, SECONDS, Row
from fixtures.core.project import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
CHART = ROOT / "docs" / "images" / "benchmarks.svg"
NOISE = 0.2
"""A ratio that differs by less than this from the last one has not changed, as far as this can tell."""

LEAST, MOST = 0.01, 1000.0
LABELS, WIDE, ROW = 330, 420, 26
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .small { font-size: 11px; fill: #57606a }
.paper { fill: #fff } .bar { fill: #0969da } .equal { stroke: #57606a; stroke-dasharray: 4 3 }
.aim { stroke: #bc4c00; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .paper { fill: #0d1117 }
  .bar { fill: #4493f8 } .aim { stroke: #f0883e }
}
"""
INTRODUCTION = """# How fast it is

Made by `./ci/bench --keep` on {machine}. Every speed stands beside a bound that was
measured in turn with it, so that what slows the machine slows both: compare ratios, never seconds of one
machine with those of another. Values are medians; the range is that of the rounds' own ratios. Nothing fails
because something is slow.
"""


@dataclass(frozen=True)
class Results:
    """One run of all measures."""

    machine: Mapping[str, Any]
    rows: tuple[Row, ...]


def read(path: Path) -> Results:
    """What a run wrote down."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return Results(found["machine"], tuple(map(Row.from_json, found["rows"])))


def table(rows: Iterable[Row], last: Results | None) -> str:
    """A table for the terminal, with what changed since the results that are kept."""
    before = {row.name: row for row in last.rows} if last else {}
    lines = [f"{'':44} {'value':>11} {'bound':>11} {'ratio':>8}  {'range':>13}  {'aim':>8}  since the last"]
    for row in rows:
        span = f"{row.lowest:.2f}-{row.highest:.2f}"
        lines.append(
            f"{row.name:44} {shown(row.value, row.unit):>11} {shown(row.bound_value, row.unit):>11} "
            f"{row.ratio:8.2f}  {span:>13}  {aim(row):>8}  {change(row, before.get(row.name))}"
        )
    return "\n".join(lines)


def shown(value: float, unit: str) -> str:
    """A value with its unit, as short as can be."""
    if unit == COUNT:
        return f"{value:,.0f}"
    return f"{value:.2f} s" if unit == SECONDS else f"{value:,.0f}/s"


def aim(row: Row) -> str:
    """The aim, and in a sign whether it is reached."""
    if row.aim is None:
        return ""
    return f"{row.aim} {'✓' if row.reached else '✕'}"


def change(row: Row, before: Row | None) -> str:
    """In words, how a ratio differs from the last one."""
    if before is None:
        return "new"
    times = row.ratio / before.ratio
    if abs(math.log(times)) < math.log(1 + NOISE):
        return "the same"
    speed_up = row.aim is not None and row.aim.of == "ratio" and row.aim.least
    faster = (times > 1) == (speed_up or row.unit != SECONDS)
    better, worse = ("more", "less") if row.unit == COUNT else ("faster", "slower")
    return f"{better if faster else worse}: {times:.2f} times the ratio"


def rendered(results: Results) -> dict[Path, str]:
    """The page and its chart, by their places."""
    return {PAGE: page(results), CHART: chart(results.rows)}


def page(results: Results) -> str:
    """The page in Markdown."""
    told = results.machine
    system = f"Python {told['python']}, {told['system']}"
    machine = f"{told['cores']} cores, {system}, load {told['load']}, {told['date']}"
    lines = [
        INTRODUCTION.format(machine=machine),
        f"![Each ratio on a logarithmic scale]({CHART.relative_to(PAGE.parent).as_posix()})",
        "",
        "| measure | value | bound | ratio | range | aim |",
        "|---|---:|---|---:|---:|---|",
    ]
    lines += [
        f"| {row.name} | {shown(row.value, row.unit)} | {shown(row.bound_value, row.unit)}: {row.bound} "
        f"| {row.ratio:.2f} | {row.lowest:.2f} to {row.highest:.2f} | {aim(row)} |"
        for row in results.rows
    ]
    return "\n".join(lines) + "\n"


def chart(rows: Sequence[Row]) -> str:
    """Each ratio as a bar from one, on a logarithmic scale, with the aim as a mark."""
    height = 40 + ROW * len(rows)
    drawing = svg.Drawing(LABELS + WIDE + 90, height, id_prefix="d")
    drawing.append_css(STYLE)
    drawing.append(svg.Rectangle(0, 0, LABELS + WIDE + 90, height, class_="paper"))
    drawing.append(svg.Line(place(1), 20, place(1), height - 10, class_="equal"))
    drawing.append(svg.Text("as fast as the bound", 11, place(1), 14, text_anchor="middle", class_="small"))
    for number, row in enumerate(rows):
        y = 30 + ROW * number
        left, right = sorted((place(row.ratio), place(1)))
        drawing.append(svg.Text(row.name, 13, LABELS - 10, y + 12, text_anchor="end"))
        drawing.append(svg.Rectangle(left, y, max(2, right - left), 16, class_="bar"))
        drawing.append(svg.Text(f"{row.ratio:.2f}", 11, right + 6, y + 12, class_="small"))
        if row.aim and row.aim.of == "ratio":
            at = place(row.aim.at)
            drawing.append(svg.Line(at, y - 3, at, y + 19, class_="aim"))
    return str(drawing.as_svg(header=""))


def place(ratio: float) -> float:
    """Where a ratio stands on the scale."""
    share = (math.log(min(max(ratio, LEAST), MOST)) - math.log(LEAST)) / (math.log(MOST) - math.log(LEAST))
    return LABELS + share * WIDE
