"""Prints the result of a run: the table of cases, the findings, and the verdict with its reasons."""

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ci.support.cli import TEMPLATES, Answer
from ci.support.exit_codes import VERDICT_EXIT_CODES, ExitCode
from fixtures.core import catalogue, schemas, terminal
from fixtures.core.catalogue import Catalogue
from fixtures.core.console import wants_color
from fixtures.core.findings import Finding, describe_finding
from fixtures.core.plain_text import to_message
from fixtures.results import ledger, policy, policy_file, verdict_file
from fixtures.results.build_folder import RunFiles
from fixtures.results.report.headline import list_next_steps, name_verdict
from fixtures.results.report.impact import group_findings
from fixtures.results.report.judged import describe_judged
from fixtures.results.report.model import read_run
from fixtures.results.report.templating import render_text
from fixtures.results.report.wording import TEXTS
from fixtures.results.rollout_answer import describe_order_counts
from fixtures.results.waivers import describe_mark

SHOWN_FINDINGS = 8
SHOWN_REASONS = 16
SHOWN_NOTICES = 8


def print_summary(verdict: Mapping[str, Any], files: RunFiles) -> None:
    """Print the table, the findings, and what was tested."""
    if cases := verdict["cases"]:
        ours, versions = catalogue.load_catalogue(), verdict["versions"]
        print(terminal.format_case_table(ours, cases, versions, color=wants_color()))
    # One finding of each kind, those about subscribers first.
    kinds = policy.select_kinds(verdict["findings"])
    kinds.sort(key=lambda finding: finding["check"] != "effects")
    described = [(describe_finding(Finding.from_json(row)), row) for row in kinds[:SHOWN_FINDINGS]]
    order = describe_order_counts(verdict["rollout"]) if verdict["rollout"] else ""
    values = {**verdict, "notices": group_findings(verdict.get("notices", ()), by="rule")}
    values |= {"described": described, "kinds": len(kinds), "order": order, "files": files}
    values |= {"notice_texts": TEXTS["notices"], "max_notices": SHOWN_NOTICES}
    values |= {"waived": group_findings(verdict.get("waived", ()), by="id"), "describe_mark": describe_mark}
    values |= {"waived_about": TEXTS["waived"]["about"]}
    print(render_text(TEMPLATES / "gate.txt.jinja", **values), end="")


def print_verdict(
    verdict: str, reasons: Sequence[str], notes: Iterable[str] = (), *, word: str = "", subject: str = ""
) -> ExitCode:
    """Print the verdict with its reasons. It comes last, so that it stays on the screen."""
    print(terminal.format_verdict(verdict, word, color=wants_color()), subject)
    for reason in reasons[:SHOWN_REASONS]:
        print(f"  because {to_message(reason)}")
    for note in notes:
        print(f"  note: {to_message(note)}")
    return VERDICT_EXIT_CODES[verdict]


def print_judged(verdict: Mapping[str, Any]) -> ExitCode:
    """Print a run's verdict with what it is about, its causes, and what to do unless it is a *go*."""
    run = read_run(verdict)
    reasons = [*(cause.describe() for cause in run.causes), *run.undecided_reasons]
    waived = f"{count} waived by --waivers" if (count := len(run.waived)) else ""
    notes = [*verdict.get("weaker", ()), *filter(None, [waived]), *verdict.get("notes", ())]
    about = {"word": name_verdict([run]), "subject": describe_judged(verdict)}
    exit_code = print_verdict(verdict["verdict"], reasons, notes, **about)
    if exit_code != ExitCode.GO:
        for step in list_next_steps([run]):
            print(f"  next: {to_message(step)}")
    return exit_code


def read_answer(exit_code: int, file: Path) -> Answer:
    """The exit code with the verdict that a run wrote."""
    return Answer(exit_code, json.loads(file.read_text(encoding="utf-8")))


def conclude_without_run(files: RunFiles, reason: str, identity: Mapping[str, str]) -> ExitCode:
    """Write and print the verdict `undecided` when no test can run; `identity` is that of the run."""
    files.clear_report()
    no_ledger, problem = ledger.Ledger(identity, (), ()), reason.splitlines()[0]
    with contextlib.suppress(schemas.SchemaError):  # without schemas, verdict.json cannot be validated
        verdict = policy.decide(
            no_ledger, policy_file.NO_REQUIREMENTS, Catalogue(()), duration_s=0, gate_problems=[problem]
        )
        verdict_file.write_verdict(files.verdict, verdict)
    return print_verdict("undecided", [reason])
