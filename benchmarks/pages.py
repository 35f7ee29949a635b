"""Measured tables in pages that people write: each stands between two marks, where the last one stood."""

from pathlib import Path


def put(page: Path, text: str, begin: str, end: str) -> None:
    """Put a table into a page; ValueError if it has no such marks."""
    before, began, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not (began and ended):
        reason = f"{page.name} lacks {begin} or {end}"
        raise ValueError(reason)
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
