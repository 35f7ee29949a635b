"""`python -m ci.commands.render_documents`: write the OpenAPI and AsyncAPI documents of docs/, or `--check` them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ci.support import exits
from ci.support.cli import Arguments, meant
from fixtures.contracts.api_docs import asyncapi, openapi
from fixtures.contracts.api_docs.interfaces import INTERFACES
from fixtures.core.project import DOCS

FOLDERS = ("openapi", "asyncapi")


def main(argv: Sequence[str] | None = None) -> int:
    """Write the documents, or exit 1 with `--check` if they are not current."""
    parser = Arguments(prog="python -m ci.commands.render_documents", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--into", default=str(DOCS), metavar="FOLDER", help="instead of docs")
    asked = parser.parse_args(argv)
    docs, wanted = meant(asked.here, asked.into), rendered()
    if asked.check:
        problems = list(differences(found(docs), wanted))
        print("".join(problems), end="", file=sys.stderr)
        return exits.NO_GO if problems else exits.GO
    try:
        write(wanted, docs)
    except OSError as error:
        parser.refuse(f"folder-unwritable: {docs}: {error.strerror}\n  next: --into a folder of yours")
    return exits.GO


def differences(there: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> Iterator[str]:
    """What is wrong with the documents that are there, and what to do about it."""
    if stale := sorted(name for name in wanted if there.get(name) != wanted[name]):
        yield f"stale-document: {', '.join(stale)}\n  next: python -m ci.commands.render_documents\n"
    if strays := sorted(there.keys() - wanted.keys()):
        yield f"stray-document: {', '.join(strays)}: no service has it\n  next: delete it\n"


def rendered() -> dict[str, bytes]:
    """Every document by its name under docs/."""
    documents = {f"openapi/{service}.json": openapi.document(service) for service in INTERFACES}
    documents["asyncapi/platform.json"] = asyncapi.document()
    return {name: written(document) for name, document in documents.items()}


def written(document: Mapping[str, Any]) -> bytes:
    """A document as it stands in its file."""
    return (json.dumps(document, indent=2) + "\n").encode()


def found(docs: Path) -> dict[str, bytes]:
    """The documents that are there."""
    files = [file for folder in FOLDERS for file in (docs / folder).glob("*.json")]
    return {file.relative_to(docs).as_posix(): file.read_bytes() for file in files}


def write(documents: Mapping[str, bytes], docs: Path) -> None:
    """Write the documents; what else is there stays, as it may be somebody's."""
    for name, content in documents.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
