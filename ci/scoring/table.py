"""The table of a self-check: what caught each fault, how soon, and how small the payload is that shows it."""

import math
import statistics
from collections.abc import Sequence
from typing import Any, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ci.scoring.fault_runs import COMPAT
from fixtures.faults import find_fault
from fixtures.faults.scoring import FaultResult, VariantResult

Result: TypeAlias = FaultResult | VariantResult
Results: TypeAlias = Sequence[Result]


def to_json(results: Results) -> dict[str, Any]:
    """The content of selfcheck.json."""
    return {
        "summary": summarize(results),
        "faults": [fault_row(result) for result in results if isinstance(result, FaultResult)],
        "tolerant": [
            {
                "variant": result.variant,
                "seed": result.seed,
                "tests": result.run.tests,
                "seconds": round(result.run.seconds, 2),
                "trouble": result.trouble,
            }
            for result in results
            if isinstance(result, VariantResult)
        ],
    }


def fault_row(result: FaultResult) -> dict[str, Any]:
    fault, smallest_finding = find_fault(result.fault), result.smallest_finding
    return {
        "fault": result.fault,
        "service": fault.service,
        "caught_by": result.first.test_files,
        "claimed": list(fault.checks),
        "found": list(result.found_by),
        "title": smallest_finding["title"] if smallest_finding else None,
        "test": result.shown_by,
        "tests": result.tests,
        "seconds": round(result.seconds, 2),
        "shrunk_bytes": result.shrunk_bytes,
        "trouble": result.trouble,
    }


def summarize(results: Results) -> dict[str, Any]:
    """Count the caught faults, how soon and small they show, and the false alarms of tolerant variants."""
    faults = [result for result in results if isinstance(result, FaultResult)]
    variants = [result for result in results if isinstance(result, VariantResult)]
    seconds = sorted(result.seconds for result in faults if result.found_by)
    sizes = [result.shrunk_bytes for result in faults if result.shrunk_bytes is not None]
    return {
        "faults": len(faults),
        "caught": sum(result.trouble is None for result in faults),
        "median_s": round(statistics.median(seconds), 2) if seconds else None,
        "p95_s": round(seconds[math.ceil(0.95 * len(seconds)) - 1], 2) if seconds else None,
        "median_shrunk_bytes": statistics.median_low(sizes) if sizes else None,
        "tolerant_runs": len(variants),
        "false_alarms": sum(result.trouble is not None for result in variants),
    }


def print_results(console: Console, results: Results) -> None:
    """Print the table, the troubles and the sum."""
    summary = summarize(results)
    if summary["faults"]:
        console.print(build_table([result for result in results if isinstance(result, FaultResult)]))
    for result in results:
        if result.trouble:
            console.print(f"{result.name}: {result.trouble}", markup=False, style="bold red")
            # The command is on one line, so that it can be copied.
            console.print(f"  next: {repeat_command(result)}", markup=False, soft_wrap=True)
    if summary["faults"]:
        console.print(
            f"{summary['caught']} of {summary['faults']} faults caught as claimed; "
            f"seconds to the first finding: median {summary['median_s']}, "
            f"95th percentile {summary['p95_s']}; "
            f"median size of the payload that shows it: {summary['median_shrunk_bytes']} bytes"
        )
    if summary["tolerant_runs"]:
        console.print(
            f"{summary['tolerant_runs']} runs of tolerant variants, {summary['false_alarms']} false alarms"
        )


def build_table(results: Sequence[FaultResult]) -> Table:
    """A row for each fault: the failing test that shows it best, and the number of failing tests."""
    table = Table(title="Does the suite notice?")
    for name in ("fault", "service", "shown by", "checks", "tests", "s", "bytes"):
        table.add_column(name, overflow="fold")
    for result in results:
        row = fault_row(result)
        numbers = [row["tests"], f"{result.seconds:.1f}", row["shrunk_bytes"]]
        table.add_row(
            result.fault,
            row["service"],
            escape(str(row["test"] or row["caught_by"]).removeprefix(f"{COMPAT}/")),
            ", ".join(row["found"]) or "nothing",
            *["-" if number is None else str(number) for number in numbers],
            style="bold red" if result.trouble else None,
        )
    return table


def repeat_command(result: Result) -> str:
    """The command that shows the trouble again."""
    if isinstance(result, VariantResult):
        return f"./ci/test {COMPAT} --variant {result.variant} --seed {result.seed}"
    return f"./ci/test {result.first.test_files or COMPAT} --variant {result.fault}"
