"""Allure's files have every test once, and nothing that a service sent as markup."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.topology import PROVIDERS
from fixtures.results.report import allure
from fixtures.results.report.allure_hardening import PAGES_URL
from fixtures.results.report.model import ReportRun, worst_verdict
from suites.selfcheck.results.sample_reports import (
    REACTOR,
    build_run,
    empty_run,
    hostile_run,
    no_go_run,
    wrong_state,
)
from suites.selfcheck.results.sample_runs import (
    GOOD_TESTS,
    change_line,
    good_run,
    make_test,
    remove_line,
    remove_test,
)

CASES = load_catalogue().cases


def parse_results(*runs: ReportRun) -> list[dict[str, Any]]:
    files = allure.build_allure_files(runs)
    return [json.loads(text) for name, text in files.items() if name.endswith("-result.json")]


def read_labels(result: dict[str, Any]) -> dict[str, str]:
    return {label["name"]: label["value"] for label in result["labels"]}


def test_every_test_of_the_ledger_is_one_result(tmp_path: Path) -> None:
    all_results = parse_results(build_run(tmp_path, good_run()))
    assert [result["fullName"] for result in all_results] == [line["test"] for line in GOOD_TESTS]
    assert {result["status"] for result in all_results} == {"passed"}


def test_no_two_results_share_an_identity(tmp_path: Path) -> None:
    lines = good_run()
    lines[2:2] = [
        make_test(f"suites/x.py::t[{name}]", reports=0) for name in ("-admin", "admin-", "1", "01", "")
    ]
    all_results = parse_results(build_run(tmp_path, lines))
    for name in ("uuid", "historyId", "testCaseId", "fullName"):
        assert len({result[name] for result in all_results}) == len(all_results), name
    assert all("parameters" not in result for result in all_results), "Allure 3 would collapse equal ones"


def test_an_identity_is_the_same_in_the_next_run(tmp_path: Path) -> None:
    first, two = (parse_results(build_run(tmp_path, good_run())) for _ in range(2))
    assert [result["historyId"] for result in first] == [result["historyId"] for result in two]


def test_a_test_in_two_environments_is_two_results(tmp_path: Path) -> None:
    lines = good_run()
    change_line(0, environment="production")(lines)
    all_results = parse_results(build_run(tmp_path, good_run()), build_run(tmp_path, lines))
    assert len({result["uuid"] for result in all_results}) == 2 * len(GOOD_TESTS)
    assert Counter(read_labels(result)["env"] for result in all_results) == {
        "local": len(GOOD_TESTS),
        "production": len(GOOD_TESTS),
    }


@pytest.mark.parametrize(
    ("recorded", "expected_status"),
    [("passed", "passed"), ("failed", "failed"), ("broken", "broken"), ("skipped", "broken")],
)
def test_only_findings_fail_and_a_skipped_test_is_broken(
    tmp_path: Path, recorded: str, expected_status: str
) -> None:
    lines = good_run()
    members = {"findings": [wrong_state(CASES[0], "active")]} if recorded == "failed" else {}
    change_line(1, result=recorded, message="m", **members)(lines)
    assert parse_results(build_run(tmp_path, lines))[0]["status"] == expected_status


def test_twins_are_both_there(tmp_path: Path) -> None:
    lines = good_run()
    lines.insert(2, dict(lines[1]))
    all_results = parse_results(build_run(tmp_path, lines))
    assert [result["fullName"] for result in all_results[:2]] == [
        GOOD_TESTS[0]["test"],
        f"{GOOD_TESTS[0]['test']} (recorded again: 2)",
    ]
    assert [
        result["name"]
        for result in all_results
        if result["fullName"].startswith("the run itself: ledger-twins")
    ]


def test_a_case_that_did_not_run_is_there_and_broken(tmp_path: Path) -> None:
    lines = good_run()
    remove_test(5)(lines)
    gone = GOOD_TESTS[4]
    all_results = {result["fullName"]: result for result in parse_results(build_run(tmp_path, lines))}
    absent = all_results[f"did not run: {gone['case']} at {gone['provider']}"]
    assert absent["status"] == "broken"
    assert read_labels(absent)["feature"] == gone["provider"]


def test_a_run_without_a_ledger_shows_every_case_and_why() -> None:
    all_results = parse_results(empty_run("unreachable-target: x does not answer"))
    assert len(all_results) >= len(CASES) * len(PROVIDERS) + 1
    assert {result["status"] for result in all_results} == {"broken"}
    assert any(result["fullName"].startswith("the run itself: unreachable-target") for result in all_results)


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        pytest.param(remove_line(-1), "ledger-without-footer", id="a killed run"),
        pytest.param(remove_test(3, counted=False), "tests-vanished", id="a test vanished"),
        pytest.param(lambda lines: lines.append("{"), "ledger-truncated", id="a file cut off"),
    ],
)
def test_a_doubt_about_the_run_is_a_broken_result(tmp_path: Path, change: Any, slug: str) -> None:
    lines = good_run()
    change(lines)
    all_results = parse_results(build_run(tmp_path, lines))
    matching = [result for result in all_results if result["fullName"].startswith(f"the run itself: {slug}")]
    assert [result["status"] for result in matching] == ["broken"]


def test_a_file_that_cannot_be_collected_is_a_broken_result(tmp_path: Path) -> None:
    lines = good_run()
    change_line(
        1, test="suites/compat/test_x.py", result="broken", message="cannot be collected: SyntaxError"
    )(lines)
    first = parse_results(build_run(tmp_path, lines))[0]
    assert (first["status"], first["name"]) == ("broken", "suites/compat/test_x.py cannot be collected")


def test_labels_are_promise_service_code_and_what_it_would_do_to_users(tmp_path: Path) -> None:
    run = no_go_run(tmp_path)
    failed = [result for result in parse_results(run) if result["status"] == "failed"]
    rows = [read_labels(result) for result in failed]
    assert {row["feature"] for row in rows} == {REACTOR}
    assert {(row["effect"], row["severity"], row["rank"]) for row in rows} == {
        ("live-users-unsubscribed", "blocker", "promise"),
        ("dead-users-kept", "critical", "promise"),
    }
    assert {row["story"] for row in rows} == {
        load_catalogue()[finding["case"]].code for finding in run.verdict["findings"]
    }
    assert all(row["epic"] for row in rows)


def test_every_category_is_matched_by_what_it_is_about(tmp_path: Path) -> None:
    rules = {rule["name"]: rule["matchers"] for rule in allure.build_categories()}
    for result in parse_results(no_go_run(tmp_path)):
        matching = [
            name
            for name, rule in rules.items()
            if result["status"] in rule["statuses"]
            and all(read_labels(result).get(key) == value for key, value in rule.get("labels", {}).items())
        ]
        assert len(matching) == (result["status"] != "passed"), result["fullName"]


def test_evidence_is_attached_once_and_only_as_text_or_json(tmp_path: Path) -> None:
    run = hostile_run(tmp_path)
    files = allure.build_allure_files([run])
    for result in parse_results(run):
        names = [attached["source"] for attached in result["attachments"]]
        assert len(names) == len(set(names))
        assert bool(names) == (result["status"] in ("failed", "skipped"))  # a waived finding is skipped
        assert {attached["type"] for attached in result["attachments"]} <= {"text/plain", "application/json"}
        assert all(name in files for name in names)
        assert all(name.endswith((".json", ".txt")) for name in names)
    attached = [
        name
        for result in parse_results(run)
        for name in (attachment["source"] for attachment in result["attachments"])
    ]
    assert set(files) == {f"{result['uuid']}-result.json" for result in parse_results(run)} | set(attached)


def test_the_pictures_of_the_rollout_are_attached_to_the_test_that_judged_it(tmp_path: Path) -> None:
    run = build_run(tmp_path, good_run())
    files = allure.build_allure_files([run], "", {"timeline": "<svg/>", "lattice": "<svg></svg>"})
    all_results = [json.loads(text) for name, text in files.items() if name.endswith("-result.json")]
    (attached,) = [result["attachments"] for result in all_results if result["attachments"]]
    assert [(attachment["name"], attachment["type"]) for attachment in attached] == [
        ("timeline", "image/svg+xml"),
        ("lattice", "image/svg+xml"),
    ]
    assert [files[attachment["source"]] for attachment in attached] == ["<svg/>", "<svg></svg>"]


def test_a_thousand_findings_make_no_more_files_than_one(tmp_path: Path) -> None:
    finding = wrong_state(CASES[0], "active")
    first, many = good_run(), good_run()
    change_line(3, result="failed", findings=[finding], message="m")(first)
    change_line(3, result="failed", findings=[finding] * 1000, message="m")(many)
    assert set(allure.build_allure_files([build_run(tmp_path, first)])) == set(
        allure.build_allure_files([build_run(tmp_path, many)])
    )


def test_braces_in_a_title_are_only_text(tmp_path: Path) -> None:
    lines = good_run()
    change_line(1, test='suites/x.py::test_it[{"a": 1:>{b}}]')(lines)
    assert parse_results(build_run(tmp_path, lines))[0]["name"] == 'It: {"a": 1:>{b}}'


def test_a_service_puts_nothing_into_markdown_or_html(tmp_path: Path) -> None:
    for result in parse_results(hostile_run(tmp_path)):
        assert "descriptionHtml" not in result
        assert "attacker" not in result["description"]


def test_links_lead_to_the_finding_the_catalogue_and_the_source(tmp_path: Path) -> None:
    run = no_go_run(tmp_path)
    files = allure.build_allure_files([run], "https://code.example/blob/1")
    failed = [json.loads(text) for name, text in files.items() if name.endswith("-result.json")]
    links = [link["url"] for result in failed if result["status"] == "failed" for link in result["links"]]
    assert {f"{PAGES_URL}{run.find_page(kind)}" for kind in run.kinds} <= set(links)
    assert {f"{PAGES_URL}cases.html#{kind.case}" for kind in run.kinds} <= set(links)
    assert any(link.startswith("https://code.example/blob/1/suites/compat/") for link in links)


def make_summary(run: ReportRun, **changes: Any) -> dict[str, Any]:
    """Allure's summary of a run that it shows correctly."""
    statuses = Counter(result.status for result in run.results)
    return {"statuses": dict(statuses), "rules": {"a": worst_verdict([run]) == "go"}, **changes}


def test_a_report_like_the_ledger_is_no_problem(tmp_path: Path) -> None:
    for run in (build_run(tmp_path, good_run()), no_go_run(tmp_path), empty_run("no-tests: x")):
        assert allure.find_disagreement([run], make_summary(run)) == ""


def test_a_result_that_the_report_lost_is_told(tmp_path: Path) -> None:
    run = build_run(tmp_path, good_run())
    fewer = make_summary(run, statuses={"passed": len(GOOD_TESTS) - 1})
    assert allure.find_disagreement([run], fewer).startswith("report-incomplete: ")
    unknown = make_summary(run, statuses={"passed": len(GOOD_TESTS) - 1, "unknown": 1})
    assert allure.find_disagreement([run], unknown).startswith("report-incomplete: ")


def test_a_quality_gate_that_contradicts_the_verdict_is_told(tmp_path: Path) -> None:
    good, bad = build_run(tmp_path, good_run()), no_go_run(tmp_path)
    for run, rules in ((good, {"a": True, "b": False}), (good, {}), (bad, {"a": True})):
        problem = allure.find_disagreement([run], make_summary(run, rules=rules))
        assert problem.startswith("report-contradicts-verdict: "), rules


def test_the_order_names_each_environment_and_what_the_gate_must_say(tmp_path: Path) -> None:
    lines = good_run()
    change_line(0, environment="production")(lines)
    runs = [no_go_run(tmp_path), build_run(tmp_path, lines)]
    config = allure.build_allure_config(
        runs, folders={"results": "r"}, in_history=False, about={"Commit": "c"}
    )
    assert [environment["name"] for environment in config["environments"]] == ["local", "production"]
    gate = {rule["id"]: rule for rule in config["gate"]}
    assert gate["every result is here"]["minTestsCount"] == sum(len(run.results) for run in runs)
    assert gate["the gate's verdict"]["verdict"]["verdict"] == "no-go"
    assert (config["appendHistory"], config["results"]) == (True, "r")
