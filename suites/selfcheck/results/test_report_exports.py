"""The exports are valid and complete, and safe in the programs that open them."""

import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from fixtures.core import schemas
from fixtures.core.catalogue import load_catalogue
from fixtures.core.topology import PROVIDERS
from fixtures.results.report import exports
from fixtures.results.report.model import ReportRun
from suites.selfcheck.results.sample_reports import (
    REACTOR,
    build_run,
    empty_run,
    hostile_run,
    no_go_run,
    noticed_run,
)
from suites.selfcheck.results.sample_runs import good_run


def all_runs(folder: Path) -> list[ReportRun]:
    return [
        build_run(folder, good_run()),
        no_go_run(folder),
        hostile_run(folder),
        noticed_run(folder),
        empty_run("unreachable-target: x does not answer"),
    ]


def test_junit_is_valid_and_counts_every_result(tmp_path: Path) -> None:
    schema = xmlschema.XMLSchema(str(schemas.SCHEMA_FOLDER / "junit.xsd"))
    for run in all_runs(tmp_path):
        text = exports.format_junit([run])
        schema.validate(text)
        root = ET.fromstring(text)  # noqa: S314  our own
        exported = [
            sum(int(suite.attrib[name]) for suite in root)
            for name in ("tests", "failures", "errors", "skipped")
        ]
        statuses = [result.status for result in run.results]
        assert exported == [len(statuses), *map(statuses.count, ("failed", "broken", "skipped"))]
        counts = [len(root.findall(f".//{name}")) for name in ("testcase", "failure", "error")]
        assert counts == exported[:3]


def test_junit_names_a_test_so_that_it_can_be_found(tmp_path: Path) -> None:
    root = ET.fromstring(exports.format_junit([no_go_run(tmp_path)]))  # noqa: S314  our own
    failure = next(case for case in root.iter("testcase") if case.find("failure") is not None)
    assert failure.attrib["classname"] == "suites.compat.test_c"
    assert failure.attrib["file"] == "suites/compat/test_c.py"
    assert failure.attrib["line"] == "12"
    assert failure.attrib["name"].startswith(f"{REACTOR}-")
    assert next(failure.iter("failure")).attrib["message"].startswith("promise: leaves the subscriber")


def test_ctrf_is_valid_and_counts_every_result(tmp_path: Path) -> None:
    for run in all_runs(tmp_path):
        exported = json.loads(json.dumps(exports.build_ctrf([run])))
        schemas.validate(exported, "ctrf.schema.json")
        summary, tests = exported["results"]["summary"], exported["results"]["tests"]
        assert summary["tests"] == len(tests) == len(run.results)
        assert sum(summary[name] for name in ("passed", "failed", "skipped", "other")) == len(tests)
        assert exported["extra"]["verdict"] == run.verdict_word


def test_the_table_for_a_spreadsheet_holds_every_case_at_every_service(tmp_path: Path) -> None:
    run = no_go_run(tmp_path)
    rows = list(csv.DictReader(io.StringIO(exports.format_cases_csv([run]))))
    assert [row["case"] for row in rows] == [case.id for case in load_catalogue().cases]
    for row in rows:
        for scope, cases in run.cases_by_scope.items():
            required = row["case"] in cases
            assert row[scope] == (run.verdict["cases"][scope][row["case"]] if required else "")


def test_two_environments_share_the_table(tmp_path: Path) -> None:
    runs = [build_run(tmp_path, good_run()), empty_run("no-tests: x")]
    (head, first, *_) = csv.reader(io.StringIO(exports.format_cases_csv(runs)))
    columns = dict(zip(head, first, strict=True))
    assert [columns[f"local: {name}"] for name in PROVIDERS] == ["passed"] * len(PROVIDERS)
    assert [columns[f"nowhere: {name}"] for name in PROVIDERS] == ["not judged"] * len(PROVIDERS)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert exports.escape_cell(text) == f"'{text}"


def test_each_export_counts_the_notices(tmp_path: Path) -> None:
    run = noticed_run(tmp_path)
    junit = ET.fromstring(exports.format_junit([run]))  # noqa: S314  our own
    numbers = [int(row.attrib["value"]) for row in junit.iter("property") if row.attrib["name"] == "notices"]
    ctrf = exports.build_ctrf([run])
    table = csv.DictReader(io.StringIO(exports.format_cases_csv([run])))
    count = sum(len(result.notices) for result in run.results)
    assert sum(numbers) == count
    assert sum(test["extra"]["notices"] for test in ctrf["results"]["tests"]) == count
    assert ctrf["extra"]["notices"] == len(run.notices)
    assert sum(int(row["notices"]) for row in table) == len(run.verdict["notices"])
    text = exports.format_markdown([run])
    assert f"**Notices** ({len(run.notices)}): What differs here is no reason for a no-go." in text
    assert "- contract answers.status: directory-responses: answers 200" in text


def test_each_export_names_the_ranks_of_what_was_found(tmp_path: Path) -> None:
    run = no_go_run(tmp_path)
    tests = exports.build_ctrf([run])["results"]["tests"]
    assert [test["extra"]["ranks"] for test in tests if test["status"] == "failed"] == [["promise"]] * 2
    rows = csv.DictReader(io.StringIO(exports.format_cases_csv([run])))
    cases = {finding["case"] for finding in run.verdict["findings"]}
    assert {row["case"] for row in rows if row["ranks"] == "promise"} == cases
    assert "  - rank: promise: what happens to subscribers and reports" in exports.format_markdown([run])


def test_the_summary_says_the_verdict_and_each_effect(tmp_path: Path) -> None:
    text = exports.format_markdown([no_go_run(tmp_path)], changed=["new: x"])
    subject = "embedded reference services only, environment local, run r1"
    assert text.startswith(f"## NO GO: {subject}: with subscribers-errors")
    assert "**Live users unsubscribed**" in text
    assert "- expected: " in text
    assert "- again: `./ci/test " in text
    assert "**Since the last run**" in text


def test_a_service_puts_no_markup_into_the_summary(tmp_path: Path) -> None:
    code = re.compile(r"(?<![`\\])(`+)(?!`).+?(?<!`)\1(?!`)")
    text = code.sub("", exports.format_markdown([hostile_run(tmp_path)]))
    assert re.search(r"(?<!\\)<", text) is None
    assert "](http" not in text
    assert "![x" not in text
