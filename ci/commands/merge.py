"""`./ci/merge --run ID DIR ...`: one verdict on all shards of a run, by the policy of the gate."""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ci.commands import report
from ci.support.cli import Answer, command, resolve_path, resolve_run_files
from ci.support.command_line import CommandParser
from ci.support.deployments import use_release
from ci.support.exit_codes import ExitCode
from ci.support.sharding import describe_checkout, find_ledgers
from ci.support.verdict_output import read_answer
from fixtures.core import catalogue, times
from fixtures.results import build_folder, ledger, policy, policy_file, shards
from fixtures.results.build_folder import RunFiles
from fixtures.results.policy_file import Policy
from fixtures.results.shards import ShardLedger


@command("merge", crashed="merge-crashed: this is no verdict")
def main(parser: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit as the gate does; undecided if the shards are not one whole run."""
    if not options.run:
        parser.error("--run takes the name that the shards were given as --run")
    use_release(options)
    own_policy = options.policy or ""
    required = policy_file.load_policy(
        Path(own_policy) if own_policy else None, for_release=options.release_gate
    )
    files = resolve_run_files(options)
    folders = [resolve_path(options.caller_folder, folder) for folder in options.folders]
    if any(folder in (files.build, *files.build.parents) for folder in folders):
        parser.error(f"{files.build} is cleared first, so it can be neither a DIR nor inside of one")
    with build_folder.lock(files.build):
        build_folder.begin_run(files)
        return read_answer(merge_shards(options, folders, files, required, own_policy), files.verdict)


def merge_shards(
    options: argparse.Namespace,
    folders: Sequence[Path],
    files: RunFiles,
    required: Policy,
    own_policy: str,
) -> ExitCode:
    ledgers, doubts = find_ledgers(folders)
    parts = [ShardLedger(str(file), ledger.read_ledger(file)) for file in ledgers]
    for part in parts:
        size = f"{len(part.ledger.tests):5} tests {part.ledger.duration_s:8.1f} s"
        print(f"{part.name:14} {size}  {part.location}")
    accepted, refused = shards.select_shards(parts, {"run": options.run, **describe_checkout(own_policy)})
    record = shards.merge_shards(accepted)
    gate_findings, gate_doubts = report.read_gate_results(accepted, required)
    problems = [*doubts, *refused, *record.problems, *gate_doubts]
    write_ledger(record, files.ledger, complete=not problems)
    for part in accepted:  # the rollout and the pact verifications that the shards wrote beside their ledgers
        for target in (files.rollout, files.verifications):
            source = Path(part.location).with_name(target.name)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
    header = {"run": options.run, "environment": ledger.DEFAULT_ENVIRONMENT}
    header |= {"started_at": times.format_time(times.utc_now()), **record.header}
    record = replace(record, header=header, problems=problems)
    verdict = policy.decide(
        record,
        required if record.tests else required.without_requirements(),
        catalogue.load_catalogue(),
        duration_s=record.duration_s,
        gate_findings=gate_findings,
    )
    return report.conclude(record, verdict, files, install_allure=options.allure)


def write_ledger(record: ledger.Ledger, file: Path, *, complete: bool) -> None:
    """Write the ledger of the whole run. Without a footer, no one takes an incomplete run for a whole one."""
    writer = ledger.LedgerWriter(file)
    for line in [*([record.header] if record.header else []), *record.tests]:
        writer.write(line)
    if complete:
        result = {"exit_status": 0, "duration_s": record.duration_s}
        writer.write({"kind": "footer", "run": record.header["run"], "tests": len(record.tests), **result})
    writer.close()
