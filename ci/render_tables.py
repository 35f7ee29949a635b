"""`python -m ci.render_tables`: write docs/cases.md from the catalogue, or `--check` it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ci import exits
from ci.arguments import Arguments
from fixtures.catalogue import Case, Catalogue, Wait, load

CASES = Path(__file__).resolve().parent.parent / "docs" / "cases.md"

COLUMNS = ("case", "code", "outcome", "shortest wait", "why", "means the same as", "source")

INTRODUCTION = """# What must become of a subscriber

Generated from [schemas/response-codes.json](../schemas/response-codes.json) by `python -m ci.render_tables`:
edit that file, never this one. The first case that matches a response report decides.

| outcome | what happens to the subscriber |
|---|---|
| `keep` | nothing: the push was delivered |
| `replace_token` | nothing but the token: FCM named the one to use from now on |
| `unsubscribe` | no push ever again: the device is dead |
| `postpone` | no push for a while; the wait is the largest of Retry-After, RetryInfo and our own floor |
| `fix_message` | nothing: our payload is at fault |
| `alert` | nothing: our configuration, Google's, or something nobody knows; a person must look |
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Write docs/cases.md, or exit 1 with `--check` if it is not current."""
    parser = Arguments(prog="python -m ci.render_tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    text = rendered(load())
    if not parser.parse_args(argv).check:
        CASES.write_text(text, encoding="utf-8")
        return exits.GO
    if CASES.is_file() and CASES.read_text(encoding="utf-8") == text:
        return exits.GO
    print(f"stale-table: {CASES.name}\n  next: python -m ci.render_tables", file=sys.stderr)
    return exits.NO_GO


def rendered(catalogue: Catalogue) -> str:
    """The page of all cases, a table for each protocol."""
    parts = [INTRODUCTION]
    for protocol, title in (("legacy", "Legacy"), ("fcm_v1", "FCM v1")):
        cases = catalogue.of(protocol)
        head = f"\n## {title}: {len(cases)} cases, in this order\n\n"
        parts.append(head + "".join((line(COLUMNS), line(["---"] * len(COLUMNS)), *map(row, cases))))
    return "".join(parts)


def row(case: Case) -> str:
    """One row of the table."""
    floor = "" if case.wait is None else floors(case.wait)
    same = ", ".join(f"`{name}`" for name in case.legacy_equivalent)
    cells = (f"`{case.id}`", f"`{case.code}`", f"`{case.outcome}`", floor, case.why, same, case.source)
    return line(cells)


def floors(wait: Wait) -> str:
    """The shortest wait of a rule, and at which status it is another."""
    others = (f"{floor} s at {status}" for status, floor in wait.floor_by_http_status.items())
    return ", ".join((f"{wait.floor_s} s", *others))


def line(cells: Sequence[str]) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cells) + " |\n"


if __name__ == "__main__":
    sys.exit(main())
