"""The report, the terminal and Allure show notices, and say that they are no reason for a no-go."""

from pathlib import Path

import pytest

from ci.support.verdict_output import SHOWN_NOTICES, print_summary
from fixtures.core.catalogue import load_catalogue
from fixtures.results.build_folder import RunFiles
from fixtures.results.report import allure
from fixtures.results.report.cells import ReportContext
from fixtures.results.report.pages import build_pages
from fixtures.results.report.summary_page import MAX_NOTICES
from suites.selfcheck.results.parsed_page import Page, page_text, render_page
from suites.selfcheck.results.sample_reports import (
    add_notices,
    build_run,
    noticed_run,
    other_code,
)
from suites.selfcheck.results.sample_runs import change_line, good_run

CASES = load_catalogue().cases


def test_each_kind_of_notice_stands_once_on_the_first_page(tmp_path: Path) -> None:
    run = noticed_run(tmp_path)
    text = page_text(render_page(run))
    assert run.verdict_word == "go"
    assert (
        "What differs here is no reason for a no-go. To let it decide, add its rule to raised_rules" in text
    )
    section = text.partition("Notices What differs here")[2].partition("The update map")[0]
    assert section.index("contract answers.status") < section.index("label effects.code")
    assert section.count("effects.code") == 1
    assert "directory-responses: makes another code of" in section
    assert "and 2 like it schemas/response-codes.json: the spelling of codes" in section
    assert f"and {len(run.notices) - MAX_NOTICES} more" in section


def test_a_run_without_notices_has_no_section_for_them(tmp_path: Path) -> None:
    assert "Notices" not in page_text(render_page(build_run(tmp_path, good_run())))


def test_the_page_of_a_notice_says_that_it_is_no_reason_for_a_no_go(tmp_path: Path) -> None:
    run = noticed_run(tmp_path)
    kind = next(kind for kind in run.notices if kind.smallest["rule"] == "effects.code")
    text = page_text(Page(build_pages([run], ReportContext())[f"notices/{kind.slug}.html"]))
    assert "What differs here is no reason for a no-go." in text
    assert "Rank label:" in text
    assert all(title in text for title in kind.other_titles)
    assert "wrong:" not in text


def test_the_notices_of_each_environment_stand_apart(tmp_path: Path) -> None:
    lines = add_notices(good_run(), other_code(CASES[1]))
    change_line(0, environment="production")(lines)
    page = render_page(noticed_run(tmp_path), build_run(tmp_path, lines))
    text = page_text(page).partition("Notices What differs here")[2].partition("The update map")[0]
    assert text.index(" local ") < text.index("answers.status") < text.index(" production ")
    assert len({link for link in page.links if link.startswith("notices/production-")}) == 1


def test_the_terminal_shows_notices_and_how_to_raise_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = noticed_run(tmp_path)
    print_summary(run.verdict, RunFiles(tmp_path, tmp_path))
    text = capsys.readouterr().out
    assert "notices: What differs here is no reason for a no-go. To let it decide, add its rule to" in text
    assert "  contract answers.status: directory-responses: answers 200\n" in text
    assert f"  ... and {len(run.notices) - SHOWN_NOTICES} more kinds in {tmp_path / 'verdict.json'}\n" in text


def test_a_passed_test_in_allure_counts_its_notices(tmp_path: Path) -> None:
    files = allure.build_allure_files([noticed_run(tmp_path)])
    assert sum('"value": "notices: 1"' in text for text in files.values()) == len(CASES[1:3])
