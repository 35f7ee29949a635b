"""`./ci/report [LEDGER ...]`: the report of recorded runs; shards of one environment are judged together."""

import argparse
import json
import os
import shutil
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ci.support import allure
from ci.support.cli import VERDICT_EXIT_CODES, CommandParser, ExitCode, command, resolve_path
from ci.support.sharding import read_commit, write_durations
from ci.support.suite_process import RunFiles
from ci.support.verdict_output import print_summary, print_verdict
from fixtures.core import catalogue, redaction
from fixtures.core.errors import UserError
from fixtures.core.plain_text import to_line
from fixtures.core.project import ROOT
from fixtures.results import ledger, policy, shards, verdict_file
from fixtures.results.ledger import Ledger
from fixtures.results.report import exports, history, wording
from fixtures.results.report.allure import build_allure_files
from fixtures.results.report.cells import ReportContext
from fixtures.results.report.headline import format_headline
from fixtures.results.report.model import ReportRun, worst_verdict
from fixtures.results.report.pages import build_pages

ROLLOUT_PICTURES = ("timeline", "constraints", "lattice")


@command("report", __doc__, crashed="report-crashed: this is no verdict")
def main(_: CommandParser, options: argparse.Namespace) -> int:
    """Exit as the gate does, by the worst verdict of the environments; 70 if the report crashed."""
    files = RunFiles.from_options(options)
    ledgers = [resolve_path(options.caller_folder, file) for file in options.ledger] or [files.ledger]
    for file in ledgers:
        if not file.is_file():
            next_step = "./ci/gate, which writes build/ledger.jsonl"
            raise UserError("no-ledger", repr(str(file)), "no such file", next_step)
    runs, missing = write_report(read_runs(ledgers), files)
    print(format_headline(runs))
    print_report(missing, files)
    return VERDICT_EXIT_CODES[worst_verdict(runs)]


def read_runs(files: Sequence[Path]) -> list[ReportRun]:
    """One run for each environment."""
    by_environment: dict[str, list[tuple[Path, Ledger]]] = {}
    for file in files:
        record = ledger.read_ledger(file)
        by_environment.setdefault(record.environment, []).append((file, record))
    return [judge_run(records) for records in by_environment.values()]


def judge_run(records: Sequence[tuple[Path, Ledger]]) -> ReportRun:
    """Merge the ledgers of one environment and decide; a single whole run keeps the verdict of the gate."""
    cases = catalogue.load_catalogue()
    file, record = records[0]
    verdict = file.parent / "verdict.json"
    if len(records) == 1 and verdict.is_file():
        return ReportRun(record, json.loads(verdict.read_text(encoding="utf-8")), cases)
    if any("shard" in record.header for _, record in records):
        parts = [shards.ShardLedger(str(file), record) for file, record in records]
        accepted, problems = shards.select_shards(parts, {})
        merged = shards.merge_shards(accepted)
        merged = replace(merged, problems=[*problems, *merged.problems])
    else:
        merged = ledger.merge_ledgers([record for _, record in records])
    decision = policy.decide(merged, policy.load_policy(), cases, duration_s=merged.duration_s)
    return ReportRun(merged, decision, cases)


def conclude(record: Ledger, verdict: Mapping[str, Any], files: RunFiles) -> ExitCode:
    """Write verdict, durations and report of a whole run, and print them. Returns the exit code.

    The verdict becomes undecided if the report cannot be written or does not show every test.
    """
    write_durations(files.durations, record)
    interrupted = policy.add_undecided_reason(verdict, "gate-ended: it ended before its report was made")
    verdict_file.write_verdict(files.verdict, interrupted)
    run = ReportRun(record, verdict, catalogue.load_catalogue())
    try:
        (run,), missing = write_report([run], files)
    except Exception as error:  # noqa: BLE001  the findings must be printed whatever happens
        print(redaction.REDACTOR.redact_text(traceback.format_exc()), file=sys.stderr)
        problem = f"report-crashed: {type(error).__name__}: {error}".splitlines()[0]
        missing = redaction.REDACTOR.redact_text(problem)
        run = replace(run, verdict=policy.add_undecided_reason(verdict, missing))
    final = run.verdict
    verdict_file.write_verdict(files.verdict, final)
    print_summary(final, files)
    print_report(missing, files)
    return print_verdict(final["verdict"], final["reasons"], final.get("notes", ()))


def write_report(runs: Sequence[ReportRun], files: RunFiles) -> tuple[Sequence[ReportRun], str]:
    """Write exports, Allure and the pages; a run becomes undecided if Allure does not show every test.

    Returns the runs as the report judges them, and why it has no Allure pages.
    """
    for folder in (files.pages, files.allure_results):  # Allure would show the pages of an earlier run again
        shutil.rmtree(folder, ignore_errors=True)
    files.history.mkdir(parents=True, exist_ok=True)
    ci_build, commit = find_ci_build(os.environ), read_commit(ROOT)
    paths = {name: files.rollout / f"{name}.svg" for name in ROLLOUT_PICTURES}
    pictures = {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.is_file()}
    source_url = find_source_url(os.environ)
    allure.write_texts(files.allure_results, build_allure_files(runs, source_url, pictures))
    past_runs = []
    if files.past_runs.exists():
        past_runs = history.parse_history(files.past_runs.read_text(encoding="utf-8"))
    keys = {(run["environment"], run["run"]) for run in past_runs}
    folders = {
        "results": files.allure_results,
        "output": files.allure_pages,
        "history": files.allure_history,
    }
    facts = {"Commit": commit or "unknown", "Run by": ci_build or "a person"}
    in_history = all(run.key in keys for run in runs)
    allure_result = allure.generate_pages(runs, folders, facts, in_history=in_history)
    if allure_result.problem:
        doubted = policy.add_undecided_reason(runs[0].verdict, allure_result.problem)
        runs = [replace(runs[0], verdict=doubted), *runs[1:]]
    new_runs = [history.summarize_run(run, commit) for run in runs]
    about = ReportContext(
        commit=commit,
        executor=ci_build,
        allure=not allure_result.missing,
        without_allure=allure_result.missing,
        changes={run["environment"]: history.find_changes(past_runs, run) for run in new_runs},
        pictures=pictures,
        links=[*([] if allure_result.missing else wording.LINKS["allure"]), *wording.LINKS["others"]],
    )
    allure.write_texts(files.pages, {**build_pages(runs, about), **render_exports(runs, about)})
    files.junit.write_text(exports.format_junit(runs), encoding="utf-8")
    files.past_runs.write_text(history.append_runs(past_runs, new_runs), encoding="utf-8")
    return runs, allure_result.missing


def render_exports(runs: Sequence[ReportRun], about: ReportContext) -> dict[str, str]:
    """The exports beside the pages, by file name."""
    changes = [line for change in about.changes.values() for line in history.describe_changes(change)]
    return {
        "exports/cases.csv": exports.format_cases_csv(runs),
        "exports/ctrf.json": json.dumps(exports.build_ctrf(runs), indent=1) + "\n",
        "exports/summary.md": exports.format_markdown(runs, changed=changes),
    }


def find_ci_build(environ: Mapping[str, str]) -> str:
    """The name of the CI system with its build number; empty outside of CI."""
    for name, number in (("GITHUB_ACTIONS", "GITHUB_RUN_NUMBER"), ("GITLAB_CI", "CI_PIPELINE_ID")):
        if environ.get(name):
            return f"{name.partition('_')[0].capitalize()} build {environ.get(number, '?')}"
    return environ.get("BUILD_TAG", "")


def find_source_url(environ: Mapping[str, str]) -> str:
    """The web address of this commit's files, if the CI system says it."""
    if environ.get("GITHUB_SHA") and environ.get("GITHUB_REPOSITORY"):
        host = environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{host}/{environ['GITHUB_REPOSITORY']}/blob/{environ['GITHUB_SHA']}"
    if environ.get("CI_PROJECT_URL") and environ.get("CI_COMMIT_SHA"):
        return f"{environ['CI_PROJECT_URL']}/-/blob/{environ['CI_COMMIT_SHA']}"
    return ""


def print_report(missing: str, files: RunFiles) -> None:
    """Print where the report is, and how to get what is missing of it."""
    print(f"report: {files.pages / 'index.html'}")
    if missing:
        print(f"  {to_line(missing)}")
