"""A waived finding makes no no-go until its day has passed; a wrong waiver makes the run undecided."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.errors import UserError
from fixtures.core.findings import Finding
from fixtures.results import ledger, policy, waivers
from suites.selfcheck.results import sample_runs
from suites.selfcheck.results.sample_reports import WAIVED_CASE, WAIVED_ID, add_waived
from suites.selfcheck.results.sample_runs import COMPLETE_POLICY, change_line, good_run, judge
from suites.selfcheck.results.test_shards import cut_run, judge_shards

TODAY = date(2026, 11, 30)
ROW = {"id": WAIVED_ID, "reason": "the old client wants it", "who": "the push team", "until": "2026-12-31"}
PROMISE_ID = "subscribers-errors/effects.subscriber/v1-UNREGISTERED/dead-users-kept"
PROMISE = {**sample_runs.make_finding(), "id": PROMISE_ID}
FINDING = {**PROMISE, "id": WAIVED_ID, "rank": "contract", "rule": "answers.status"}


def write_waivers(folder: Path, *rows: str) -> Path:
    file = folder / "waivers.toml"
    file.write_text("".join(f"[[waiver]]\n{row}\n" for row in rows), encoding="utf-8")
    return file


def describe(**members: str) -> str:
    """A row of the file with these members in place of those of ROW; an empty one is left out."""
    row = {**ROW, **members}
    texts = {name: f'"{value}"' if name != "until" else value for name, value in row.items() if value}
    return "\n".join(f"{name} = {text}" for name, text in texts.items())


def test_a_run_with_a_waived_finding_is_go_and_counts_it(tmp_path: Path) -> None:
    verdict = judge(tmp_path, add_waived(good_run()))
    assert (verdict["verdict"], verdict["reasons"], verdict["findings"]) == ("go", [], [])
    assert [row["id"] for row in verdict["waived"]] == [WAIVED_ID]
    assert verdict["cases"]["subscribers-errors"][WAIVED_CASE.id] == "waived"


def test_a_finding_that_is_not_waived_is_still_a_no_go(tmp_path: Path) -> None:
    lines = add_waived(good_run())
    change_line(1, result="failed", findings=[PROMISE])(lines)
    assert judge(tmp_path, lines)["verdict"] == "no-go"


@pytest.mark.parametrize("until", ["2026-11-30", '"2026-11-30"'], ids=["a date", "a text"])
def test_a_waiver_counts_on_its_last_day(tmp_path: Path, until: str) -> None:
    (row,) = waivers.read_waivers(write_waivers(tmp_path, describe(until=until)), TODAY)
    assert row == {**ROW, "until": "2026-11-30"}
    assert waivers.mark_waived(FINDING, [row], [])["waived"]["who"] == "the push team"


@pytest.mark.parametrize(
    ("members", "slug"),
    [
        (
            {"until": "2026-11-29"},
            "waiver-expired: {} until 2026-11-29 by the push team: today is 2026-11-30",
        ),
        ({"reason": ""}, "waiver-without-reason: {} until 2026-12-31 by the push team"),
        ({"reason": "  "}, "waiver-without-reason: {} until 2026-12-31 by the push team"),
    ],
    ids=["expired", "no reason", "an empty reason"],
)
def test_a_waiver_that_does_not_count_is_a_doubt_with_its_day_and_the_next_command(
    tmp_path: Path, members: dict[str, str], slug: str
) -> None:
    (row,) = waivers.read_waivers(write_waivers(tmp_path, describe(**members)), TODAY)
    assert "waived" not in waivers.mark_waived(FINDING, [row], [])
    lines = good_run()
    change_line(0, waivers=[row])(lines)
    verdict = judge(tmp_path, lines)
    assert verdict["verdict"] == "undecided"
    assert verdict["reasons"][0].startswith(slug.format(WAIVED_ID))
    assert verdict["reasons"][0].endswith("then ./ci/gate")


def test_a_waiver_that_matches_nothing_is_a_doubt_of_a_whole_run_only(tmp_path: Path) -> None:
    lines = good_run()
    change_line(0, waivers=[ROW])(lines)
    (reason,) = judge(tmp_path, lines)["reasons"]
    assert reason.startswith(f"waiver-without-finding: {WAIVED_ID} until 2026-12-31 by the push team: ")
    change_line(0, shard={"number": 1, "of": 2, "run": "r", "same": {}})(lines)
    assert judge(tmp_path, lines)["reasons"] == []


@pytest.mark.parametrize("named", [True, False])
def test_a_promise_is_waived_only_if_the_policy_names_its_case(tmp_path: Path, named: bool) -> None:  # noqa: FBT001
    row = {**ROW, "id": PROMISE_ID}
    marked = waivers.mark_waived(PROMISE, [row], ["v1-UNREGISTERED"] if named else ["v1-delivered"])
    assert ("waived" in marked) is named
    lines = good_run()
    change_line(0, waivers=[row])(lines)
    members = (
        {"result": "waived", "waived": [marked]} if named else {"result": "failed", "findings": [marked]}
    )
    change_line(1, **members)(lines)
    verdict = judge(tmp_path, lines)
    assert verdict["verdict"] == ("go" if named else "no-go")
    doubts = [
        reason
        for reason in verdict["reasons"]
        if reason.startswith(f"waiver-of-promise: {PROMISE_ID} until ")
    ]
    assert len(doubts) == (not named)


def test_a_promise_whose_id_names_no_case_is_never_waived() -> None:
    finding = {**PROMISE, "id": "subscribers-errors/redelivery.effect/dead-users-kept"}
    marked = waivers.mark_waived(finding, [{**ROW, "id": finding["id"]}], ["v1-UNREGISTERED"])
    assert "waived" not in marked


@pytest.mark.parametrize("waived", [True, False])
def test_what_the_gate_itself_finds_can_be_waived(tmp_path: Path, waived: bool) -> None:  # noqa: FBT001
    members: dict[str, Any] = {"about": "go-sender", "title": "t", "sent": "s", "expected": "e", "got": "g"}
    finding = Finding(rule="can-i-deploy.pair", provider="events-proxy", **members)
    row = {**ROW, "id": finding.make_id(None) if waived else "a/b"}
    assert finding.make_id(None) == "events-proxy/can-i-deploy.pair/go-sender/contract-drift"
    lines = good_run()
    change_line(0, waivers=[row])(lines)
    judge(tmp_path, lines)
    record = ledger.read_ledger(tmp_path / "ledger.jsonl")
    verdict = policy.decide(
        record, COMPLETE_POLICY, load_catalogue(), duration_s=1, gate_findings=[replace(finding)]
    )
    assert verdict["verdict"] == ("go" if waived else "no-go")


@pytest.mark.parametrize(
    ("is_found", "reasons"),
    [
        (True, []),
        (False, [f"waiver-without-finding: {WAIVED_ID} until 2026-12-31 by the push team"]),
    ],
)
def test_shards_are_judged_together_with_the_waivers_of_their_ledgers(
    tmp_path: Path,
    is_found: bool,  # noqa: FBT001
    reasons: list[str],
) -> None:
    cuts = cut_run()
    for lines in cuts:
        lines[0]["waivers"] = [ROW]
    if is_found:
        cuts[2][5] |= {"result": "waived", "waived": [waivers.mark_waived(FINDING, [ROW], [])]}
    verdict = judge_shards(tmp_path, cuts)
    assert [reason.partition(": no finding")[0] for reason in verdict["reasons"]] == reasons
    assert (verdict["verdict"], len(verdict["waived"])) == (("go", 1) if is_found else ("undecided", 0))


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("[[waiver]", "waivers-unreadable"),
        ("waiver = 1", "bad-waivers"),
        ("[[waivers]]", "bad-waivers"),
        (f"[[waiver]]\n{describe(who='')}", "bad-waivers"),
        (f"[[waiver]]\n{describe(until='')}", "bad-waivers"),
        (f"[[waiver]]\n{describe(until='tomorrow')}", "waivers-unreadable"),
        (f"[[waiver]]\n{describe(id='no path')}", "bad-waivers"),
        (f"[[waiver]]\n{describe()}\nwhy = 'x'", "bad-waivers"),
        (f"[[waiver]]\n{describe()}\n[[waiver]]\n{describe()}", "waiver-twin"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str, slug: str) -> None:
    file = tmp_path / "waivers.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        waivers.read_waivers(file, TODAY)
    assert error.value.slug == slug
    assert error.value.next_step


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="waivers-unreadable"):
        waivers.read_waivers(tmp_path / "none.toml", TODAY)
