"""A *go* of references alone says so, and a release demands deployments."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ci.support.verdict_output import print_judged
from fixtures.core.catalogue import load_catalogue
from fixtures.core.errors import UserError
from fixtures.core.topology import PROVIDERS
from fixtures.results import ledger, policy, policy_file
from fixtures.results.report.headline import format_headline, name_verdict
from suites.selfcheck.results.sample_reports import build_run, no_go_run
from suites.selfcheck.results.sample_runs import COMPLETE_POLICY, VERSIONS, change_line, good_run, judge


def deploy(*names: str) -> dict[str, dict[str, str]]:
    """The versions of a run in which these services were deployments."""
    deployed = {"version": "9.9", "target": "https://push.example"}
    return {name: deployed if name in names else row for name, row in VERSIONS.items()}


def judge_for_release(folder: Path, *deployed: str) -> list[str]:
    lines = good_run()
    change_line(0, versions=deploy(*deployed))(lines)
    judge(folder, lines)
    required = replace(COMPLETE_POLICY, deployments=policy_file.load_policy(for_release=True).deployments)
    record = ledger.read_ledger(folder / "ledger.jsonl")
    verdict = policy.decide(record, required, load_catalogue(), duration_s=1)
    assert verdict["verdict"] == ("undecided" if verdict["reasons"] else "go")
    return [reason.partition(";")[0] for reason in verdict["reasons"]]


def test_a_release_needs_a_deployment_of_each_service_that_the_policy_names(tmp_path: Path) -> None:
    assert judge_for_release(tmp_path, *PROVIDERS) == []
    (reason,) = judge_for_release(tmp_path, "subscribers-errors")
    missing = "directory-events-api, directory-responses"
    assert reason == f"references-only: {missing}: no deployment was judged, and a release demands one"
    (reason,) = judge_for_release(tmp_path)
    assert reason.startswith(f"references-only: {missing}, subscribers-errors: ")
    assert policy_file.load_policy().deployments == frozenset(), "only a release demands them"


def test_a_policy_that_names_no_service_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    text = policy_file.POLICY_FILE.read_text(encoding="utf-8")
    file.write_text(text.replace('["directory-events-api"', '["directory-event-api"'), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"bad-policy: .*release_deployments: unknown service 'directory-event-api': allowed"
    ):
        policy_file.load_policy(file)


def test_a_go_of_references_says_so_in_its_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = build_run(tmp_path, good_run())
    assert format_headline([run]).startswith("GO, references only: ")
    print_judged(run.verdict)
    assert "=== GO, references only ===" in capsys.readouterr().out
    assert json.loads(json.dumps(run.verdict))["references_only"] is True


def test_no_other_verdict_says_so(tmp_path: Path) -> None:
    lines = good_run()
    change_line(0, versions=deploy("subscribers-errors"))(lines)
    run = build_run(tmp_path, lines)
    assert (name_verdict([run]), run.verdict["references_only"]) == ("GO", False)
    assert name_verdict([no_go_run(tmp_path)]) == "NO GO"
