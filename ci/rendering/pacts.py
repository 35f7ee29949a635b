"""Render pacts/ from what the consumers declare: the pact files, and the table of pairs in its README."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from fixtures.contracts.pact.consumer_tests import write_pacts
from fixtures.contracts.pact.model import PactError, pact_path
from fixtures.core.topology import EDGES, VERSIONS

README = "README.md"
TABLE = re.compile(r"(<!-- pairs -->\n).*?(<!-- end of pairs -->)", re.DOTALL)
RESTORE_README = "git checkout pacts/README.md"


def render_pacts(folder: Path) -> dict[str, str]:
    """Every pact, by its path under `folder`, and the README of `folder` with a new table."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-pacts-") as name:
        empty = Path(name)
        texts = {
            path.relative_to(empty).as_posix(): path.read_text(encoding="utf-8")
            for path in write_pacts(empty)
        }
        table = _render_table(empty)
    return {**texts, README: _insert_table(folder / README, table)}


def _render_table(folder: Path) -> str:
    lines = [
        "| consumer | provider | by | consumer version | file | interactions |",
        "|---|---|---|---|---|---:|",
    ]
    for edge in EDGES:
        for version in VERSIONS:
            path = pact_path(edge, version, folder)
            count = len(json.loads(path.read_text(encoding="utf-8"))["interactions"])
            name = path.relative_to(folder).as_posix()
            ends = f"{edge.consumer} | {edge.provider} | {edge.kind}"
            lines.append(f"| {ends} | {version} | [{name}]({name}) | {count} |")
    return "\n".join(lines) + "\n"


def _insert_table(readme: Path, table: str) -> str:
    """The text of the README with the table between its marks. Raises PactError if it has no marks."""
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise PactError("readme-missing", str(readme), str(error.strerror), RESTORE_README) from error
    if not TABLE.search(text):
        problem = "it has no <!-- pairs --> and <!-- end of pairs -->"
        raise PactError("readme-unmarked", str(readme), problem, RESTORE_README)
    return TABLE.sub(lambda match: match[1] + table + match[2], text)
