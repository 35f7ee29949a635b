"""Shards lead to a verdict if together they are the whole run, and are undecided otherwise."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ci.commands import report
from ci.support import sharding
from fixtures.core.catalogue import load_catalogue
from fixtures.results import ledger, shards
from fixtures.results.policy import decide
from fixtures.results.policy_file import load_policy
from fixtures.results.report.model import worst_verdict
from fixtures.results.shards import Shard, ShardError, ShardLedger
from suites.selfcheck.results.sample_runs import (
    COMPLETE_POLICY,
    DURATION_S,
    GOOD_TESTS,
    VERSIONS,
    make_finding,
)

OF = 4
EXPECTED = {"run": "build-7", "commit": "c0ffee", "policy": "p", "source": "s"}
SAME = {name: value for name, value in EXPECTED.items() if name != "run"} | {
    "examples": "3",
    "durations": "d",
}
WHOLE = shards.fingerprint_tests(test["test"] for test in GOOD_TESTS)

Lines = list[dict[str, Any]]
Change = Callable[[list[Lines]], object]


def cut_run() -> list[Lines]:
    """The lines of the ledgers of a complete run in several shards."""
    return [
        make_shard(number, [dict(test) for test in GOOD_TESTS[number - 1 :: OF]])
        for number in range(1, OF + 1)
    ]


def make_shard(number: int, tests: Lines) -> Lines:
    header = {
        "kind": "header",
        "run": f"r{number}",
        "seed": 5,
        "started_at": f"2026-01-01T00:00:0{number}.000Z",
        "versions": VERSIONS,
        "collected": len(tests),
        "environment": "local",
        "shard": {"number": number, "of": OF, "run": EXPECTED["run"], "same": dict(SAME)},
    }
    footer = {
        "kind": "footer",
        "run": f"r{number}",
        "tests": len(tests),
        "exit_status": 0,
        "duration_s": number,
    }
    return [header, *tests, footer | {"whole": dict(WHOLE)}]


def write_shards(folder: Path, cuts: list[Lines]) -> list[Path]:
    """The ledgers of shards, each in its own folder."""
    files = [folder / str(number) / "ledger.jsonl" for number in range(len(cuts))]
    for file, lines in zip(files, cuts, strict=True):
        file.parent.mkdir(parents=True)
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return files


def judge_shards(folder: Path, cuts: list[Lines]) -> dict[str, Any]:
    parts = [ShardLedger(file.parent.name, ledger.read_ledger(file)) for file in write_shards(folder, cuts)]
    accepted, problems = shards.select_shards(parts, EXPECTED)
    return decide(
        shards.merge_shards(accepted),
        COMPLETE_POLICY,
        load_catalogue(),
        duration_s=DURATION_S,
        gate_problems=problems,
    )


def change_shard(number: int, **members: Any) -> Change:
    return lambda cuts: cuts[number - 1][0]["shard"].update(members)


def change_same(number: int, **same: str) -> Change:
    return lambda cuts: cuts[number - 1][0]["shard"]["same"].update(same)


def change_header(number: int, **members: Any) -> Change:
    return lambda cuts: cuts[number - 1][0].update(members)


def repeat_test(cuts: list[Lines]) -> None:
    moved_test = dict(cuts[0][1])
    cuts[1].insert(1, moved_test)
    cuts[1][0]["collected"] += 1
    cuts[1][-1]["tests"] += 1


def drop_test(cuts: list[Lines]) -> None:
    del cuts[2][-2]
    cuts[2][0]["collected"] -= 1
    cuts[2][-1]["tests"] -= 1


DOUBTS: Mapping[str, tuple[Change, str]] = {
    "missing": (lambda cuts: cuts.pop(2), "shard-missing: 3 of 4"),
    "two missing": (lambda cuts: cuts.__delitem__(slice(0, 2)), "shard-missing: 1, 2 of 4"),
    "doubled": (lambda cuts: cuts.append(cuts[1]), "shard-doubled: 2/4 came 2 times"),
    "late": (change_shard(3, run="build-6"), "shard-late: shard 3/4: run is 'build-6' instead of 'build-7'"),
    "all late": (
        lambda cuts: [change_shard(number, run="build-6")(cuts) for number in range(1, OF + 1)],
        "no-shards: no shard of this run has come",
    ),
    "killed": (lambda cuts: cuts[1].pop(), "shard 2/4: ledger-without-footer"),
    "cut off": (lambda cuts: cuts[1].__delitem__(slice(1, 4)), "shard 2/4: ledger-truncated"),
    "crashed": (lambda cuts: cuts[0][-1].update(exit_status=3), "shard 1/4: suites-crashed: pytest exited 3"),
    "empty": (lambda cuts: cuts[1].clear(), "no-shard: 1: ledger-without-header"),
    "a whole run": (lambda cuts: cuts[1][0].pop("shard"), "no-shard: 1: it is the ledger of a whole run"),
    "another commit": (
        change_same(4, commit="beef"),
        "shard-strange: shard 4/4: commit is 'beef' instead of 'c0ffee'",
    ),
    "other files": (change_same(4, source="x"), "shard-strange: shard 4/4: source is 'x' instead of 's'"),
    "another policy": (change_same(4, policy="x"), "shard-strange: shard 4/4: policy is 'x' instead of 'p'"),
    "another seed": (change_header(4, seed=6), "shards-differ: seed: 5 in 1, 2, 3; 6 in 4"),
    "another environment": (
        change_header(4, environment="b"),
        "shards-differ: environment: 'local' in 1, 2, 3; 'b' in 4",
    ),
    "other versions": (change_header(4, versions={}), "shards-differ: versions: "),
    "other examples": (change_same(4, examples="9"), "shards-differ: examples: '3' in 1, 2, 3; '9' in 4"),
    "cut by other durations": (
        change_same(4, durations="x"),
        "shards-differ: durations: 'd' in 1, 2, 3; 'x' in 4",
    ),
    "a fact that one keeps to itself": (
        change_same(4, profile="deep"),
        "shards-differ: profile: None in 1, 2, 3; 'deep' in 4",
    ),
    "cut into more": (change_shard(4, of=5), "shards-differ: of: 4 in 1, 2, 3; 5 in 4"),
    "of other tests": (
        lambda cuts: cuts[3][-1].update(whole={"tests": 9, "digest": "x"}),
        "shards-differ: tests: ",
    ),
    "overlapping": (
        repeat_test,
        "shards-overlap: 1 tests ran in several shards: suites/selfcheck/test_a.py::one",
    ),
    "a test in none": (drop_test, f"shards-incomplete: {WHOLE['tests'] - 1} tests in all shards, not the "),
    "tests not counted": (
        lambda cuts: [lines[-1].pop("whole") for lines in cuts],
        "shards-incomplete: no shard says how many tests there are",
    ),
}


def test_the_shards_of_a_good_run_are_a_go_in_any_order(tmp_path: Path) -> None:
    verdict = judge_shards(tmp_path, cut_run()[::-1])
    assert (verdict["verdict"], verdict["reasons"], verdict["seed"]) == ("go", [], 5)
    assert sum(suite["tests"] for suite in verdict["suites"].values()) == len(GOOD_TESTS)


@pytest.mark.parametrize(("change", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_shards_that_are_not_the_run_are_undecided_and_say_why(
    tmp_path: Path, change: Change, reason: str
) -> None:
    cuts = cut_run()
    change(cuts)
    verdict = judge_shards(tmp_path, cuts)
    assert verdict["verdict"] == "undecided"
    assert [text for text in verdict["reasons"] if text.startswith(reason)], verdict["reasons"]


@pytest.mark.parametrize("doubt", ["missing", "doubled", "killed", "another seed"])
def test_a_finding_is_no_go_whatever_else_is_amiss(tmp_path: Path, doubt: str) -> None:
    cuts = cut_run()
    cuts[3][1].update(result="failed", findings=[make_finding()])
    DOUBTS[doubt][0](cuts)
    verdict = judge_shards(tmp_path, cuts)
    assert verdict["verdict"] == "no-go"
    assert len(verdict["reasons"]) > 1


def test_a_finding_of_another_run_is_none_of_this_one(tmp_path: Path) -> None:
    cuts = cut_run()
    cuts[3][1].update(result="failed", findings=[make_finding()])
    change_shard(4, run="build-6")(cuts)
    verdict = judge_shards(tmp_path, cuts)
    assert (verdict["verdict"], verdict["findings"]) == ("undecided", [])


@pytest.mark.parametrize("first", [0, 1], ids=["failed first", "failed again"])
def test_of_a_shard_that_came_twice_no_failure_is_lost(tmp_path: Path, first: int) -> None:
    cuts = cut_run()
    second_cut = json.loads(json.dumps(cuts[1]))
    second_cut[2].update(result="failed", findings=[make_finding()])
    cuts.insert(first * OF, second_cut)
    assert judge_shards(tmp_path, cuts)["verdict"] == "no-go"


def test_the_tests_of_all_shards_lie_on_one_clock_and_say_which_machine_ran_them(tmp_path: Path) -> None:
    cuts = cut_run()
    for lines in cuts:
        lines[1].update(started_s=0.5, worker="gw0")
    files = write_shards(tmp_path, cuts)
    merged_ledger = shards.merge_shards([ShardLedger(str(file), ledger.read_ledger(file)) for file in files])
    timed = {line["worker"]: line["started_s"] for line in merged_ledger.tests if "worker" in line}
    assert timed == {"1/gw0": 0.5, "2/gw0": 1.5, "3/gw0": 2.5, "4/gw0": 3.5}
    assert (merged_ledger.header["run"], merged_ledger.header["collected"]) == ("build-7", len(GOOD_TESTS))
    assert merged_ledger.duration_s == OF


def test_the_report_takes_shards_for_shards(tmp_path: Path) -> None:
    files = write_shards(tmp_path, cut_run())
    assert "shard-missing: 4 of 4" in report.read_runs(files[:3], load_policy())[0].verdict["reasons"]
    single = report.read_runs(files[:1], load_policy())
    assert worst_verdict(single) == "undecided"
    assert "shard-missing: 2, 3, 4 of 4" in single[0].verdict["reasons"]
    text = report.read_runs(files, load_policy())[0].verdict["reasons"]
    assert not [reason for reason in text if reason.startswith("shard")]


def test_the_report_mixes_no_shards_of_two_runs(tmp_path: Path) -> None:
    cuts = cut_run()
    change_shard(3, run="build-6")(cuts)
    text = report.read_runs(write_shards(tmp_path, cuts), load_policy())[0].verdict["reasons"]
    assert "shards-differ: run: 'build-7' in 1, 2, 4; 'build-6' in 3" in text


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "1/", "a/b", "-1/4", "1/4/4", "1/99999", "1 /4"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ShardError, match="a shard is written as 3/16"):
        shards.parse_shard(text)


def test_a_shard_is_written_as_it_is_read() -> None:
    assert shards.parse_shard("3/16") == Shard(3, 16)
    assert str(Shard(3, 16)) == "3/16"


# --- durations


@pytest.mark.parametrize(
    "text", ["[]", '{"a": "1"}', '{"a": 0}', '{"a": true}', "{", "[" * 100_000, '{"a": -1}']
)
def test_durations_that_are_none_are_not_cut_by(tmp_path: Path, text: str) -> None:
    (tmp_path / "durations.json").write_text(text, encoding="utf-8")
    assert sharding.read_durations(tmp_path / "durations.json") is None


def test_the_durations_of_a_whole_run_are_kept_and_of_a_broken_one_not(tmp_path: Path) -> None:
    file = tmp_path / "history" / "durations.json"
    files = write_shards(tmp_path, cut_run())
    merged_ledger = shards.merge_shards(
        [ShardLedger(str(path), ledger.read_ledger(path)) for path in files[:3]]
    )
    sharding.write_durations(file, merged_ledger)
    assert sharding.read_durations(file) == {}
    merged_ledger = shards.merge_shards([ShardLedger(str(path), ledger.read_ledger(path)) for path in files])
    sharding.write_durations(file, merged_ledger)
    assert sharding.read_durations(file) == {test["test"]: 0.1 for test in GOOD_TESTS}
