"""Each output shows by which outcome a provider was judged, if its catalogue has another than ours."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from fixtures.checks.batch_finding import batch_finding
from fixtures.core import schemas, terminal
from fixtures.core.catalogue import example_report, find_case, load_catalogue
from fixtures.core.findings import Finding, describe_finding
from fixtures.core.payloads import BatchEntry
from fixtures.core.topology import PROVIDERS
from fixtures.results.report.cells import ReportContext
from fixtures.results.report.exports import format_cases_csv
from fixtures.results.report.model import ReportRun
from fixtures.results.report.pages import build_pages
from suites.selfcheck.results.sample_reports import no_go_run

CASE = "v1-SENDER_ID_MISMATCH"
POLICY = {"outcome": "unsubscribe", "why": "Those tokens are dead.", "source": "our policy of 2026"}
SERVICE, OTHER = "subscribers-errors", "directory-responses"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Sequence[ReportRun]:
    """A run at which one provider was judged by a catalogue of its own, and the others by ours."""
    run = no_go_run(tmp_path_factory.mktemp("run"))
    tested = {
        **run.verdict["versions"].get(SERVICE, {"version": "1", "target": "embedded"}),
        "decisions": {CASE: POLICY},
    }
    cases = {name: {**run.verdict["cases"].get(name, {}), CASE: "passed"} for name in PROVIDERS}
    versions = {**run.verdict["versions"], SERVICE: tested}
    verdict = {**run.verdict, "versions": versions, "cases": cases}
    schemas.validate(verdict, "verdict.schema.json")
    return [replace(run, verdict=verdict)]


def test_the_terminal_shows_it_beside_the_sign(runs: Sequence[ReportRun]) -> None:
    verdict = runs[0].verdict
    table = terminal.format_case_table(load_catalogue(), verdict["cases"], verdict["versions"])
    row = next(line.split() for line in table.splitlines() if line.startswith(CASE))
    assert row == [CASE, "alert", "✓", "✓", "✓", "unsubscribe"]


def test_the_pages_and_the_table_show_it(runs: Sequence[ReportRun]) -> None:
    pages = build_pages(runs, ReportContext())
    section = pages["cases.html"].partition(f'<section id="{CASE}">')[2].partition("</section>")[0]
    assert f"at {SERVICE}: " in section
    assert POLICY["why"] in section
    assert POLICY["source"] in section
    assert f"at {SERVICE}: " in pages["index.html"]
    row = next(row for row in csv.reader(format_cases_csv(runs).splitlines()) if row[0] == CASE)
    assert row[4] == f"alert; at {SERVICE}: unsubscribe"


def test_a_test_and_a_finding_are_about_the_case_as_it_was_judged(runs: Sequence[ReportRun]) -> None:
    cases = [runs[0].find_case(name, CASE) for name in (SERVICE, OTHER)]
    assert [case and case.outcome for case in cases] == ["unsubscribe", "alert"]


def test_the_document_of_a_finding_is_the_source_in_its_catalogue() -> None:
    case = find_case(load_catalogue()[CASE], {CASE: POLICY})
    entry = BatchEntry({**example_report(case), "report_id": "r"}, case)
    rule, provider = "effects.subscriber", PROVIDERS[SERVICE]
    finding = batch_finding(rule, provider, [entry], case=CASE, title="t", expected="e", got="active")
    assert finding.document == POLICY["source"]
    read = Finding.from_json(json.loads(json.dumps(finding.to_json())))
    assert f"by {POLICY['source']}" in describe_finding(read)
