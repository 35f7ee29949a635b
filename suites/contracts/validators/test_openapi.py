"""The OpenAPI documents pass the default rules of Spectral and, but for one, Redocly without a warning."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.contracts.api_docs import openapi
from fixtures.contracts.api_docs.interfaces import INTERFACES

pytestmark = [pytest.mark.nightly, pytest.mark.process, pytest.mark.usefixtures("validators")]

PROGRAMS = Path(__file__).parent / "node/node_modules/.bin"
# GET /_pact/version takes nothing that it could refuse, and we document no answer that is never given.
REFUSES_NOTHING = ("--skip-rule", "operation-4xx-response")
LINTERS: dict[str, Sequence[str]] = {
    "spectral": ("lint", "--quiet", "--fail-severity", "warn", "--ruleset", "ruleset.json"),
    "redocly": ("lint", "--extends", "recommended", "--max-problems", "3", *REFUSES_NOTHING),
}


def lint(linter: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Lint the documents in a folder."""
    (folder / "ruleset.json").write_text('{"extends": ["spectral:oas"]}', encoding="utf-8")
    files = [file.name for file in folder.glob("*.openapi.json")]
    return subprocess.run(  # noqa: S603  the programs of our lock
        [str(PROGRAMS / linter), *LINTERS[linter], *files],
        cwd=folder,
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


@pytest.mark.parametrize("linter", LINTERS)
def test_the_documents_pass_and_a_wrong_one_does_not(tmp_path: Path, linter: str) -> None:
    for service in INTERFACES:
        text = json.dumps(openapi.make_document(service))
        (tmp_path / f"{service}.openapi.json").write_text(text, encoding="utf-8")
    result = lint(linter, tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Warning was generated" not in result.stdout, result.stdout
    untitled = openapi.make_document("events-proxy")
    del untitled["info"]["title"]
    (tmp_path / "events-proxy.openapi.json").write_text(json.dumps(untitled), encoding="utf-8")
    assert lint(linter, tmp_path).returncode != 0
