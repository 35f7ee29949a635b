"""Prints the result of a run: the table of cases, the findings, and the verdict with its reasons."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ci.support.artifacts import RunFiles
from ci.support.cli import ExitCode
from fixtures.core import catalogue, schemas, terminal
from fixtures.core.catalogue import Catalogue
from fixtures.core.findings import Finding, describe_finding
from fixtures.results import ledger, policy, verdict_file
from fixtures.results.rollout_answer import describe_order_counts

SHOWN_FINDINGS = 8
SHOWN_REASONS = 16
# These errors say that files cannot be written here. Any other OSError is a crash of the gate.
WRITE_ERRORS = ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "EEXIST", "ENOTDIR", "EISDIR")
WRITE_ERROR_NUMBERS = {getattr(errno, name) for name in WRITE_ERRORS}


def print_summary(verdict: Mapping[str, Any], files: RunFiles) -> None:
    """Print the table, the findings, and what was tested."""
    if cases := verdict["cases"]:
        print(terminal.format_case_table(catalogue.load_catalogue(), cases, color=sys.stdout.isatty()))
    # One finding of each kind, those about subscribers first.
    kinds: dict[tuple[str, str], Mapping[str, Any]] = {}
    for finding in verdict["findings"]:
        kinds.setdefault((finding["provider"], finding["title"]), finding)
    by_importance = sorted(kinds.values(), key=lambda finding: finding["check"] != "effects")
    for finding in by_importance[:SHOWN_FINDINGS]:
        print(f"{describe_finding(Finding(**finding))}\n  again:    {finding['reproduce']}\n")
    if len(kinds) > SHOWN_FINDINGS:
        print(f"... and {len(kinds) - SHOWN_FINDINGS} more kinds of findings in {files.verdict}\n")
    if rollout := verdict["rollout"]:
        print(f"rollout: {rollout['verdict']}; {describe_order_counts(rollout)} See {files.rollout}/")
    tests = sum(suite["tests"] for suite in verdict["suites"].values())
    case_count = sum(len(row) for row in cases.values())
    print(
        f"{tests} tests, {case_count} cases at providers and end to end, {verdict['reports']} reports, "
        f"seed {verdict['seed']}, {verdict['duration_s']:.1f} s"
    )
    for name, tested in verdict["versions"].items():
        print(f"  {name} {tested['version']} ({tested['target']})")


def print_verdict(verdict: Mapping[str, Any]) -> None:
    """Print the verdict with its reasons. It comes last, so that it stays on the screen."""
    print(terminal.format_verdict(verdict["verdict"], color=sys.stdout.isatty()))
    for reason in verdict["reasons"][:SHOWN_REASONS]:
        print(f"  because {reason}")
    for note in verdict.get("notes", ()):
        print(f"  note: {note}")


def conclude_without_run(file: Path, reason: str) -> ExitCode:
    """Write and print the verdict `undecided` when no test can run."""
    no_ledger, problem = ledger.Ledger({}, (), ()), reason.splitlines()[0]
    with contextlib.suppress(schemas.SchemaError):  # without schemas, verdict.json cannot be validated
        verdict = policy.decide(
            no_ledger, policy.NO_REQUIREMENTS, Catalogue(()), duration_s=0, gate_problems=[problem]
        )
        verdict_file.write_verdict(file, verdict)
    return print_undecided(reason)


def print_undecided(reason: str) -> ExitCode:
    print(terminal.format_verdict("undecided", color=sys.stdout.isatty()))
    print(f"  because {reason}", flush=True)
    return ExitCode.UNDECIDED
