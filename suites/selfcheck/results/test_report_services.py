"""The report says for each of the eight services how it was judged, and on which promises."""

from pathlib import Path
from typing import Any

import pytest

from fixtures.core.topology import FLOW, PROVIDERS
from fixtures.results.report.services import COLUMNS, TOGETHER, build_promise_table, describe_service
from suites.selfcheck.results.parsed_page import page_text, render_page
from suites.selfcheck.results.sample_reports import build_run
from suites.selfcheck.results.sample_runs import good_run, make_test

PROXY, MESSAGES, POSTPONED = "events-proxy", "directory-messages", "subscribers-postponed"
HOST = "proxy.example"
VERSIONS = {name: {"version": "1", "target": "embedded"} for name in FLOW} | {
    PROXY: {"version": "2", "target": f"https://{HOST}"}
}
KILLED = "events-proxy is not started by the suite, so it is not killed"


def line(name: str, **members: Any) -> dict[str, Any]:
    return make_test(f"suites/compat/test_e.py::{name}", **members)


def lines_of_services() -> list[Any]:
    header, *tests, footer = good_run()
    more = [
        line("a", provider=PROXY, case="v1-UNREGISTERED", promise="All arrives"),
        line("b", provider=PROXY, promise="All arrives", result="not-judged", message=KILLED),
        line("c", provider=MESSAGES, promise="Both can send"),
        line("d", provider=MESSAGES, promise="Both can send"),
        line("e", provider="all-after-v1", promise="A push ends right"),
        line("f", provider=POSTPONED, promise="Nothing", result="not-judged", message="no"),
    ]
    tests += more
    return [
        {**header, "versions": VERSIONS, "collected": len(tests)},
        *tests,
        {**footer, "tests": len(tests)},
    ]


def test_each_promise_has_a_cell_for_each_service(tmp_path: Path) -> None:
    rows = {
        row["promise"]: row["cells"] for row in build_promise_table(build_run(tmp_path, lines_of_services()))
    }

    def cell(promise: str, column: str) -> tuple[str, str]:
        content = rows[promise][COLUMNS.index(column)]
        return content["state"], content["note"]

    assert cell("All arrives", PROXY) == ("passed", "1 not judged")
    assert cell("All arrives", MESSAGES) == ("", "")
    assert cell("Both can send", MESSAGES) == ("passed", "")
    assert cell("Nothing", POSTPONED) == ("not-judged", "")
    assert cell("A push ends right", TOGETHER) == ("passed", "")


def test_a_failed_test_shows_in_its_cell(tmp_path: Path) -> None:
    lines = lines_of_services()
    lines[-4] = {**lines[-4], "result": "broken", "message": "crashed"}
    (row,) = [
        row for row in build_promise_table(build_run(tmp_path, lines)) if row["promise"] == "Both can send"
    ]
    assert row["cells"][COLUMNS.index(MESSAGES)]["state"] == "undecided"


@pytest.mark.parametrize(
    ("service", "mark", "text"),
    [
        (PROXY, "passed", f"deployed: {HOST}: right on 1 of 1 codes"),
        (MESSAGES, "passed", "reference service: right on 2 of 2 tests"),
        (POSTPONED, "not-judged", "reference service: 1 tests not judged"),
        ("directory-errors-listener", "not-judged", "not judged on its own"),
        *((name, "passed", "reference service: right on 68 of 68 codes") for name in PROVIDERS),
    ],
)
def test_the_update_map_says_how_a_service_was_judged(
    tmp_path: Path, service: str, mark: str, text: str
) -> None:
    run = build_run(tmp_path, lines_of_services())
    assert describe_service(run, service) == {"mark": mark, "text": text}


def test_the_page_shows_the_table(tmp_path: Path) -> None:
    text = page_text(render_page(build_run(tmp_path, lines_of_services())))
    assert "What was judged at each service" in text
    assert f"deployed: {HOST}" in text
    assert "1 not judged" in text


def test_a_run_without_promises_has_no_table(tmp_path: Path) -> None:
    assert "What was judged at each service" not in page_text(render_page(build_run(tmp_path, good_run())))
