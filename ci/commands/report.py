"""`./ci/report [LEDGER ...]`: the report of recorded runs; shards of one environment are judged together."""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ci.support import allure
from ci.support.cli import Answer, command, resolve_path, resolve_run_files
from ci.support.command_line import CommandParser
from ci.support.deployments import use_release
from ci.support.exit_codes import VERDICT_EXIT_CODES, ExitCode
from ci.support.sharding import ONE_SHARD, read_commit, write_durations
from ci.support.verdict_output import print_judged, print_summary
from fixtures.core import catalogue, redaction, schemas
from fixtures.core.errors import UserError
from fixtures.core.findings import Finding
from fixtures.core.plain_text import to_line
from fixtures.core.project import ROOT
from fixtures.results import build_folder, ledger, policy, shards, verdict_file
from fixtures.results.build_folder import RunFiles
from fixtures.results.ledger import Ledger
from fixtures.results.policy_file import Policy, load_policy
from fixtures.results.report import exports, history, wording
from fixtures.results.report.allure import build_allure_files
from fixtures.results.report.cells import ReportContext
from fixtures.results.report.headline import format_headline
from fixtures.results.report.model import ReportRun, worst_verdict
from fixtures.results.report.pages import build_pages, build_traffic_files
from fixtures.results.report.sarif import format_sarif
from fixtures.results.shards import ShardLedger

ROLLOUT_PICTURES = ("timeline", "constraints", "lattice")


@command("report", crashed="report-crashed: this is no verdict")
def main(_: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit as the gate does, by the worst verdict of the environments; 70 if the report crashed."""
    use_release(options)
    required = load_policy(Path(options.policy) if options.policy else None)
    files = resolve_run_files(options)
    ledgers = [resolve_path(options.caller_folder, file) for file in options.ledger] or [files.ledger]
    for file in ledgers:
        if not file.is_file():
            next_step = "./ci/gate, which writes build/ledger.jsonl"
            raise UserError("no-ledger", repr(str(file)), "no such file", next_step)
    with build_folder.lock(files.build):
        files.clear_report()  # if this ends early, no earlier report speaks for these ledgers
        runs = read_runs(ledgers, required)
        missing = write_report(runs, files, install_allure=options.allure)
    print(format_headline(runs))
    print_report(missing, files)
    worst = worst_verdict(runs)
    return Answer(VERDICT_EXIT_CODES[worst], {"verdict": worst, "runs": [run.verdict for run in runs]})


def read_runs(files: Sequence[Path], required: Policy) -> list[ReportRun]:
    """One run for each environment."""
    by_environment: dict[str, list[tuple[Path, Ledger]]] = {}
    for file in files:
        record = ledger.read_ledger(file)
        by_environment.setdefault(record.environment, []).append((file, record))
    return [judge_run(records, required) for records in by_environment.values()]


def judge_run(records: Sequence[tuple[Path, Ledger]], required: Policy) -> ReportRun:
    """Merge the ledgers of one environment and decide; a single whole run keeps the verdict of the gate."""
    cases = catalogue.load_catalogue()
    if len(records) == 1 and (verdict := read_gate_verdict(*records[0])):
        return ReportRun(records[0][1], verdict, cases)
    parts = [shards.ShardLedger(str(file), record) for file, record in records]
    if any(part.shard for part in parts):
        accepted, problems = shards.select_shards(parts, {})
        merged = shards.merge_shards(accepted)
        merged = replace(merged, problems=[*problems, *merged.problems])
    else:
        merged = ledger.merge_ledgers([record for _, record in records])
    findings, doubts = read_gate_results(parts, required)
    decision = policy.decide(
        merged,
        required,
        cases,
        duration_s=merged.duration_s,
        gate_problems=doubts,
        gate_findings=findings,
    )
    return ReportRun(merged, decision, cases)


def read_gate_verdict(file: Path, record: Ledger) -> Mapping[str, Any]:
    """What a gate said of the run of a ledger; empty if there is only the verdict of another run, or none."""
    path = file.parent / "verdict.json"
    verdict: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if not verdict.get("run") or verdict["run"] != record.header.get("run"):
        return {}
    schemas.validate(verdict, "verdict.schema.json")
    results = {line["result"] for line in record.tests}
    contradicts = record.problems or results - {"passed", "waived", "not-judged"}
    if verdict["verdict"] == "go" and contradicts:
        return policy.add_undecided_reason(verdict, f"verdict-contradicts-ledger: {file}; next: ./ci/gate")
    return verdict


def read_gate_results(parts: Iterable[ShardLedger], required: Policy) -> tuple[list[Finding], list[str]]:
    """What the gates of some ledgers found and doubted beside their tests, such as a clock that was set."""
    findings: list[Finding] = []
    doubts = []
    for part in parts:
        verdict = read_gate_verdict(Path(part.location), part.ledger)
        if not verdict:
            problem = "the verdict.json beside it is not of this run; next: ./ci/gate"
            doubts.append(f"ledger-of-no-gate: {part.location}: {problem}")
            continue
        all_rows = [*verdict["findings"], *verdict.get("waived", ())]
        in_ledger = [finding for line in part.ledger.tests for finding in line.get("findings", ())]
        beside = [Finding.from_json(row) for row in all_rows if row not in in_ledger]
        findings += [finding for finding in beside if finding not in findings]
        ledger_reasons = policy.decide(
            part.ledger,
            required.without_requirements() if part.shard else required,
            catalogue.load_catalogue(),
            duration_s=0,
            gate_findings=beside,
        )["reasons"]
        reasons = [reason for reason in verdict["reasons"] if reason not in ledger_reasons]
        doubts += [f"{part.name}: {reason}" for reason in reasons if not reason.startswith(ONE_SHARD)]
    return findings, doubts


def conclude(
    record: Ledger, verdict: Mapping[str, Any], files: RunFiles, *, install_allure: bool
) -> ExitCode:
    """Write verdict, durations and report of a whole run, and print them. Returns the exit code.

    The verdict becomes undecided if the report cannot be written.
    """
    write_durations(files.durations, record)
    interrupted = policy.add_undecided_reason(verdict, "gate-ended: it ended before its report was made")
    verdict_file.write_verdict(files.verdict, interrupted)
    run = ReportRun(record, verdict, catalogue.load_catalogue())
    try:
        missing = write_report([run], files, install_allure=install_allure)
    except Exception as error:  # noqa: BLE001  the findings must be printed whatever happens
        print(redaction.REDACTOR.redact_text(traceback.format_exc()), file=sys.stderr)
        problem = f"report-crashed: {type(error).__name__}: {error}".splitlines()[0]
        missing = redaction.REDACTOR.redact_text(problem)
        run = replace(run, verdict=policy.add_undecided_reason(verdict, missing))
    final = run.verdict
    verdict_file.write_verdict(files.verdict, final)
    print_summary(final, files)
    print_report(missing, files)
    return print_judged(final)


def write_report(runs: Sequence[ReportRun], files: RunFiles, *, install_allure: bool = False) -> str:
    """Write exports, Allure and the pages. Returns why there are no Allure pages."""
    files.clear_report()
    files.history.mkdir(parents=True, exist_ok=True)
    ci_build, commit = find_ci_build(os.environ), read_commit(ROOT)
    paths = {name: files.rollout / f"{name}.svg" for name in ROLLOUT_PICTURES}
    pictures = {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.is_file()}
    source_url = find_source_url(os.environ)
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
    # A run that was made without Allure is in the history, but not in Allure's.
    in_history = files.allure_history.exists() and all(run.key in keys for run in runs)
    missing = allure.generate_pages(
        runs,
        folders,
        facts,
        make_results=lambda: build_allure_files(runs, source_url, pictures),
        in_history=in_history,
        install=install_allure,
    )
    new_runs = [history.summarize_run(run, commit) for run in runs]
    about = ReportContext(
        commit=commit,
        executor=ci_build,
        allure=not missing,
        without_allure=missing,
        changes={run["environment"]: history.find_changes(past_runs, run) for run in new_runs},
        pictures=pictures,
        links=[*([] if missing else wording.LINKS["allure"]), *wording.LINKS["others"]],
    )
    pages = {**build_pages(runs, about), **build_traffic_files(runs), **render_exports(runs, about)}
    allure.write_texts(files.pages, pages)
    files.junit.write_text(exports.format_junit(runs), encoding="utf-8")
    files.sarif.write_text(format_sarif(runs), encoding="utf-8")
    files.past_runs.write_text(history.append_runs(past_runs, new_runs), encoding="utf-8")
    return missing


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
