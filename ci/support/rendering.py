"""Render the files that `./ci/regenerate` writes. Each function returns texts by their path in a folder."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ci.support.suite_process import collect_test_ids
from fixtures.contracts.api_docs import asyncapi, openapi
from fixtures.contracts.api_docs.interfaces import INTERFACES
from fixtures.contracts.pact import consumer_tests
from fixtures.contracts.pact.model import PACTS, PactError, pact_path
from fixtures.core.catalogue import Case, load_catalogue
from fixtures.core.topology import EDGES, VERSIONS
from fixtures.faults import FAULTS, Fault
from fixtures.faults.tolerant import TOLERANT_VARIANTS
from fixtures.results.policy import EXPECTED_TESTS, format_expected_tests

README = "README.md"
TABLE = re.compile(r"(<!-- pairs -->\n).*?(<!-- end of pairs -->)", re.DOTALL)
RESTORE_README = "git checkout pacts/README.md"

CASES_INTRODUCTION = """# What must become of a subscriber

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


def render_tests() -> dict[str, str]:
    return {EXPECTED_TESTS.name: format_expected_tests(collect_test_ids())}


def render_documents() -> dict[str, str]:
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


def render_tables() -> dict[str, str]:
    """docs/cases.md and docs/faults.md, from the catalogue and the faults."""
    return {"cases.md": render_cases(), "faults.md": render_faults()}


def render_faults() -> str:
    """The page of all faults, with a table for each service, and of the tolerant variants."""
    parts = [FAULTS_INTRODUCTION]
    columns = ("fault", "in version", "what it does wrong", "source", "breaks the promise", "its checks")
    for service in dict.fromkeys(fault.service for fault in FAULTS):
        faults = [fault for fault in FAULTS if fault.service == service]
        parts.append(f"\n## {service}: {len(faults)} faults\n\n")
        parts.append(format_table(columns, map(fault_cells, faults)))
    variants = [(f"`{each.name}`", each.difference, ", ".join(each.services)) for each in TOLERANT_VARIANTS]
    table = format_table(("variant", "what is otherwise", "services"), variants)
    return "".join((*parts, TOLERANT_INTRODUCTION, table))


def fault_cells(fault: Fault) -> Sequence[str]:
    checks = ", ".join(f"`{check}`" for check in fault.checks)
    versions = ", ".join(fault.versions)
    return (f"`{fault.name}`", versions, fault.description, fault.source, f"`{fault.promise}`", checks)


def render_cases() -> str:
    """The page of all cases, with a table for each protocol."""
    parts = [CASES_INTRODUCTION]
    columns = ("case", "code", "outcome", "shortest wait", "why", "means the same as", "source")
    for protocol, title in (("legacy", "Legacy"), ("fcm_v1", "FCM v1")):
        cases = load_catalogue().of_protocol(protocol)
        parts.append(f"\n## {title}: {len(cases)} cases, in this order\n\n")
        parts.append(format_table(columns, map(case_cells, cases)))
    return "".join(parts)


def case_cells(case: Case) -> Sequence[str]:
    floors = []
    if case.wait is not None:
        floors = [f"{floor} s at {status}" for status, floor in case.wait.floor_by_http_status.items()]
        floors.insert(0, f"{case.wait.floor_s} s")
    same = ", ".join(f"`{name}`" for name in case.legacy_equivalent)
    names = (f"`{case.id}`", f"`{case.code}`", f"`{case.outcome}`")
    return (*names, ", ".join(floors), case.why, same, case.source)


def format_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(map(format_row, (columns, ["---"] * len(columns), *rows)))


def format_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"
