"""The exports are valid, leave nothing out, and are safe where they are opened."""

from __future__ import annotations

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
from suites.selfcheck.results.sample_reports import REACTOR, empty_run, hostile, no_go, run_of
from suites.selfcheck.results.sample_runs import good_run

pytestmark = pytest.mark.aside  # how it looks is not what the gate judges


def all_runs(folder: Path) -> list[ReportRun]:
    """A run of each kind."""
    return [
        run_of(folder, good_run()),
        no_go(folder),
        hostile(folder),
        empty_run("unreachable-target: x does not answer"),
    ]


def test_junit_is_valid_and_counts_every_result(tmp_path: Path) -> None:
    schema = xmlschema.XMLSchema(str(schemas.SCHEMA_FOLDER / "junit.xsd"))
    for run in all_runs(tmp_path):
        text = exports.format_junit([run])
        schema.validate(text)
        root = ET.fromstring(text)  # noqa: S314  our own
        told = [
            sum(int(suite.attrib[name]) for suite in root)
            for name in ("tests", "failures", "errors", "skipped")
        ]
        statuses = [result.status for result in run.results]
        assert told == [len(statuses), statuses.count("failed"), statuses.count("broken"), 0]
        found = [len(root.findall(f".//{name}")) for name in ("testcase", "failure", "error")]
        assert found == told[:3]


def test_junit_names_a_test_so_that_it_can_be_found(tmp_path: Path) -> None:
    root = ET.fromstring(exports.format_junit([no_go(tmp_path)]))  # noqa: S314  our own
    failure = next(case for case in root.iter("testcase") if case.find("failure") is not None)
    assert failure.attrib["classname"] == "suites.compat.test_c"
    assert failure.attrib["name"].startswith(f"{REACTOR}-")


def test_ctrf_is_valid_and_counts_every_result(tmp_path: Path) -> None:
    for run in all_runs(tmp_path):
        told = json.loads(json.dumps(exports.build_ctrf([run])))
        schemas.validate(told, "ctrf.schema.json")
        summary, tests = told["results"]["summary"], told["results"]["tests"]
        assert summary["tests"] == len(tests) == len(run.results)
        assert summary["passed"] + summary["failed"] + summary["other"] == len(tests)
        assert told["extra"]["verdict"] == run.verdict_word


def test_the_table_for_a_spreadsheet_holds_every_case_at_every_service(tmp_path: Path) -> None:
    run = no_go(tmp_path)
    rows = list(csv.DictReader(io.StringIO(exports.format_cases_csv([run]))))
    assert [row["case"] for row in rows] == [case.id for case in load_catalogue().cases]
    for row in rows:
        for place, cases in run.cases_by_place.items():
            asked = row["case"] in cases
            assert row[place] == (run.verdict["cases"][place][row["case"]] if asked else "")


def test_two_environments_share_the_table(tmp_path: Path) -> None:
    runs = [run_of(tmp_path, good_run()), empty_run("no-tests: x")]
    (head, first, *_) = csv.reader(io.StringIO(exports.format_cases_csv(runs)))
    shown = dict(zip(head, first, strict=True))
    assert [shown[f"local: {name}"] for name in PROVIDERS] == ["passed"] * len(PROVIDERS)
    assert [shown[f"nowhere: {name}"] for name in PROVIDERS] == ["not judged"] * len(PROVIDERS)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert exports.escape_cell(text) == f"'{text}"


def test_the_summary_says_the_verdict_and_each_effect(tmp_path: Path) -> None:
    said = exports.format_markdown([no_go(tmp_path)], changed=["new: x"])
    assert said.startswith("## NO GO: with go-sender")
    assert "**Live users unsubscribed**" in said
    assert "- expected: " in said
    assert "- again: ./ci/test " in said
    assert "**Since the last run**" in said


def test_a_service_puts_no_markup_into_the_summary(tmp_path: Path) -> None:
    said = exports.format_markdown([hostile(tmp_path)])
    assert re.search(r"(?<!\\)<", said) is None
    assert "](http" not in said
    assert "![x" not in said
