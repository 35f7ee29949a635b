"""The findings for other tools: SARIF with the line of the case, and a traffic file of the exchange."""

import json
from pathlib import Path
from typing import Any

from fixtures.core.catalogue import CATALOGUE_FILE, load_catalogue
from fixtures.results.report.cells import ReportContext
from fixtures.results.report.har import format_har
from fixtures.results.report.model import ReportRun
from fixtures.results.report.pages import build_pages, build_traffic_files
from fixtures.results.report.sarif import find_lines, format_sarif
from suites.selfcheck.results.sample_reports import build_run, no_go_run, noticed_run, waived_run
from suites.selfcheck.results.sample_runs import change_line, good_run, make_finding


def list_results(*runs: ReportRun) -> list[dict[str, Any]]:
    return [result for run in json.loads(format_sarif(runs))["runs"] for result in run["results"]]


def test_each_case_has_its_line_in_the_catalogue() -> None:
    lines = CATALOGUE_FILE.read_text(encoding="utf-8").splitlines()
    line_by_case = find_lines("\n".join(lines))
    assert {case.id for case in load_catalogue().cases} <= line_by_case.keys()
    assert [name for name, line in line_by_case.items() if f'"id": "{name}"' not in lines[line - 1]] == []


def test_a_result_is_about_the_line_that_decides(tmp_path: Path) -> None:
    run = no_go_run(tmp_path)
    lines = find_lines(CATALOGUE_FILE.read_text(encoding="utf-8"))
    results = list_results(run)
    assert len(results) == len(run.kinds)
    for result, kind in zip(results, run.kinds, strict=True):
        location = result["locations"][0]["physicalLocation"]
        assert (result["level"], result["ruleId"]) == ("error", kind.smallest["rule"])
        if kind.case:
            assert location["artifactLocation"]["uri"] == "schemas/response-codes.json"
            assert location["region"]["startLine"] == lines[kind.case]


def test_a_finding_of_no_case_is_about_its_test(tmp_path: Path) -> None:
    lines = good_run()
    finding = {**make_finding(), "case": None, "test": lines[20]["test"]}
    change_line(20, result="failed", findings=[finding])(lines)
    (result,) = list_results(build_run(tmp_path, lines))
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "suites/compat/test_c.py"
    assert location["region"]["startLine"] == 12


def test_what_does_not_decide_is_a_note_or_suppressed(tmp_path: Path) -> None:
    assert {result["level"] for result in list_results(noticed_run(tmp_path))} == {"note"}
    (waived,) = list_results(waived_run(tmp_path))
    assert "the old client wants it" in waived["suppressions"][0]["justification"]
    assert list_results(build_run(tmp_path, good_run())) == []


def test_a_traffic_file_holds_the_requests_and_what_was_wrong(tmp_path: Path) -> None:
    run = no_go_run(tmp_path)
    kind = next(kind for kind in run.kinds if kind.smallest["check"] == "effects" and kind.case)
    entries = json.loads(format_har(run, kind.smallest))["log"]["entries"]
    assert [entry["request"]["method"] for entry in entries] == ["POST", "POST", "GET"]
    batch = json.loads(entries[1]["request"]["postData"]["text"])
    assert batch["errors"] == kind.smallest["sent"]
    assert json.loads(entries[2]["response"]["content"]["text"]) == kind.smallest["got"]
    assert [entry["response"]["status"] for entry in entries[:2]] == [0, 0], (
        "the run does not keep these answers"
    )


def test_a_wrong_answer_is_that_to_the_batch(tmp_path: Path) -> None:
    got = {"status": 500, "content_type": "text/plain", "body": "oops"}
    sent = [{"report_id": "00000000-0000-4001-8000-000000000007"}]
    finding = {**make_finding(), "check": "answers", "sent": sent, "got": got}
    finding["provider"] = "directory-responses"
    post, look = json.loads(format_har(no_go_run(tmp_path), finding))["log"]["entries"]
    assert post["response"]["content"] == {"size": 4, "mimeType": "text/plain", "text": "oops"}
    assert (post["response"]["status"], look["response"]["status"]) == (500, 0)


def test_each_page_with_requests_links_its_traffic_file(tmp_path: Path) -> None:
    run = no_go_run(tmp_path)
    pages, files = build_pages([run], ReportContext()), build_traffic_files([run])
    assert files
    for name, page in pages.items():
        har = name.removesuffix(".html") + ".har"
        assert (har in files) == (f'href="{Path(har).name}"' in page)
