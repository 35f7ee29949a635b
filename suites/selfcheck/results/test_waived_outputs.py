"""Every output shows, counts and marks what is waived, and says that a policy is weaker."""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ci.commands import summary
from ci.support.verdict_output import print_judged, print_summary
from fixtures.core import schemas
from fixtures.core.catalogue import load_catalogue
from fixtures.results.build_folder import RunFiles
from fixtures.results.report import allure, exports
from fixtures.results.report.cells import ReportContext
from fixtures.results.report.headline import format_headline, list_next_steps
from fixtures.results.report.pages import build_pages
from fixtures.results.report.services import describe_service
from suites.selfcheck.results.parsed_page import Page, page_text, render_page
from suites.selfcheck.results.sample_reports import (
    REACTOR,
    WAIVED_CASE,
    WAIVED_ID,
    WEAKER,
    add_finding,
    add_waived,
    build_run,
    waived_run,
    wrong_state,
)
from suites.selfcheck.results.sample_runs import good_run

CASES = load_catalogue().cases
MARK = "waived until 2026-12-31 by the push team: the old client wants it"


def test_the_first_page_says_what_is_waived_and_that_the_policy_is_weaker(tmp_path: Path) -> None:
    page = render_page(waived_run(tmp_path))
    text = page_text(page)
    assert WEAKER in text
    assert "1 finding waived. What is wrong here makes no no-go" in text
    assert f"waived: {REACTOR}: answers 201 to a batch until 2026-12-31 by the push team" in text
    assert "Mend what is waived: from the day after 2026-12-31 on, it is a no-go." in text
    assert sum(link.startswith("waived/") for link in page.links) >= 1


def test_a_page_without_waivers_and_with_the_policy_of_the_suite_says_neither(tmp_path: Path) -> None:
    text = page_text(render_page(build_run(tmp_path, good_run())))
    assert "weaker" not in text
    assert "waived." not in text


def test_the_page_of_a_waived_finding_says_until_when_by_whom_and_why(tmp_path: Path) -> None:
    run = waived_run(tmp_path)
    text = page_text(Page(build_pages([run], ReportContext())[run.find_page(run.waived[0])]))
    assert f"W{MARK[1:]}" in text
    assert f"Id {WAIVED_ID}" in text
    assert "wrong:" not in text


def test_the_page_of_a_cause_names_what_is_waived_beside_it(tmp_path: Path) -> None:
    lines = add_waived(good_run())
    other = wrong_state(next(case for case in build_run(tmp_path, lines).catalogue.cases), "active")
    add_finding(lines, other | {"effect": "handled-wrongly"})
    run = build_run(tmp_path, lines)
    text = page_text(Page(build_pages([run], ReportContext())[f"findings/{run.causes[0].slug}.html"]))
    assert run.verdict_word == "no-go"
    assert "Waived beside it, with the same effect: answers 201 to a batch" in text
    assert f"Id {other['id']}" in text


def test_headline_and_service_count_it(tmp_path: Path) -> None:
    run = waived_run(tmp_path)
    right = f"right on {len(CASES) - 1} of {len(CASES)} codes, 1 waived"
    assert describe_service(run, REACTOR) == {"mark": "waived", "text": f"reference service: {right}"}
    assert format_headline([run]).endswith("; 1 finding waived")
    assert list_next_steps([run])[0].startswith("Mend what is waived")


def test_the_terminal_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = waived_run(tmp_path)
    print_summary(run.verdict, RunFiles(tmp_path, tmp_path))
    assert print_judged(run.verdict) == 0
    text = capsys.readouterr().out
    assert "waived: 1: What is wrong here makes no no-go until the day of its waiver has passed.\n" in text
    assert f"  {REACTOR}: answers 201 to a batch\n    {MARK}\n    id: {WAIVED_ID}\n" in text
    assert "! waived" in text
    assert f"  note: {WEAKER}\n  note: 1 waived by --waivers\n" in text


def test_the_exports_mark_and_count_it(tmp_path: Path) -> None:
    run = waived_run(tmp_path)
    junit = ET.fromstring(exports.format_junit([run]))  # noqa: S314  our own
    (skipped,) = junit.iter("skipped")
    assert skipped.get("message") == f"contract: answers 201 to a batch ({MARK})"
    counts = [row.get("value") for row in junit.iter("property") if row.get("name") == "waived"]
    assert sorted(map(str, counts)) == ["0", "0", "1"]
    assert not list(junit.iter("failure"))
    ctrf = exports.build_ctrf([run])
    schemas.validate(ctrf, "ctrf.schema.json")
    assert (ctrf["extra"]["waived"], ctrf["extra"]["weaker"]) == (1, [WEAKER])
    (test,) = (test for test in ctrf["results"]["tests"] if test["extra"]["waived"])
    assert (test["status"], test["extra"]["ids"]) == ("skipped", [WAIVED_ID])
    assert MARK in test["message"]
    rows = csv.DictReader(io.StringIO(exports.format_cases_csv([run])))
    assert [row[REACTOR] for row in rows if row["case"] == WAIVED_CASE.id] == ["waived"]
    text = exports.format_markdown([run])
    assert f"**{WEAKER}**".replace("_", "\\_") in text
    assert "**Waived** (1): " in text
    assert f"  - id: `{WAIVED_ID}`" in text


def test_allure_marks_it(tmp_path: Path) -> None:
    run = waived_run(tmp_path)
    results = [
        json.loads(text) for name, text in allure.build_allure_files([run]).items() if "-result" in name
    ]
    (result,) = (row for row in results if {"name": "waived", "value": "yes"} in row["labels"])
    assert (result["status"], MARK in result["statusDetails"]["message"]) == ("skipped", True)
    assert any(link["url"].endswith(f"{run.find_page(run.waived[0])}") for link in result["links"])


def test_annotations_warn_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "verdict.json").write_text(json.dumps(waived_run(tmp_path).verdict), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations", "--no-config"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.endswith(WEAKER)
    assert second.startswith(f"::warning file=suites/compat/test_c.py,title={REACTOR} {WAIVED_CASE.id}::")
    assert MARK in second
