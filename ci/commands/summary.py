"""`./ci/summary`: the summary of the last run for a pull request, or annotations for GitHub."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ci.support.cli import Answer, command
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode
from fixtures.core import schemas
from fixtures.core.plain_text import show_hidden, to_line
from fixtures.results.build_folder import RunFiles, find_build_folder
from fixtures.results.report.evidence import describe_weight
from fixtures.results.report.headline import name_verdict
from fixtures.results.report.impact import group_findings
from fixtures.results.report.judged import describe_judged
from fixtures.results.report.model import read_run
from fixtures.results.report.wording import TEXTS
from fixtures.results.waivers import describe_mark

# GitHub shows ten errors, ten warnings and ten notices of a step. The verdict is one of them.
SHOWN_CAUSES = 9
SHOWN_WAIVED = 10
SHOWN_NOTICES = 8
SHOWN_REASONS = 3
TEXT_LIMIT = 1500


@command("summary")
def main(_: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit 0 if there is a verdict, whichever; 69 if there is none, or no summary of it; 64 wrong usage."""
    build = find_build_folder(options.caller_folder, options.build)
    files = RunFiles(build, build / "history")
    file = files.verdict
    try:
        verdict = json.loads(file.read_text(encoding="utf-8"))
        schemas.validate(verdict, "verdict.schema.json")
        text = "\n".join(list_annotations(verdict)) + "\n"
        if not options.annotations:
            file = files.markdown
            text = file.read_text(encoding="utf-8")
    except (OSError, ValueError, RecursionError, schemas.SchemaViolation) as error:
        problem = f"no-verdict: {file.name} says nothing ({type(error).__name__}); the release must wait"
        problem += "; next: ./ci/gate"
        print(f"::error title=undecided::{escape(problem)}" if options.annotations else f"❔ {problem}")
        return Answer(ExitCode.UNAVAILABLE, {"verdict": "undecided", "reasons": [problem]})
    sys.stdout.write(text)
    return Answer(ExitCode.GO, verdict)


def list_annotations(verdict: Mapping[str, Any]) -> Iterator[str]:
    """GitHub's workflow commands: the verdict, the worst causes of findings, and kinds of notices."""
    level = "notice" if verdict["verdict"] == "go" else "error"
    reasons = "; ".join(map(to_line, verdict["reasons"][:SHOWN_REASONS])) or "nothing was found"
    run = read_run(verdict)
    hidden = len(run.causes) - SHOWN_CAUSES
    more = [f"{hidden} more causes are in the summary"] if hidden > 0 else []
    texts = "; ".join([reasons, *map(to_line, verdict.get("weaker", ())), *more])
    message = escape(f"{describe_judged(verdict)}: {texts}")
    yield f"::{level} title=fcm-compat%3A {escape(name_verdict([run]), in_property=True)}::{message}"
    for cause in run.causes[:SHOWN_CAUSES]:
        yield annotate("error", cause.kinds[0].smallest, f"\ncause: {to_line(cause.describe())}")
    for kind in group_findings(verdict.get("waived", ()), by="id")[:SHOWN_WAIVED]:
        yield annotate("warning", kind.smallest, f"\n{to_line(describe_mark(kind.smallest))}")
    notices = group_findings(verdict.get("notices", ()), by="rule")
    for kind in notices[:SHOWN_NOTICES]:
        suffix = f" (and {len(kind.other_titles)} like it)" if kind.other_titles else ""
        yield annotate("notice", kind.smallest, f"{suffix}\n{TEXTS['notices']['about']}")
    if len(notices) > SHOWN_NOTICES:
        yield f"::notice title=notices::and {len(notices) - SHOWN_NOTICES} more kinds of notices"


def annotate(level: str, finding: Mapping[str, Any], remark: str) -> str:
    """The workflow command that shows a finding at its test. `remark` follows its title."""
    title = escape(f"{finding['provider']} {finding['case'] or ''}".strip(), in_property=True)
    file = escape(finding["test"].partition("::")[0], in_property=True)
    weight = "".join(f"{name.lower()}: {to_line(text)}\n" for name, text in describe_weight(finding).items())
    weight += f"id: {to_line(finding['id'])}\n"
    evidence = f"expected: {to_line(finding['expected'])}\nagain: {finding['reproduce']}"
    message = f"{to_line(finding['title'])}{remark}\n{weight}{evidence}"
    return f"::{level} file={file},title={title}::{escape(message)}"


def escape(text: str, *, in_property: bool = False) -> str:
    """Escape a text for a workflow command, so that it cannot start another command."""
    text = show_hidden(text)[:TEXT_LIMIT].replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text
