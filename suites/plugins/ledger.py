"""The pytest plugin of the process that sees every result: it keeps the ledger and prints the table."""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import payloads, redaction, terminal, urls
from fixtures.core.catalogue import Case, load
from fixtures.core.findings import UNHEARD, Finding, Findings, describe
from fixtures.generation import known
from fixtures.results import ledger, policy
from fixtures.targets import config as deployments
from suites.plugins import sharding

TRACE_LIMIT = 8000


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")


def properties_of(item: pytest.Item) -> list[tuple[str, str]]:
    """Which provider, or world of all of them, and which case a test is about, and what its file promises."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    place = params.get("provider") or params.get("world")
    named = {"provider": place, "case": params.get("case"), "promise": promise_of(item)}
    return [
        (key, value.id if isinstance(value, Case) else str(value)) for key, value in named.items() if value
    ]


def promise_of(item: pytest.Item) -> str:
    """What a test file proves: its docstring, up to the first colon or the end of its first sentence."""
    module = getattr(item, "module", None)
    first = re.split(r":\s|\.(?:\s|$)", (getattr(module, "__doc__", None) or "").strip(), maxsplit=1)[0]
    return " ".join(first.split())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send what a check found, and which case it was about, to the process that keeps the ledger."""
    report = yield
    if call.when == "teardown" or not report.passed:  # what is told once need not be sent three times
        report.user_properties += properties_of(item)
    if call.when == "teardown" and (unheard := UNHEARD.get()):
        report.user_properties.append(("overlooked", sorted({finding.check for finding in unheard})))
        unheard.clear()
    if call.excinfo is not None and isinstance(call.excinfo.value, Findings):
        again = reproduction(item.nodeid, item.config)
        findings = [one.at(item.nodeid, again).to_json() for one in call.excinfo.value.findings]
        found = [redaction.finding(one) for one in findings] if has_strangers(item.config) else findings
        report.user_properties.append(("findings", json.dumps(found)))
        told = "\n\n".join(describe(Finding(**finding)) for finding in found)
        report.longrepr = f"{told}\n\n  again:    {again}"
    if has_strangers(item.config):
        _without_secrets(report)
    return report


def has_strangers(config: pytest.Config) -> bool:
    """Whether a run meets anybody but what it made itself; without, developers may see everything."""
    options = config.option
    return bool(options.target or getattr(options, "targets", None) or options.replay)


def _without_secrets(report: pytest.TestReport) -> None:
    """Say why a test proved nothing without the secrets that the reason may hold; most hold none."""
    report.sections = [(name, redaction.text(str(said))) for name, said in report.sections]
    said = "" if isinstance(report.longrepr, str) else str(report.longrepr or "")  # findings are clean
    harmless = redaction.text(said)
    if harmless != said:
        report.user_properties.append(("why", redaction.text(_last_line(report))))
        report.longrepr = ("", 0, harmless) if isinstance(report.longrepr, tuple) else harmless


def reproduction(test: str, config: pytest.Config) -> str:
    """The command that runs one test of this run again."""
    options = config.option
    again = ["./ci/test", test, "--seed", str(options.seed), "--examples", str(options.examples)]
    named = [deployments.parse(option) for option in options.target]
    again += [part for name, url in named for part in ("--target", f"{name}={urls.shown(url)}")]
    again += [part for file in options.replay for part in ("--replay", file)]
    for name in ("targets", "environment"):
        value = getattr(options, name, None)
        again += [f"--{name}", value] if value else []
    again += [part for name in getattr(options, "i_own", ()) for part in ("--i-own", name)]
    again += ["--variant", options.variant] if options.variant else []
    url = sharding.known_at(config)
    return (known.again(url) if url else "") + shlex.join(again)


class Recorder:
    """Writes a ledger line for every test, from the reports that workers send or that are made here."""

    def __init__(self, config: pytest.Config, versions: Mapping[str, Any]) -> None:
        self.config = config
        self.versions = versions
        self.run = config.option.run_id or os.urandom(8).hex()
        self.started = time.monotonic()
        self.began = time.time()
        self.writer: ledger.Writer | None = None
        self.lines: dict[str, dict[str, Any]] = {}
        self.durations: dict[str, float] = {}
        self.begun: dict[str, tuple[float, str]] = {}

    def begin(self, collected: int) -> None:
        """Write the header, once the number of tests is known."""
        if self.writer is None:
            self.writer = ledger.Writer(Path(self.config.option.ledger))
            self.writer.write(
                {
                    "kind": "header",
                    "run": self.run,
                    "seed": self.config.option.seed,
                    "started_at": payloads.rfc3339(payloads.now()),
                    "versions": self.versions,
                    "collected": collected,
                    "environment": self.config.option.environment or ledger.LOCAL,
                    **sharding.told(self.config),
                }
            )

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist, the tests are collected here."""
        if not session.config.pluginmanager.hasplugin("dsession"):
            self.begin(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Each worker collects all tests; the first that is done tells how many."""
        self.begin(len(ids))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected is a broken test."""
        if report.failed:
            self.begin(0)
            self.write(report.nodeid, "broken", {}, f"cannot be collected: {_last_line(report)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test is done when its teardown is, or when its worker has crashed."""
        test = report.nodeid
        self.durations[test] = self.durations.get(test, 0.0) + getattr(report, "duration", 0.0)
        self.begun.setdefault(test, (getattr(report, "start", time.time()), worker_of(report)))
        properties: dict[str, Any] = dict(report.user_properties)
        why = properties.pop("why", "") or (_last_line(report) if report.longrepr else "")
        if report.failed:
            result = "failed" if "findings" in properties else "broken"
            message = str(report.longrepr) if result == "failed" else why
            shown = {} if result == "failed" else {"trace": str(report.longrepr)[-TRACE_LIMIT:]}
            self.lines.setdefault(test, {"result": result, "message": message, **shown, **properties})
        elif report.skipped:
            self.lines.setdefault(test, {"result": "skipped", "message": why, **properties})
        if report.when == "teardown" or report.when not in ("setup", "call"):
            line = {**properties, **self.lines.pop(test, {"result": "passed"})}
            line["reports"] = properties.get("reports", 0)
            self.write(test, line.pop("result"), line, line.pop("message", ""))

    def write(self, test: str, result: str, properties: Mapping[str, Any], message: str) -> None:
        """One line of the ledger."""
        assert self.writer is not None
        line = {
            "kind": "test",
            "test": test,
            "suite": "/".join(test.split("/")[:2]),
            "result": result,
            "duration_s": round(self.durations.get(test, 0.0), 4),
            "reports": int(properties.get("reports", 0)),
        }
        line |= {
            key: properties[key] for key in ("provider", "case", "promise", "overlooked") if key in properties
        }
        if test in self.begun:
            began, worker = self.begun[test]
            line |= {"started_s": round(max(0.0, began - self.began), 3), "worker": worker}
        line |= {key: json.loads(properties[key]) for key in ("findings", "rollout") if key in properties}
        said = {"message": message[:4000], "trace": str(properties.get("trace", ""))}
        if has_strangers(self.config):  # what no worker could clean, such as a crash of one
            said = {name: redaction.text(text) for name, text in said.items()}
        line |= {name: text[:TRACE_LIMIT] for name, text in said.items() if text}
        self.writer.write(line)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """The footer; without it, the run proves nothing."""
        self.begin(0)
        assert self.writer is not None
        for test, line in self.lines.items():
            self.write(test, "broken", line, line.get("message", "ended without a result"))
        self.writer.write(
            {
                "kind": "footer",
                "run": self.run,
                "tests": self.writer.tests,
                "exit_status": int(exitstatus),
                "duration_s": round(time.monotonic() - self.started, 3),
                **sharding.whole(self.config),
            }
        )
        self.writer.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The table of cases and providers, as the gate prints it."""
        cases = policy.cases_by_provider(ledger.read(Path(self.config.option.ledger)).tests)
        if cases:
            terminalreporter.write_line("")
            terminalreporter.write(terminal.case_table(load(), cases))


def worker_of(report: Any) -> str:
    """Which process ran a test."""
    return getattr(getattr(getattr(report, "node", None), "gateway", None), "id", "main")


def _last_line(report: Any) -> str:
    """Why a test proved nothing, in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = (
        crash.message
        if crash
        else report.longrepr[2]
        if isinstance(report.longrepr, tuple)
        else report.longrepr
    )
    lines = [line.strip() for line in str(text).splitlines() if line.strip()] or ["no reason given"]
    return re.sub(r"^fixtures\.[\w.]+: ", "", lines[0 if crash else -1])
