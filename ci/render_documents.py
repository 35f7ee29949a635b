"""`python -m ci.render_documents`: write the OpenAPI and AsyncAPI documents of docs/, or `--check` them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ci import exits
from ci.arguments import Arguments, meant
from fixtures.documents import asyncapi, openapi
from fixtures.interfaces import INTERFACES

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDERS = ("openapi", "asyncapi")


def main(argv: Sequence[str] | None = None) -> int:
    """Write the documents, or exit 1 with `--check` if they are not current."""
    parser = Arguments(prog="python -m ci.render_documents", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--into", default=str(DOCS), metavar="FOLDER", help="instead of docs")
    asked = parser.parse_args(argv)
    docs, wanted = meant(asked.here, asked.into), rendered()
    if not asked.check:
        write(wanted, docs)
        return exits.GO
    there = found(docs)
    stale = sorted(name for name in there | wanted if there.get(name) != wanted.get(name))
    if not stale:
        return exits.GO
    print(f"stale-document: {', '.join(stale)}\n  next: python -m ci.render_documents", file=sys.stderr)
    return exits.NO_GO


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
    files = [file for folder in FOLDERS for file in (docs / folder).glob("*")]
    return {file.relative_to(docs).as_posix(): file.read_bytes() for file in files}


def write(documents: Mapping[str, bytes], docs: Path) -> None:
    """Write the documents, and remove what is none of them."""
    for name in found(docs).keys() - documents.keys():
        (docs / name).unlink()
    for name, content in documents.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
