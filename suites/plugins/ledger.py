"""Records every test in the ledger, and prints the table of cases at the end of a run."""

import json
import os
import re
import time
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import redaction, terminal, times
from fixtures.core.catalogue import Case, load_catalogue
from fixtures.core.findings import Finding, FindingsError, describe_finding
from fixtures.generation import example_database
from fixtures.results import ledger, policy
from fixtures.results.waivers import mark_waived, split_waived
from suites.plugins.options import (
    describe_process,
    get_known_failures_url,
    get_policy,
    get_run_config,
    is_worker,
)
from suites.plugins.selection import ALL_TESTS

TRACE_LIMIT = 8000
MESSAGE_LIMIT = 4000
# What each worker says that it ran, when it ends.
WORKER_PROCESSES = pytest.StashKey[list[dict[str, Any]]]()
# The findings of a test that waivers accept, by id.
WAIVED = pytest.StashKey[dict[str, Mapping[str, Any]]]()
# Properties of a test that its line in the ledger holds unchanged.
LABELS = ("provider", "case", "promise", "overlooked", "reports")
JSON_LABELS = ("rollout", "notices", "pacts", "waived")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach findings and labels to a report, which xdist sends to the process that writes the ledger."""
    report = yield
    if call.when == "teardown" or not report.passed:  # the ledger needs the labels of a test once
        report.user_properties += list_properties(item)
    if call.excinfo is not None and isinstance(call.excinfo.value, FindingsError):
        waived, rows = split_waived(write_findings(item, call.excinfo.value.findings))
        keep_waived(item, waived)
        report.user_properties.append(("findings", json.dumps(rows)))
        texts = [describe_finding(Finding.from_json(row)) for row in rows or waived]
        report.longrepr = "\n\n".join([*texts, f"  again:    {(rows or waived)[0]['reproduce']}"])
    if call.when == "teardown" and WAIVED in item.stash:
        report.user_properties.append(("waived", json.dumps(list(item.stash[WAIVED].values()))))
    if get_run_config(item.config).reads_outside_data:
        redact_report(report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker tell the main process what it ran."""
    if is_worker(session.config):
        vars(session.config)["workeroutput"]["process"] = describe_process(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if "process" in getattr(node, "workeroutput", {}):
        processes = node.config.stash.setdefault(WORKER_PROCESSES, [])
        if node.workeroutput["process"] not in processes:
            processes.append(node.workeroutput["process"])


def write_findings(item: pytest.Item, findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings of a test as the ledger holds them, without secrets."""
    command = reproduction(item.nodeid, item.config)
    case, run = find_case(item), get_run_config(item.config)
    rows = [finding.with_test(item.nodeid, command, case).to_json() for finding in findings]
    if run.reads_outside_data:
        rows = [redaction.REDACTOR.redact_finding(row) for row in rows]
    if run.waiver_rows:
        waivable = get_policy(item.config).waivable_promises
        rows = [mark_waived(row, run.waiver_rows, waivable) for row in rows]
    return rows


def is_waived(item: pytest.Item, finding: Finding) -> bool:
    """Whether a waiver accepts a finding of a test. If so, the ledger lists it, and the test goes on."""
    waiver_rows = get_run_config(item.config).waiver_rows or ()
    if finding.make_id(find_case(item)) not in {row["id"] for row in waiver_rows}:
        return False
    rows = write_findings(item, [finding])
    keep_waived(item, rows)
    return "waived" in rows[0]


def keep_waived(item: pytest.Item, rows: Iterable[Mapping[str, Any]]) -> None:
    """Let the ledger list the smallest finding of each waiver of a test."""
    for row in rows:
        if "waived" in row:
            smallest = item.stash.setdefault(WAIVED, {}).setdefault(row["id"], row)
            item.stash[WAIVED][row["id"]] = min(smallest, row, key=lambda each: len(str(each["sent"])))


def find_case(item: pytest.Item) -> str | None:
    """The case that a test is about, if it is about one."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    return case.id if isinstance(case, Case) else case


def list_properties(item: pytest.Item) -> list[tuple[str, str]]:
    """The provider (or mix of versions) and the case of a test, and what its file promises.

    The promise is the docstring of the file, up to the first colon or the end of the first sentence.
    """
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    docstring = getattr(getattr(item, "module", None), "__doc__", None) or ""
    properties = {
        "provider": parameters.get("provider") or parameters.get("mix"),
        "case": find_case(item),
        "promise": " ".join(re.split(r":\s|\.(?:\s|$)", docstring.strip(), maxsplit=1)[0].split()),
    }
    return [(name, str(value)) for name, value in properties.items() if value]


def reproduction(test: str, config: pytest.Config) -> str:
    """The shell command that runs one test of this run again."""
    url = get_known_failures_url(config)
    return (example_database.command_prefix(url) if url else "") + get_run_config(config).reproduce(test)


def redact_report(report: pytest.TestReport) -> None:
    """Remove secrets from captured output and from the reason of a failure; findings are redacted already."""
    redact_text = redaction.REDACTOR.redact_text
    report.sections = [(name, redact_text(str(content))) for name, content in report.sections]
    reason = "" if isinstance(report.longrepr, str) else str(report.longrepr or "")
    redacted = redact_text(reason)
    if redacted != reason:
        report.user_properties.append(("why", redact_text(shorten_reason(report))))
        report.longrepr = ("", 0, redacted) if isinstance(report.longrepr, tuple) else redacted


def shorten_reason(report: Any) -> str:
    """Why a test failed or was skipped, in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash:
        text = crash.message
    elif isinstance(report.longrepr, tuple):
        text = report.longrepr[2]
    else:
        text = report.longrepr
    lines = [line.strip() for line in str(text).splitlines() if line.strip()] or ["no reason given"]
    return re.sub(r"^fixtures\.[\w.]+: ", "", lines[0 if crash else -1])


class Recorder:
    """Writes one line of the ledger for each test, from the reports of this process or of xdist's workers."""

    def __init__(self, config: pytest.Config, versions: Mapping[str, Any]) -> None:
        self.config = config
        self.run_config = get_run_config(config)
        self.versions = versions
        self.run_id = self.run_config.run_id or os.urandom(8).hex()
        self.start = time.time()
        self.start_monotonic = time.monotonic()
        self.writer: ledger.LedgerWriter | None = None
        # The line of each test that has started and not ended.
        self.lines: dict[str, dict[str, Any]] = {}

    def open_ledger(self, collected: int) -> None:
        """Write the header as soon as the number of tests is certain."""
        if self.writer is None:
            self.writer = ledger.LedgerWriter(Path(self.run_config.ledger))
            header = {
                "kind": "header",
                "run": self.run_id,
                "seed": self.run_config.seed,
                "started_at": times.format_time(times.utc_now()),
                "versions": self.versions,
                "collected": collected,
                "environment": self.run_config.environment or ledger.DEFAULT_ENVIRONMENT,
            }
            named = {name: getattr(self.run_config, name) for name in ("shard", "requested", "provenance")}
            named["waivers"] = list(self.run_config.waiver_rows or ())
            header |= {name: value for name, value in named.items() if value}
            self.writer.write(header)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist, this process collects the tests."""
        if not session.config.pluginmanager.hasplugin("dsession"):
            self.open_ledger(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Each worker collects all tests; the first one that is ready tells their number."""
        self.open_ledger(len(ids))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record a file that cannot be collected as a broken test."""
        if report.failed:
            self.open_ledger(0)
            reason = f"cannot be collected: {shorten_reason(report)}"
            self.write({**self.start_line(report), "result": "broken", "message": reason})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a test after its teardown, or after its worker crashed. Its first failure decides."""
        line = self.lines.setdefault(report.nodeid, self.start_line(report))
        line["duration_s"] += getattr(report, "duration", 0.0)
        properties: dict[str, Any] = dict(report.user_properties)
        reason = properties.pop("why", "") or (shorten_reason(report) if report.longrepr else "")
        if line["result"] == "passed" and not report.passed:
            if "findings" in properties:
                if findings := json.loads(properties["findings"]):  # the others are waived
                    line |= {"result": "failed", "message": str(report.longrepr), "findings": findings}
            elif report.failed:
                trace = str(report.longrepr)[-TRACE_LIMIT:]
                line |= {"result": "broken", "message": reason, "trace": trace}
            else:
                line |= {"result": "skipped", "message": reason}
        if line["result"] == "passed" and "not-judged" in properties:
            line |= {"result": "not-judged", "message": properties["not-judged"]}
        line |= {name: properties[name] for name in LABELS if name in properties}
        line |= {name: json.loads(properties[name]) for name in JSON_LABELS if name in properties}
        if line["result"] == "passed" and "waived" in line:
            line["result"] = "waived"
        if report.when == "teardown" or report.when not in ("setup", "call"):
            self.write(self.lines.pop(report.nodeid))

    def start_line(self, report: Any) -> dict[str, Any]:
        """The line of a test before its first phase has a result."""
        start = getattr(report, "start", time.time())
        number = report.location[1]  # from 0; None if its process crashed
        return {
            "kind": "test",
            "test": report.nodeid,
            **({} if number is None else {"line": number + 1}),
            "suite": ledger.suite_of(report.nodeid),
            "result": "passed",
            "duration_s": 0.0,
            "reports": 0,
            "started_s": round(max(0.0, start - self.start), 3),
            "worker": getattr(getattr(getattr(report, "node", None), "gateway", None), "id", "main"),
        }

    def write(self, line: dict[str, Any]) -> None:
        assert self.writer is not None
        line["duration_s"] = round(line["duration_s"], 4)
        for name, limit in (("message", MESSAGE_LIMIT), ("trace", TRACE_LIMIT)):
            text = line.pop(name, "")[:limit]
            # The crash of a worker is described by xdist here, so no worker redacted it.
            if self.run_config.reads_outside_data:
                text = redaction.REDACTOR.redact_text(text)
            if text:
                line[name] = text[:TRACE_LIMIT]
        self.writer.write(line)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the footer. A ledger without footer proves nothing."""
        self.open_ledger(0)
        assert self.writer is not None
        for line in self.lines.values():
            if line["result"] != "passed":
                self.write({**line, "result": "broken"})
        footer = {
            "kind": "footer",
            "run": self.run_id,
            "tests": self.writer.tests,
            "exit_status": int(exitstatus),
            "duration_s": round(time.monotonic() - self.start_monotonic, 3),
        }
        if self.run_config.requested:
            workers = self.config.stash.get(WORKER_PROCESSES, [])
            footer["processes"] = [describe_process(self.config), *workers]
        if ALL_TESTS in self.config.stash:
            footer["whole"] = self.config.stash[ALL_TESTS]
        self.writer.write(footer)
        self.writer.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table of cases and providers; the gate prints it itself."""
        if self.run_config.requested:
            return
        cases = policy.cases_by_provider(ledger.read_ledger(Path(self.run_config.ledger)).tests)
        if cases:
            terminalreporter.write_line("")
            terminalreporter.write(terminal.format_case_table(load_catalogue(), cases))
