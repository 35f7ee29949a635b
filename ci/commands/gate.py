"""`./ci/gate`: run the suites, read the ledger, and decide: go, no-go or undecided."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ci.commands import report
from ci.commands.cleanup_states import remove_leftovers
from ci.support import cli, spans, suite_process, verdict_output
from ci.support.broker_question import ask_about_release
from ci.support.cli import Answer, command
from ci.support.command_line import CommandParser
from ci.support.deployments import read_target_options, select_deployments, use_release
from ci.support.exit_codes import ExitCode
from ci.support.provenance import describe_provenance
from ci.support.sharding import ShardConfig, read_shard_options
from fixtures.contracts.broker.client import BrokerAccess, read_access
from fixtures.core import catalogue, redaction, surroundings, times
from fixtures.core.run_config import RunConfig
from fixtures.generation import example_database, recordings
from fixtures.results import build_folder, ledger, policy, policy_file, verdict_file, waivers
from fixtures.results.build_folder import RunFiles
from fixtures.results.policy_file import Policy
from fixtures.targets import deployed as targets
from fixtures.targets.client import Unreachable
from fixtures.targets.config import Deployment, TargetError
from fixtures.targets.provisioning.config import ProvisioningError
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.started import StartError, run_services
from fixtures.targets.target import Unobservable

# The environment of a run with deployments that name none.
DEPLOYED = "deployments"


@dataclass(frozen=True, kw_only=True)
class GateConfig:
    """Everything that the command line and the environment decide, checked as far as possible."""

    run: RunConfig
    deployments: Mapping[str, Deployment]
    files: RunFiles
    workers: int
    shard: ShardConfig | None
    known_failures: str
    settings_file: Path | None
    broker: BrokerAccess | None
    sends_spans: bool
    policy: Policy
    install_allure: bool
    # Why no run can prove anything, such as an unreadable catalogue; empty if all is well.
    startup_error: str

    @classmethod
    def from_options(cls, parser: CommandParser, options: argparse.Namespace) -> GateConfig:
        """Read the options. Exits with code 64, or raises UserError, if something in them is wrong."""
        surroundings.prepare_machine()
        use_release(options)
        if options.otlp:
            spans.prepare(os.environ)
        files = cli.resolve_run_files(options)
        shard = read_shard_options(options, files.durations)
        replay = [str(cli.resolve_path(options.caller_folder, file)) for file in options.replay or ()]
        run = replace(
            read_target_options(options),
            replay=tuple(replay),
            ledger=str(files.ledger),
            spent=str(files.request_counter),
            run_id=os.urandom(8).hex(),
            shard=None,
        )
        if run.examples < 1 or options.workers < 1:
            parser.error("--examples and -n take a whole number of 1 or more")
        selected = select_judged_deployments(options)
        startup_error = verdict_file.find_startup_error()
        required = policy_file.NO_REQUIREMENTS
        if not startup_error:
            required = load_requirements(run, for_release=options.release_gate)
        environments = [row.environment for row in selected.values() if row.environment]
        default = DEPLOYED if selected else ledger.DEFAULT_ENVIRONMENT
        today = times.utc_now().date()
        rows = waivers.read_waivers(Path(options.waivers), today) if options.waivers else ()
        run = replace(run, waiver_rows=rows, environment=run.environment or next(iter(environments), default))
        return cls(
            run=replace(run, shard=shard.describe(run)) if shard and not startup_error else run,
            deployments=selected,
            files=files,
            workers=options.workers,
            shard=shard,
            known_failures=options.known_failures,
            settings_file=options.settings_file,
            broker=read_access(os.environ) if options.broker else None,
            sends_spans=options.otlp,
            policy=required,
            install_allure=options.allure,
            startup_error=startup_error,
        )


def load_requirements(run: RunConfig, *, for_release: bool) -> Policy:
    """The policy of a run. Raises UserError if it or an answer to be replayed cannot be read."""
    policy = policy_file.load_policy(Path(run.policy) if run.policy else None, for_release=for_release)
    for file in run.replay:
        recordings.read_answers(Path(file))
    return policy


def select_judged_deployments(options: argparse.Namespace) -> Mapping[str, Deployment]:
    """The deployments that the options name. Raises UserError if the gate can judge none of them."""
    selected = select_deployments(options)
    if selected and not any(row.is_judged for row in selected.values()):
        problem = "they have neither start nor ports, so nothing can be handed to them"
        step = "say one of them, as docs/start.md says, or judge none"
        raise TargetError("no-deployment", ", ".join(selected), problem, step)
    if any(row.own_pacts and row.own_pacts.from_broker for row in selected.values()):
        read_access(os.environ)
    return selected


@command("gate", crashed="gate-crashed: this is no verdict")
def main(parser: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit 0 go, 1 no-go, 2 undecided, 64 wrong usage, 70 if the gate itself crashed."""
    try:
        if options.version:
            about = describe_provenance(RunConfig())
            print(f"fcm-compat {about['fcm-compat']}, commit {about['commit']}, {about['python']}")
            return Answer(ExitCode.GO, about)
        config = GateConfig.from_options(parser, options)
        with build_folder.lock(config.files.build) as lock:
            exit_code = run(config, lock)
            if config.sends_spans:
                spans.send_spans(config.files)
            return verdict_output.read_answer(exit_code, config.files.verdict)
    except OSError as error:
        if not cli.is_write_error(error):
            raise
        reason = f"cannot-write: {error.filename or 'a file'}: {error.strerror}"
        exit_code = verdict_output.print_verdict("undecided", [reason])
        return Answer(exit_code, {"verdict": "undecided", "reasons": [reason]})


def run(config: GateConfig, lock: int) -> ExitCode:
    """Run the suites and judge them. A shard is never asked for all tests, and is never a go."""
    identity = {"run": config.run.run_id, "environment": config.run.environment}
    build_folder.begin_run(config.files)
    if config.startup_error:
        return verdict_output.conclude_without_run(config.files, config.startup_error, identity)
    broker = ask_about_release(config.broker)
    started_at, start = times.format_time(times.utc_now()), time.monotonic()
    problems, notes = run_suites(config, lock)
    record = ledger.Ledger({}, (), ())  # no test could start
    if config.files.ledger.exists() or not problems:
        record = ledger.read_ledger(config.files.ledger)
    header = {**identity, "started_at": started_at, **record.header}
    record = replace(record, header=header)
    decision = policy.decide(
        record,
        config.policy if record.tests and not config.shard else config.policy.without_requirements(),
        catalogue.load_catalogue(),
        duration_s=time.monotonic() - start,
        gate_problems=[*problems, *broker.doubts, *([config.shard.doubt] if config.shard else [])],
        gate_findings=broker.findings,
    )
    verdict = {**decision, "notes": [*decision["notes"], *notes]}
    if not config.shard:
        return report.conclude(record, verdict, config.files, install_allure=config.install_allure)
    config.files.clear_report()  # only ./ci/merge makes a report
    verdict_file.write_verdict(config.files.verdict, verdict)
    verdict_output.print_summary(verdict, config.files)
    return verdict_output.print_judged(verdict)


def run_suites(config: GateConfig, lock: int) -> tuple[list[str], list[str]]:
    """Run the suites if all deployments answer, and remove test subscribers before and after.

    Returns why the result may be incomplete, and notes about what has to be cleaned up by hand.
    """
    clock = verdict_file.clock_offset()
    for line in targets.describe_deployments(config.deployments):
        print(line, flush=True)
    try:
        with run_services(config.deployments.values(), config.files.logs):
            problems, notes = run_at_deployments(config, lock)
    except StartError as error:
        problems, notes = [print_problem(error)], []
    return [*problems, *verdict_file.clock_problems(clock)], notes


def run_at_deployments(config: GateConfig, lock: int) -> tuple[list[str], list[str]]:
    remove_leftovers(config.files.build, config.deployments)  # subscribers of an earlier run that crashed
    try:
        inventory = Inventory(config.files.build / INVENTORY_FILE)
        if config.deployments:
            inventory.adopt_key()
        limiter = RateLimiter(config.files.request_counter)
        targets.describe_targets(config.deployments, limiter, inventory)
    except (Unreachable, Unobservable, TargetError, ProvisioningError) as error:
        problems = [print_problem(error)]
    else:
        problems = run_pytest(config, lock)
    return problems, remove_leftovers(config.files.build, config.deployments)


def print_problem(error: Exception) -> str:
    """Print an error, and return its first line."""
    message = redaction.REDACTOR.redact_text(str(error))
    print(message, file=sys.stderr)
    return message.splitlines()[0]


def run_pytest(config: GateConfig, lock: int) -> list[str]:
    """Run pytest, and return the problems of the run itself."""
    files = config.files
    environment = surroundings.suite_environment()
    if config.known_failures:  # in the environment, since other users can read command lines
        environment[example_database.VARIABLE] = config.known_failures
        if problem := example_database.connection_problem(config.known_failures):
            print(problem, file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="fcm-compat-") as private:
        run_file = Path(private) / "run.json"
        requested = suite_process.describe_gate_run(
            config.run, config.workers, config.shard.shard if config.shard else None
        )
        provenance = describe_provenance(config.run, config.settings_file)
        environment |= replace(config.run, requested=requested, provenance=provenance).write(run_file)
        # A run that lost a worker proves nothing, and a new worker may hang.
        tests = (*suite_process.gate_tests(), "--max-worker-restart=0")
        command = suite_process.run_command(tests, run_file, config.workers)
        command += config.shard.pytest_arguments if config.shard else []
        exit_status = suite_process.run_pytest(command, files, environment, lock)
    if exit_status is None:
        return ["interrupted: the run was stopped from outside"]
    if config.run.reads_outside_data:
        verdict_file.redact_log(files.pytest_log)
    header = ledger.read_ledger(files.ledger).header
    if header and (header["run"], header.get("requested")) != (config.run.run_id, requested):
        return [f"ledger-of-another-run: {header['run']} instead of {config.run.run_id}"]
    allowed = (0, 1, suite_process.NO_TESTS) if config.shard else (0, 1)  # a shard may have no tests
    if exit_status not in allowed:
        reason = verdict_file.last_error(files.pytest_log)
        return [f"suites-ended-badly: pytest exited {exit_status}; {reason}see {files.pytest_log}"]
    return []
