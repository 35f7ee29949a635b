"""A ledger is read whole or not at all: whatever is missing, doubled or cut off is said, and never go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures import ledger, schemas
from suites.selfcheck.runs import (
    GOOD_TESTS,
    NAME,
    Change,
    at,
    doubted,
    good_run,
    verdict_of,
    without,
)


def cut(lines: list[Any]) -> None:
    """The last line is only half written."""
    lines[-1] = json.dumps(lines[-1])[:40]


def cut_among_tests(lines: list[Any]) -> None:
    """The run was killed while it wrote about a test."""
    lines[50:] = [json.dumps(lines[50])[:40]]


def with_line(line: Any, position: int = 2) -> Change:
    """One line more."""
    return lambda lines: lines.insert(position, line)


def twin(lines: list[Any]) -> None:
    """A test is recorded twice, and counted twice."""
    lines.insert(2, lines[1])
    lines[-1]["tests"] += 1


DOUBTS: Mapping[str, tuple[Change, str]] = {
    "no header": (without(0), "ledger-without-header: 0 headers instead of one"),
    "two headers": (with_line(good_run()[0]), "ledger-without-header: 2 headers instead of one"),
    "no footer": (without(-1), "ledger-without-footer: the run did not come to its end"),
    "two footers": (with_line(good_run()[-1]), "ledger-without-footer: the run did not come to its end"),
    "truncated last line": (cut, f"ledger-truncated: line {len(good_run())} is no ledger line: "),
    "truncated among the tests": (cut_among_tests, "ledger-truncated: line 51 is no ledger line: "),
    "garbage": (with_line("killed"), "ledger-truncated: line 3 is no ledger line: Expecting value"),
    "deep garbage": (with_line("[" * 100_000), "ledger-truncated: line 3 is no ledger line: "),
    "an empty line": (with_line(""), "ledger-truncated: line 3 is no ledger line: "),
    "a line of no kind": (with_line({"kind": "note"}), "ledger-truncated: line 3 is no ledger line: "),
    "a result of no kind": (at(1, result="ok"), "ledger-truncated: line 2 is no ledger line: "),
    "twins": (twin, f"ledger-twins: {NAME} is recorded more than once"),
    "footer of another run": (at(-1, run="r2"), "ledger-mixed: header and footer are of different runs"),
    "too many counted": (
        at(-1, tests=len(GOOD_TESTS) + 1),
        f"ledger-truncated: {len(GOOD_TESTS)} tests recorded, the footer counts {len(GOOD_TESTS) + 1}",
    ),
    "too few counted": (
        at(-1, tests=len(GOOD_TESTS) - 1),
        f"ledger-truncated: {len(GOOD_TESTS)} tests recorded, the footer counts {len(GOOD_TESTS) - 1}",
    ),
    "vanished tests": (
        at(0, collected=len(GOOD_TESTS) + 2),
        f"tests-vanished: 2 of {len(GOOD_TESTS) + 2} collected tests have no result",
    ),
}


@pytest.mark.parametrize(("change", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_a_doubt_is_undecided_and_a_finding_beside_it_no_go(
    tmp_path: Path, change: Change, reason: str
) -> None:
    assert doubted(tmp_path, change, reason) == ""


def test_no_file_is_undecided(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path / "ledger.jsonl")
    assert verdict["verdict"] == "undecided"
    assert verdict["reasons"][0].startswith("ledger-missing: ledger.jsonl: ")
    assert "No such file" in verdict["reasons"][0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe", "ledger-"), (b"", "ledger-without-header: 0 headers instead of one")],
    ids=["not UTF-8", "nothing"],
)
def test_a_file_that_is_no_ledger_is_undecided(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "ledger.jsonl").write_bytes(content)
    verdict = verdict_of(tmp_path / "ledger.jsonl")
    assert (verdict["verdict"], verdict["findings"]) == ("undecided", [])
    assert verdict["reasons"][0].startswith(reason)


def test_a_writer_takes_only_lines(tmp_path: Path) -> None:
    writer = ledger.Writer(tmp_path / "new" / "ledger.jsonl")
    for line in good_run():
        writer.write(line)
    with pytest.raises(schemas.Invalid):
        writer.write({"kind": "test", "test": "x"})
    writer.close()
    read = ledger.read(tmp_path / "new" / "ledger.jsonl")
    assert (read.problems, writer.tests, list(read.tests)) == ((), len(GOOD_TESTS), GOOD_TESTS)
