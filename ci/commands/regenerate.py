"""`./ci/regenerate` writes all files that are made from the project's data, or checks that they are current.

Kinds of files: `pacts` (pacts/), `documents` (docs/openapi and docs/asyncapi), `tables` (docs/cases.md,
docs/exit-codes.md, docs/faults.md and docs/promises.md), `tests` (ci/expected_tests.json).
"""

import argparse
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.support.cli import TEMPLATES, Answer, command, resolve_path
from ci.support.command_line import CommandParser, read_tables
from ci.support.exit_codes import ANSWERS, MEANINGS, TROUBLES, ExitCode
from ci.support.suite_process import collect_test_ids
from fixtures.contracts.api_docs import asyncapi, openapi
from fixtures.contracts.api_docs.interfaces import INTERFACES
from fixtures.contracts.pact import consumer_tests
from fixtures.contracts.pact.model import PACTS, PactError, pact_path
from fixtures.core.backoff import LONGEST_FACTOR, SHORTEST_LIMIT_S
from fixtures.core.catalogue import Catalogue, UnspecifiedRule, WaitRule, load_catalogue
from fixtures.core.errors import UserError
from fixtures.core.findings import RANKS, RULES
from fixtures.core.harm import HARMS
from fixtures.core.outcome import LEAVES_ALONE
from fixtures.core.project import DOCS
from fixtures.core.schemas import SchemaViolation
from fixtures.core.topology import EDGES, VERSIONS
from fixtures.faults import FAULTS
from fixtures.faults.tolerant import TOLERANT_VARIANTS
from fixtures.results.policy_file import EXPECTED_TESTS, format_expected_tests
from fixtures.results.report.templating import render_text
from fixtures.results.report.wording import TEXTS

PROTOCOLS = {"legacy": "Legacy", "fcm_v1": "FCM v1"}
README = "README.md"
TABLE = re.compile(r"(<!-- pairs -->\n).*?(<!-- end of pairs -->)", re.DOTALL)
RESTORE_README = "git checkout pacts/README.md"


@dataclass(frozen=True)
class GeneratedFiles:
    """A kind of generated files: from its folder to the text of each file, by the path in the folder.

    All files that match `patterns` belong to it. Others among them are strays; only pacts are deleted, since
    a pact that no consumer declares would still be verified.
    """

    noun: str
    folder: Path
    render: Callable[[Path], Mapping[str, str]]
    patterns: tuple[str, ...] = ()
    delete_strays: bool = False


def check_files(kind: GeneratedFiles, folder: Path, texts: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The files that are missing or have another text, and those that no data makes."""
    current = {path for path in texts if (folder / path).is_file()}
    current = {path for path in current if (folder / path).read_bytes() == texts[path].encode()}
    files = [file for pattern in kind.patterns for file in folder.glob(pattern) if file.is_file()]
    strays = {file.relative_to(folder).as_posix() for file in files} - texts.keys()
    return sorted(texts.keys() - current), sorted(strays)


def render_tests(_: Path) -> dict[str, str]:
    return {EXPECTED_TESTS.name: format_expected_tests(collect_test_ids())}


def render_documents(_: Path) -> dict[str, str]:
    """The OpenAPI and AsyncAPI documents of docs/."""
    documents = {f"openapi/{service}.json": openapi.make_document(service) for service in INTERFACES}
    documents["asyncapi/platform.json"] = asyncapi.make_document()
    return {path: json.dumps(document, indent=2) + "\n" for path, document in documents.items()}


def render_pacts(folder: Path) -> dict[str, str]:
    """Every pact that the consumers declare, and the README of `folder` with a new table of the pairs.

    Raises PactError if the README has no marks for its table.
    """
    texts = consumer_tests.render_pacts()
    header = ("consumer", "provider", "by", "consumer version", "file", "interactions")
    table = [format_row(header), "|---|---|---|---|---|---:|\n"]
    for edge, version in itertools.product(EDGES, VERSIONS):
        file = pact_path(edge, version).relative_to(PACTS).as_posix()
        count = len(json.loads(texts[file])["interactions"])
        row = (edge.consumer, edge.provider, edge.kind, version, f"[{file}]({file})", str(count))
        table.append(format_row(row))
    readme = folder / README
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise PactError("readme-missing", str(readme), str(error.strerror), RESTORE_README) from error
    if not TABLE.search(text):
        problem = "it has no <!-- pairs --> and <!-- end of pairs -->"
        raise PactError("readme-unmarked", str(readme), problem, RESTORE_README)
    return {**texts, README: TABLE.sub(lambda match: match[1] + "".join(table) + match[2], text)}


def render_tables(_: Path) -> dict[str, str]:
    """The pages of docs/ that are made from the catalogue, the faults and the rules of findings."""
    protocols = [(title, load_catalogue().of_protocol(name)) for name, title in PROTOCOLS.items()]
    return {
        "cases.md": render_text(
            TEMPLATES / "cases.md.jinja", protocols=protocols, unspecified=load_catalogue().unspecified
        ),
        "faults.md": render_text(TEMPLATES / "faults.md.jinja", faults=FAULTS, variants=TOLERANT_VARIANTS),
        "promises.md": render_promises(load_catalogue()),
        "exit-codes.md": render_text(
            TEMPLATES / "exit-codes.md.jinja",
            meanings=MEANINGS,
            answers=ANSWERS,
            troubles=TROUBLES,
            commands=[name for name, table in read_tables().items() if "subcommands" not in table],
        ),
    }


def render_promises(catalogue: Catalogue) -> str:
    """docs/promises.md, from the rules of findings and the catalogue."""
    waits: list[WaitRule] = []
    for case in catalogue.cases:
        if case.wait and case.wait not in waits:
            waits.append(case.wait)
    by_outcomes: dict[tuple[str, ...], list[UnspecifiedRule]] = {}
    for rule in catalogue.unspecified:
        by_outcomes.setdefault(tuple(sorted({*rule.outcomes, "alert"})), []).append(rule)
    return render_text(
        TEMPLATES / "promises.md.jinja",
        ranks=TEXTS["ranks"],
        rules={rank: [name for name, row in RULES.items() if row.rank == rank] for rank in RANKS},
        waits=waits,
        factor=LONGEST_FACTOR,
        limit_s=SHORTEST_LIMIT_S,
        leaves_alone=sorted(LEAVES_ALONE),
        classes=TEXTS["answer_classes"],
        unspecified=by_outcomes,
        harms=HARMS,
    )


def format_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


KINDS: Mapping[str, GeneratedFiles] = {
    "pacts": GeneratedFiles("pact", PACTS, render_pacts, ("before/**/*", "after/**/*"), delete_strays=True),
    "documents": GeneratedFiles("document", DOCS, render_documents, ("openapi/*.json", "asyncapi/*.json")),
    "tables": GeneratedFiles("table", DOCS, render_tables),
    "tests": GeneratedFiles("list", EXPECTED_TESTS.parent, render_tests),
}


@command("regenerate")
def main(parser: CommandParser, options: argparse.Namespace) -> Answer:
    """Write the files. With --check, only compare, and exit 1 if one is not current."""
    if options.folder and not options.kind:
        parser.refuse("usage: --folder needs a kind\n  next: ./ci/regenerate pacts --folder DIR")
    problems: list[str] = []
    content: dict[str, Any] = {}
    for name in [options.kind] if options.kind else KINDS:
        kind = KINDS[name]
        folder = resolve_path(options.caller_folder, options.folder) if options.folder else kind.folder
        try:
            texts = kind.render(folder)
            stale, strays = check_files(kind, folder, texts)
            content[name] = {"changed": stale, "stray": strays}
            if options.check:
                problems += describe_problems(name, stale, strays)
            else:
                write_files(folder, texts, stale, strays if kind.delete_strays else ())
                print(f"{len(stale)} of {len(texts)} {kind.noun} files changed")
        except (UserError, SchemaViolation, RuntimeError) as error:
            print(error, file=sys.stderr)
            return Answer(ExitCode.DATA, content)
        except OSError as error:
            problem = f"folder-unwritable: {folder}: {error.strerror}"
            parser.refuse(f"{problem}\n  next: --folder, a folder of yours")
    for problem in problems:
        print(problem, file=sys.stderr)
    return Answer(ExitCode.NO_GO if problems else ExitCode.GO, content)


def describe_problems(name: str, stale: Sequence[str], strays: Sequence[str]) -> Iterator[str]:
    noun = KINDS[name].noun
    if stale:
        yield f"stale-{noun}: {', '.join(stale)}\n  next: ./ci/regenerate {name}"
    if strays:
        yield f"stray-{noun}: {', '.join(strays)}: it is not generated\n  next: delete it"


def write_files(folder: Path, texts: Mapping[str, str], stale: Sequence[str], strays: Sequence[str]) -> None:
    for path in stale:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(texts[path], encoding="utf-8")
        print(f"written: {path}")
    for path in strays:
        (folder / path).unlink()
        print(f"deleted: {path}")
