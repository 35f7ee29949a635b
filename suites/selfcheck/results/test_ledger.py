"""A ledger with anything missing, doubled or cut off says so, and never leads to go."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.results import ledger
from suites.selfcheck.results.sample_runs import (
    GOOD_TESTS,
    NAME,
    Change,
    change_line,
    find_weakness,
    good_run,
    read_verdict,
    remove_line,
)


def cut_last_line(lines: list[Any]) -> None:
    """Half of the last line is missing."""
    lines[-1] = json.dumps(lines[-1])[:40]


def cut_among_tests(lines: list[Any]) -> None:
    """The run was killed while it wrote a test."""
    lines[50:] = [json.dumps(lines[50])[:40]]


def append_line(line: Any, position: int = 2) -> Change:
    return lambda lines: lines.insert(position, line)


def repeat_test(lines: list[Any]) -> None:
    """A test is recorded and counted twice."""
    lines.insert(2, lines[1])
    lines[-1]["tests"] += 1


def run_with(*processes: Mapping[str, Any]) -> Change:
    """The gate asked two workers for a seed, and these options are those of its processes."""

    def change(lines: list[Any]) -> None:
        lines[0]["requested"] = {"--seed": 1, "-n": 2}
        lines[-1]["processes"] = list(processes)

    return change


DOUBTS: Mapping[str, tuple[Change, str]] = {
    "no header": (remove_line(0), "ledger-without-header: 0 headers instead of one"),
    "two headers": (append_line(good_run()[0]), "ledger-without-header: 2 headers instead of one"),
    "no footer": (remove_line(-1), "ledger-without-footer: the run did not come to its end"),
    "two footers": (append_line(good_run()[-1]), "ledger-without-footer: the run did not come to its end"),
    "truncated last line": (cut_last_line, f"ledger-truncated: line {len(good_run())} is no ledger line: "),
    "truncated among the tests": (cut_among_tests, "ledger-truncated: line 51 is no ledger line: "),
    "garbage": (append_line("killed"), "ledger-truncated: line 3 is no ledger line: Expecting value"),
    "deep garbage": (append_line("[" * 100_000), "ledger-truncated: line 3 is no ledger line: "),
    "an empty line": (append_line(""), "ledger-truncated: line 3 is no ledger line: "),
    "a line of no kind": (append_line({"kind": "note"}), "ledger-truncated: line 3 is no ledger line: "),
    "a result of no kind": (change_line(1, result="ok"), "ledger-truncated: line 2 is no ledger line: "),
    "twins": (repeat_test, f"ledger-twins: {NAME} is recorded more than once"),
    "options of no process": (run_with(), "options-unknown: the footer does not say what ran"),
    "another number of workers": (
        run_with({"--seed": 1, "-n": 1}, {"--seed": 1}),
        "other-options: -n: the gate asked for 2, and the run had 1",
    ),
    "an option that was not asked for": (
        run_with({"--seed": 1, "-n": 2, "-k": "v1"}, {"--seed": 1}),
        "other-options: -k: the gate asked for nothing, and the run had v1",
    ),
    "an option that a worker has lost": (
        run_with({"--seed": 1, "-n": 2}, {"--seed": 1}, {}),
        "other-options: --seed: the gate asked for 1, and the run had nothing",
    ),
    "footer of another run": (
        change_line(-1, run="r2"),
        "ledger-mixed: header and footer are of different runs",
    ),
    "too many counted": (
        change_line(-1, tests=len(GOOD_TESTS) + 1),
        f"ledger-truncated: {len(GOOD_TESTS)} tests recorded, the footer counts {len(GOOD_TESTS) + 1}",
    ),
    "too few counted": (
        change_line(-1, tests=len(GOOD_TESTS) - 1),
        f"ledger-truncated: {len(GOOD_TESTS)} tests recorded, the footer counts {len(GOOD_TESTS) - 1}",
    ),
    "vanished tests": (
        change_line(0, collected=len(GOOD_TESTS) + 2),
        f"tests-vanished: 2 of {len(GOOD_TESTS) + 2} collected tests have no result",
    ),
}


@pytest.mark.parametrize(("change", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_a_doubt_is_undecided_and_a_finding_beside_it_no_go(
    tmp_path: Path, change: Change, reason: str
) -> None:
    assert find_weakness(tmp_path, change, reason) == ""


def test_no_file_is_undecided(tmp_path: Path) -> None:
    verdict = read_verdict(tmp_path / "ledger.jsonl")
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
    verdict = read_verdict(tmp_path / "ledger.jsonl")
    assert (verdict["verdict"], verdict["findings"]) == ("undecided", [])
    assert verdict["reasons"][0].startswith(reason)


def test_a_writer_takes_only_lines(tmp_path: Path) -> None:
    writer = ledger.LedgerWriter(tmp_path / "new" / "ledger.jsonl")
    for line in good_run():
        writer.write(line)
    with pytest.raises(schemas.SchemaViolation):
        writer.write({"kind": "test", "test": "x"})
    writer.close()
    read = ledger.read_ledger(tmp_path / "new" / "ledger.jsonl")
    assert (read.problems, writer.tests, list(read.tests)) == ((), len(GOOD_TESTS), GOOD_TESTS)


def test_lines_are_compact_and_there_as_soon_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "and newer" / "ledger.jsonl"
    writer = ledger.LedgerWriter(path)
    writer.write(good_run()[1])
    assert path.read_text(encoding="utf-8") == json.dumps(good_run()[1], separators=(",", ":")) + "\n"
    writer.close()


@pytest.mark.parametrize(
    ("exit_status", "problems"),
    [(status, ()) for status in (0, 1, 5)]
    + [(status, (f"suites-crashed: pytest exited {status}",)) for status in (2, 3, 4, 6)],
)
def test_a_run_has_come_to_its_end_or_it_crashed(
    tmp_path: Path, exit_status: int, problems: tuple[str, ...]
) -> None:
    assert read_changed(tmp_path, change_line(-1, exit_status=exit_status)).problems == problems


def read_changed(folder: Path, change: Change = lambda _: None) -> ledger.Ledger:
    """The ledger of a good run with one change, as read."""
    lines = good_run()
    change(lines)
    path = folder / "ledger.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    return ledger.read_ledger(path)


def test_what_a_line_is_not_is_said_in_at_most_200_characters(tmp_path: Path) -> None:
    problem, *_ = read_changed(tmp_path, change_line(1, result="o" * 999)).problems
    assert len(problem) == len("ledger-truncated: line 2 is no ledger line: ") + 200


def test_a_run_that_names_no_environment_is_local(tmp_path: Path) -> None:
    assert read_changed(tmp_path).environment == "local"
    assert read_changed(tmp_path, change_line(0, environment="staging")).environment == "staging"
    assert ledger.Ledger({}, (), ()).environment == "local"


def test_the_end_of_a_run_says_how_long_it_took_and_of_what_it_is_a_shard(tmp_path: Path) -> None:
    all_tests = {"tests": 9, "digest": "0" * 16}
    record = read_changed(tmp_path, change_line(-1, duration_s=2.5, whole=all_tests))
    assert (record.duration_s, record.all_tests) == (2.5, all_tests)
    for unended in (read_changed(tmp_path, remove_line(-1)), ledger.Ledger({}, (), ())):
        assert (unended.duration_s, unended.all_tests) == (0.0, None)


def test_tests_without_a_header_have_not_vanished(tmp_path: Path) -> None:
    def only_the_end(lines: list[Any]) -> None:
        lines[:] = [{**lines[-1], "tests": 0}]

    assert not [problem for problem in read_changed(tmp_path, only_the_end).problems if "vanished" in problem]


# --- shards as one ledger

ONE, OTHER, THIRD = ({"kind": "test", "test": f"test {letter}", "reports": 2} for letter in "abc")
HEADER = {"run": "r1", "versions": {"subscribers-errors": "1"}, "collected": 2}


def test_shards_are_one_ledger_with_what_each_has(tmp_path: Path) -> None:
    first = ledger.Ledger(HEADER, [ONE, OTHER], ("cut", "late"), 1.5)
    second = ledger.Ledger({**HEADER, "run": "r2", "collected": 1}, [THIRD], ("late", "odd"), 2.0)
    both = ledger.merge_ledgers([first, second])
    assert both.header == {**HEADER, "collected": 3}
    assert both.tests == [ONE, OTHER, THIRD]
    assert both.problems == ("cut", "late", "odd")
    assert (both.duration_s, both.report_count, both.all_tests) == (3.5, 6, None)
    single = read_changed(tmp_path)
    assert ledger.merge_ledgers([single]) == single


def test_shards_of_other_versions_prove_nothing_together() -> None:
    first = ledger.Ledger(HEADER, [ONE], ())
    other = ledger.Ledger({**HEADER, "versions": {"subscribers-errors": "2"}}, [OTHER], ())
    mixed = ("ledger-mixed: the shards tested different versions",)
    assert ledger.merge_ledgers([first, other]).problems == mixed
    assert ledger.merge_ledgers([first, ledger.Ledger({}, [OTHER], ())]).problems == mixed
    assert ledger.merge_ledgers([first, ledger.Ledger(HEADER, [OTHER], ())]).problems == ()


def test_a_shard_without_a_header_counts_what_it_recorded() -> None:
    headless = ledger.Ledger({}, [ONE], ())
    assert ledger.merge_ledgers([headless, headless]).header == {}
    assert ledger.merge_ledgers([ledger.Ledger(HEADER, [OTHER], ()), headless]).header == HEADER


def test_the_first_three_tests_that_two_shards_ran_are_named() -> None:
    tests = [{"kind": "test", "test": f"test {letter}", "reports": 0} for letter in "abcd"]
    assert ledger.merge_ledgers([ledger.Ledger(HEADER, [*tests, *tests], ())]).problems == ()
    assert ledger.merge_ledgers(
        [ledger.Ledger(HEADER, tests, ("cut",)), ledger.Ledger(HEADER, tests, ())]
    ).problems == ("cut", *(f"ledger-twins: test {letter} is recorded more than once" for letter in "abc"))
