"""Render docs/cases.md and docs/faults.md from the catalogue and the faults."""

from __future__ import annotations

from collections.abc import Sequence

from fixtures.core.catalogue import Case, Catalogue, WaitRule, load_catalogue
from fixtures.faults import FAULTS, Fault
from fixtures.faults.tolerant import TOLERANT_VARIANTS

FAULT_COLUMNS = ("fault", "in version", "what it does wrong", "source", "breaks the promise", "its checks")
COLUMNS = ("case", "code", "outcome", "shortest wait", "why", "means the same as", "source")

INTRODUCTION = """# What must become of a subscriber

Generated from [schemas/response-codes.json](../schemas/response-codes.json) by `./ci/regenerate tables`:
edit that file, never this one. The first case that matches a response report decides.

| outcome | what happens to the subscriber |
|---|---|
| `keep` | nothing: the push was delivered |
| `replace_token` | nothing but the token: FCM named the one to use from now on |
| `unsubscribe` | no push ever again: the device is dead |
| `postpone` | no push for a while; the wait is the largest of Retry-After, RetryInfo and our own floor |
| `fix_message` | nothing: our payload is at fault |
| `alert` | nothing: our configuration, Google's, or an undocumented answer; a person must look |
"""


FAULTS_INTRODUCTION = """# What the suite is known to notice

Generated from [fixtures/faults](../fixtures/faults) by `./ci/regenerate tables`: edit those, never this
file. Each is put into the reference services by itself, and `./ci/selfcheck` shows that the checks named here
find it, and that without them nothing else does in the tests of its promise, which are marked
`catches(promise="...")`. A source that is no link names public code.
"""

TOLERANT_INTRODUCTION = """
## Right in another way

`./ci/selfcheck --tolerant` puts these into the reference services instead: all suites must say go.

"""


def render_tables() -> dict[str, str]:
    """Both pages, by their path under docs/."""
    return {"cases.md": render_cases(load_catalogue()), "faults.md": render_faults()}


def render_faults() -> str:
    """The page of all faults, with a table for each service, and of the tolerant variants."""
    parts = [FAULTS_INTRODUCTION]
    for service in dict.fromkeys(fault.service for fault in FAULTS):
        faults = [fault for fault in FAULTS if fault.service == service]
        parts.append(f"\n## {service}: {len(faults)} faults\n\n")
        parts += [
            format_row(FAULT_COLUMNS),
            format_row(["---"] * len(FAULT_COLUMNS)),
            *map(fault_row, faults),
        ]
    columns = ("variant", "what is otherwise", "services")
    parts += [TOLERANT_INTRODUCTION, format_row(columns), format_row(["---"] * len(columns))]
    for variant in TOLERANT_VARIANTS:
        parts.append(format_row((f"`{variant.name}`", variant.difference, ", ".join(variant.services))))
    return "".join(parts)


def fault_row(fault: Fault) -> str:
    checks = ", ".join(f"`{check}`" for check in fault.checks)
    name, versions, promise = f"`{fault.name}`", ", ".join(fault.versions), f"`{fault.promise}`"
    return format_row((name, versions, fault.description, fault.source, promise, checks))


def render_cases(catalogue: Catalogue) -> str:
    """The page of all cases, with a table for each protocol."""
    parts = [INTRODUCTION]
    for protocol, title in (("legacy", "Legacy"), ("fcm_v1", "FCM v1")):
        cases = catalogue.of_protocol(protocol)
        parts.append(f"\n## {title}: {len(cases)} cases, in this order\n\n")
        parts += [format_row(COLUMNS), format_row(["---"] * len(COLUMNS)), *map(case_row, cases)]
    return "".join(parts)


def case_row(case: Case) -> str:
    floor = "" if case.wait is None else format_floors(case.wait)
    same = ", ".join(f"`{name}`" for name in case.legacy_equivalent)
    cells = (f"`{case.id}`", f"`{case.code}`", f"`{case.outcome}`", floor, case.why, same, case.source)
    return format_row(cells)


def format_floors(wait: WaitRule) -> str:
    """The shortest wait of a rule, and the other waits at some statuses."""
    exceptions = (f"{floor} s at {status}" for status, floor in wait.floor_by_http_status.items())
    return ", ".join((f"{wait.floor_s} s", *exceptions))


def format_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"
