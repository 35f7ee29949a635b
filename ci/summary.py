"""`./ci/summary`: the verdict of the last run for a pull request, as Markdown or as annotations of GitHub."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ci import exits
from ci.arguments import Arguments, meant
from fixtures import schemas

SIGNS = {"go": "✅", "no-go": "❌", "undecided": "❔"}
SHOWN = 20
LONGEST = 1500
OWN_CHARACTERS = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@-])")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 if there is a verdict, whichever; 69 if there is none; 64 wrong usage."""
    parser = Arguments(prog="./ci/summary", description=__doc__)
    parser.add_argument("--build", default="build", metavar="DIR", help="what the gate wrote (default build)")
    parser.add_argument("--annotations", action="store_true", help="GitHub's workflow commands, not Markdown")
    options = parser.parse_args(argv)
    file = meant(options.here, options.build) / "verdict.json"
    try:
        verdict = json.loads(file.read_text(encoding="utf-8"))
        schemas.validate(verdict, "verdict.schema.json")
    except (OSError, ValueError, RecursionError, schemas.Invalid) as error:
        no_verdict = f"no-verdict: {file.name} says nothing ({type(error).__name__}); the release must wait"
        print(
            f"::error title=undecided::{_command(no_verdict)}" if options.annotations else f"❔ {no_verdict}"
        )
        return exits.UNAVAILABLE
    for line in beside_the_files(verdict) if options.annotations else markdown(verdict):
        print(line)
    return exits.GO


def markdown(verdict: Mapping[str, Any]) -> Iterator[str]:
    """What a reviewer reads."""
    yield f"## {SIGNS[verdict['verdict']]} {verdict['verdict'].upper()}"
    tests = sum(suite["tests"] for suite in verdict["suites"].values())
    asked = f"{tests} tests, {verdict['reports']} reports, seed {verdict['seed']}"
    yield f"\n{asked}, {verdict['duration_s']:.0f} s"
    yield "\n| provider | version | where |\n|---|---|---|"
    for name, tested in verdict["versions"].items():
        yield f"| {_plain(name)} | {_plain(tested['version'])} | {_plain(tested['target'])} |"
    if verdict["reasons"]:
        yield ""
        yield from (f"- {_plain(reason)}" for reason in verdict["reasons"][:SHOWN])
    for found in _distinct(verdict):
        sent = json.dumps(found["sent"], ensure_ascii=False)[:LONGEST].replace("`", "'")
        yield f"\n<details><summary>{_plain(found['provider'])}: {_plain(found['title'])}</summary>\n"
        yield f"- expected: {_plain(found['expected'])}\n- again: `{found['reproduce'].replace('`', '')}`"
        yield f"\n````json\n{sent}\n````\n</details>"


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


def _plain(text: str) -> str:
    """A text that Markdown shows as it stands, in one line."""
    return OWN_CHARACTERS.sub(r"\\\1", " ".join(text.split())[:LONGEST])


def _command(text: str, *, in_property: bool = False) -> str:
    """A text within a workflow command, which cannot begin another one."""
    text = text[:LONGEST].replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text


if __name__ == "__main__":
    sys.exit(main())
