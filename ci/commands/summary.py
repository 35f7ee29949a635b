"""`./ci/summary`: the report's summary of the last run for a pull request, or annotations of GitHub."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ci.support import exits
from ci.support.cli import Arguments, meant
from fixtures.core import schemas

SUMMARY = Path("report", "exports", "summary.md")
SHOWN = 20
LONGEST = 1500


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 if there is a verdict, whichever; 69 if there is none, or no summary of it; 64 wrong usage."""
    parser = Arguments(prog="./ci/summary", description=__doc__)
    parser.add_argument("--build", default="build", metavar="DIR", help="what the gate wrote (default build)")
    parser.add_argument("--annotations", action="store_true", help="GitHub's workflow commands, not Markdown")
    options = parser.parse_args(argv)
    build = meant(options.here, options.build)
    file = build / "verdict.json"
    try:
        verdict = json.loads(file.read_text(encoding="utf-8"))
        schemas.validate(verdict, "verdict.schema.json")
        said = "\n".join(beside_the_files(verdict)) + "\n"
        if not options.annotations:
            file = build / SUMMARY
            said = file.read_text(encoding="utf-8")
    except (OSError, ValueError, RecursionError, schemas.Invalid) as error:
        no_verdict = f"no-verdict: {file.name} says nothing ({type(error).__name__}); the release must wait"
        print(
            f"::error title=undecided::{_command(no_verdict)}" if options.annotations else f"❔ {no_verdict}"
        )
        return exits.UNAVAILABLE
    sys.stdout.write(said)
    return exits.GO


def beside_the_files(verdict: Mapping[str, Any]) -> Iterator[str]:
    """What stands beside the files of a pull request."""
    level = "notice" if verdict["verdict"] == "go" else "error"
    reasons = "; ".join(verdict["reasons"][:3]) or "nothing was found"
    yield f"::{level} title=fcm-compat%3A {verdict['verdict']}::{_command(reasons)}"
    for found in _distinct(verdict):
        title = _command(f"{found['provider']} {found['case'] or ''}".strip(), in_property=True)
        file = _command(found["test"].partition("::")[0], in_property=True)
        message = f"{found['title']}\nexpected: {found['expected']}\nagain: {found['reproduce']}"
        yield f"::error file={file},title={title}::{_command(message)}"


def _distinct(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One finding of each kind."""
    kinds: dict[tuple[str, str], Mapping[str, Any]] = {}
    for found in verdict["findings"]:
        kinds.setdefault((found["provider"], found["title"]), found)
    return list(kinds.values())[:SHOWN]


def _command(text: str, *, in_property: bool = False) -> str:
    """A text within a workflow command, which cannot begin another one."""
    text = text[:LONGEST].replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text


if __name__ == "__main__":
    sys.exit(main())
