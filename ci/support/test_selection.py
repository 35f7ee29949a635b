"""Which tests the gate runs: those of `suites/` that are not marked as somebody else's matter."""

from __future__ import annotations

import re
from pathlib import Path

from fixtures.core.project import ROOT

OTHERS = ("process", "aside", "nightly")
"""The marks of tests that the gate does not run; pyproject.toml says what they are."""

WHOLE_FILE = re.compile(rf"^pytestmark = .*\bpytest\.mark\.({'|'.join(OTHERS)})\b", re.MULTILINE)


def arguments(root: Path = ROOT) -> list[str]:
    """How pytest is told; a file that is marked as a whole is not even imported, which is half of a start."""
    files = sorted((root / "suites").rglob("test_*.py"))
    spared = [file for file in files if WHOLE_FILE.search(file.read_text(encoding="utf-8"))]
    marks = " and ".join(f"not {mark}" for mark in OTHERS)
    return ["suites", "-m", marks, *(f"--ignore={file.relative_to(root)}" for file in spared)]
