"""`python -m ci.commands.render_tables`: write docs/cases.md and docs/faults.md from their data, or `--check` them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ci.support import exits
from ci.support.cli import Arguments
from fixtures.core.catalogue import Case, Catalogue, Wait, load
from fixtures.core.project import DOCS
from fixtures.faults import FAULTS, Fault
from fixtures.faults.tolerant import TOLERANT

FAULT_COLUMNS = ("fault", "in version", "what it does wrong", "source", "must be noticed by", "its checks")
COLUMNS = ("case", "code", "outcome", "shortest wait", "why", "means the same as", "source")

INTRODUCTION = """# What must become of a subscriber

Generated from [schemas/response-codes.json](../schemas/response-codes.json) by `python -m ci.commands.render_tables`:
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


FAULTS_INTRODUCTION = """# What the suite is known to notice

Generated from [fixtures/faults](../fixtures/faults) by `python -m ci.commands.render_tables`: edit those, never this
file. Each is put into the reference services by itself, and `./ci/selfcheck` shows that the checks named here
find it, and that without them nothing else in the file does. A source that is no link names public code.
"""

TOLERANT_INTRODUCTION = """
## Right in another way

`./ci/selfcheck --tolerant` puts these into the reference services instead: all suites must say go.

"""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the tables, or exit 1 with `--check` if one is not current."""
    parser = Arguments(prog="python -m ci.commands.render_tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args(argv).check
    stale = []
    for name, text in {"cases.md": rendered(load()), "faults.md": rendered_faults()}.items():
        file = DOCS / name
        if not check:
            file.write_text(text, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
    for name in stale:
        print(f"stale-table: {name}\n  next: python -m ci.commands.render_tables", file=sys.stderr)
    return exits.NO_GO if stale else exits.GO


def rendered_faults() -> str:
    """The page of all faults, a table for each service, and of the tolerant variants."""
    parts = [FAULTS_INTRODUCTION]
    for service in dict.fromkeys(fault.service for fault in FAULTS):
        faults = [fault for fault in FAULTS if fault.service == service]
        parts.append(f"\n## {service}: {len(faults)} faults\n\n")
        parts += [line(FAULT_COLUMNS), line(["---"] * len(FAULT_COLUMNS)), *map(fault_row, faults)]
    columns = ("variant", "what is otherwise", "services")
    parts += [TOLERANT_INTRODUCTION, line(columns), line(["---"] * len(columns))]
    parts += [line((f"`{one.name}`", one.otherwise, ", ".join(one.services))) for one in TOLERANT]
    return "".join(parts)


def fault_row(fault: Fault) -> str:
    """One row of the table of faults."""
    checks = ", ".join(f"`{check}`" for check in fault.checks)
    name, versions, file = f"`{fault.name}`", ", ".join(fault.versions), f"`{fault.caught_by}`"
    return line((name, versions, fault.wrong, fault.source, file, checks))


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
