"""Whatever a deployment says, in no output can it be taken for the words of the tool."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ci.commands.summary import list_annotations
from ci.support import verdict_output
from ci.support.suite_process import LedgerTail
from fixtures.core.json_values import walk
from fixtures.core.plain_text import HIDDEN
from fixtures.results.build_folder import RunFiles
from fixtures.results.report import allure, exports
from fixtures.results.report.cells import ReportContext
from fixtures.results.report.model import ReportRun
from fixtures.results.report.pages import build_pages
from fixtures.results.report.sarif import format_sarif
from fixtures.results.report.templating import code_span, escape_markdown
from suites.selfcheck.results.sample_reports import HOSTILE, LINKS, hostile_run

OWN_ANNOTATIONS = (
    "::error title=fcm-compat",
    *(f"::{level} file=" for level in ("error", "warning", "notice")),
)


def list_texts(value: object) -> Iterator[str]:
    """All texts and names of members in a JSON value."""
    for path, item in walk(value):
        yield from (part for part in (*path[-1:], item) if isinstance(part, str))


def read_allure(run: ReportRun) -> Iterator[str]:
    for name, text in allure.build_allure_files([run]).items():
        yield from list_texts(json.loads(text)) if name.endswith("-result.json") else [text]


OUTPUTS: Mapping[str, Callable[[ReportRun], Iterator[str]]] = {
    "pages": lambda run: iter(build_pages([run], ReportContext()).values()),
    "Markdown": lambda run: iter([exports.format_markdown([run])]),
    "JUnit": lambda run: iter([exports.format_junit([run])]),
    "CTRF": lambda run: list_texts(exports.build_ctrf([run])),
    "SARIF": lambda run: list_texts(json.loads(format_sarif([run]))),
    "CSV": lambda run: iter([exports.format_cases_csv([run])]),
    "Allure": read_allure,
    "annotations": lambda run: list_annotations(run.verdict),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_no_output_holds_a_hidden_character(tmp_path: Path, name: str) -> None:
    texts = list(OUTPUTS[name](hostile_run(tmp_path)))
    assert HIDDEN.search(HOSTILE)
    assert texts
    assert [text for text in texts if HIDDEN.search(text)] == []


def print_run(folder: Path) -> None:
    """Print what the gate prints about a hostile run, while it runs and at its end."""
    run = hostile_run(folder)
    tail = LedgerTail(folder / "ledger.jsonl")
    tail.read()
    print(*tail.take_new_problems(), sep="\n")  # noqa: T201  as the gate does
    verdict_output.print_summary(run.verdict, RunFiles(folder, folder))
    verdict_output.print_verdict(run.verdict_word, run.verdict["reasons"], [HOSTILE])


def test_nothing_on_the_terminal_looks_like_a_verdict_or_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_run(tmp_path)
    printed = capsys.readouterr().out
    assert "window.ran" in printed
    assert HIDDEN.search(printed) is None
    assert [line for line in printed.splitlines() if line.lstrip().startswith("::")] == []
    assert printed.count("===") == 2  # around the verdict
    assert "=== NO GO ===" in printed
    assert "##[" not in printed
    assert "##vso" not in printed


def test_an_annotation_is_one_command(tmp_path: Path) -> None:
    lines = list(list_annotations(hostile_run(tmp_path).verdict))
    assert lines
    assert [
        line for line in lines if len(line.splitlines()) > 1 or not line.startswith(OWN_ANNOTATIONS)
    ] == []


def test_markdown_mentions_and_links_nothing() -> None:
    escaped = escape_markdown(LINKS)
    for sign in ("@team", "#12", "!7", "www.e", "://e"):
        assert sign not in escaped.replace("\\", "")
    assert code_span("a ``b`` @team\n`c") == "``` a ``b`` @team `c ```"


@pytest.mark.parametrize("text", [" =1+1", "\n=1", "\uff1d1", "\uff0b1", "\x1b[31m=1"])
def test_a_cell_is_only_text(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(exports.escape_cell(text).replace("\n", " "))))
    assert cell[0] in "'\\"
