"""A merge reads what each shard's gate says beside its tests, and no earlier result outlives a wrong call."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ci.commands import report
from ci.support import verdict_output
from ci.support.exit_codes import ExitCode
from ci.support.sharding import ONE_SHARD
from fixtures.core.catalogue import load_catalogue
from fixtures.core.project import ROOT
from fixtures.results import ledger, policy, policy_file
from fixtures.results.report import wording
from fixtures.results.shards import ShardLedger
from suites.selfcheck.fail_closed.sandbox import find_stale_files, read_verdict, write_earlier_go
from suites.selfcheck.results.sample_runs import good_run, judge, make_finding
from suites.selfcheck.results.test_shards import cut_run, write_shards

ALONE = f"{ONE_SHARD}: 1/4 of run build-7 decides nothing alone"
CLOCK_SET = "clock-set: this machine's clock went +3600 s off"


def shard_with_verdict(folder: Path, problems: tuple[str, ...], **changes: Any) -> ShardLedger:
    """The first shard of a run, with a finding of a test, and the verdict of its gate beside the ledger."""
    cuts = cut_run()
    cuts[0][1].update(result="failed", findings=[make_finding()])
    file = write_shards(folder, cuts)[0]
    record = ledger.read_ledger(file)
    catalogue, nothing = load_catalogue(), policy_file.NO_REQUIREMENTS
    verdict = policy.decide(record, nothing, catalogue, duration_s=1, gate_problems=problems)
    verdict |= {name: [*verdict[name], *rows] for name, rows in changes.items()}
    file.with_name("verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    return ShardLedger(str(file), record)


def test_what_only_the_gate_of_a_shard_doubts_is_read(tmp_path: Path) -> None:
    shard = shard_with_verdict(tmp_path, (ALONE, CLOCK_SET))
    assert report.read_gate_results([shard], policy_file.load_policy()) == ([], [f"shard 1/4: {CLOCK_SET}"])


def test_what_only_the_gates_of_shards_find_is_read_once(tmp_path: Path) -> None:
    title = "is not verified"
    reasons = [f"subscribers-errors: {title}"]
    shards = [
        shard_with_verdict(tmp_path / name, (ALONE,), findings=[make_finding(title)], reasons=reasons)
        for name in ("a", "b")
    ]
    findings, doubts = report.read_gate_results(shards, policy_file.load_policy())
    assert ([finding.title for finding in findings], doubts) == ([title], [])


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (f"shard 1/4: {CLOCK_SET}", "The clock of this machine was set during the run. Run again."),
        ("broken: unobservable-target: one: two: three", wording.ADVICE["unobservable-target"]),
        ("broken: KeyError: 'one'", wording.ADVICE["broken"]),
        (ALONE, wording.ADVICE[ONE_SHARD]),
        ("denied-target: 'https://one': it is denied", wording.DEFAULT_ADVICE),
    ],
)
def test_the_last_slug_of_a_reason_says_what_to_do(reason: str, advice: str) -> None:
    assert wording.give_advice(reason) == advice


def test_an_undecided_run_says_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict_output.print_judged(judge(tmp_path, good_run()[:-1])) == ExitCode.UNDECIDED
    assert f"\n  next: {wording.ADVICE['ledger-without-footer']}\n" in capsys.readouterr().out


@pytest.mark.parametrize("verdict", [None, {"run": "another"}])
def test_a_shard_without_the_verdict_of_its_gate_is_a_doubt(tmp_path: Path, verdict: Any) -> None:
    shard = shard_with_verdict(tmp_path, (ALONE,))
    file = Path(shard.location).with_name("verdict.json")
    file.unlink() if verdict is None else file.write_text(json.dumps(verdict), encoding="utf-8")
    findings, (doubt,) = report.read_gate_results([shard], policy_file.load_policy())
    assert findings == []
    assert doubt.startswith(f"ledger-of-no-gate: {shard.location}: ")


@pytest.mark.process
@pytest.mark.parametrize(("command", "stale"), [("gate", set()), ("merge", {"ledger.jsonl", "answer.json"})])
def test_a_wrong_call_leaves_no_earlier_go(tmp_path: Path, command: str, stale: set[str]) -> None:
    build = tmp_path / "build"
    write_earlier_go(build)
    call = [str(ROOT / "ci" / command), "--fast", "--build", "build/"]
    assert subprocess.run(call, cwd=tmp_path, check=False).returncode == 64  # noqa: S603  our own
    verdict = read_verdict(build)
    assert verdict is not None
    assert verdict["reasons"][0].startswith("has-not-ended: ")
    # These may be a shard that the call of a merge names.
    assert {Path(file).name for file in find_stale_files(build)} == stale
