"""`./ci/doctor` checks, before any test, whether the deployments of a targets file can be tested at all."""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from botocore.exceptions import HTTPClientError
from rich.table import Table

from ci.commands.cleanup_states import remove_leftovers
from ci.support.cli import Answer, command, resolve_build_folder, resolve_path
from ci.support.command_line import CommandParser
from ci.support.deployments import select_deployments
from ci.support.exit_codes import ExitCode
from fixtures.contracts.pact_probe import examine_pacts
from fixtures.core import redaction, terminal
from fixtures.core.console import wants_color
from fixtures.core.errors import UserError
from fixtures.core.plain_text import show_hidden
from fixtures.core.topology import SUBSCRIBER_PROVIDERS
from fixtures.platform import sqs
from fixtures.scenarios.deployed_services import DeployedService
from fixtures.scenarios.isolated_services import IsolatedScenario
from fixtures.scenarios.sender.scenario import SenderScenario
from fixtures.scenarios.sender.senders import run_deployed_sender
from fixtures.targets.adapters.suggestion import suggest_delivery, write_draft
from fixtures.targets.authentication import create_transport
from fixtures.targets.client import Unreachable
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import describe_deployments, require_addresses
from fixtures.targets.doctor import MAX_TIMEOUT_S, ProbeResult, examine_deployments
from fixtures.targets.http import NoResponse
from fixtures.targets.own_pacts import load_pact
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.start_config import SURROUNDINGS
from fixtures.targets.started import StartError, run_services
from fixtures.targets.target import Unobservable

TABLE_WIDTH = 140
# Without good answers to these questions, no interaction of a pact can take place.
BEFORE_PACTS = ("reachable", "auth")


@command("doctor", crashed="doctor-crashed: this says nothing about the deployments")
def main(parser: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit 0 if all is well, 2 if a gate there would be undecided, 64 wrong usage, 70 its own crash."""
    if options.suggest:
        return print_suggestion(options)
    build = resolve_build_folder(options)
    deployed = select_deployments(options)
    if not deployed:
        parser.error("there is nothing to look at; allowed: --targets FILE, or --target NAME=URL")
    if not options.json:
        print(*describe_deployments(deployed, are_probed=True), sep="\n", flush=True)
    start = time.monotonic()
    isolated = [row for name, row in deployed.items() if name in SURROUNDINGS and row.is_judged]
    deployed = {name: row for name, row in deployed.items() if row not in isolated}
    inventory = Inventory(build / INVENTORY_FILE)
    inventory.adopt_key()
    try:
        with tempfile.TemporaryDirectory(prefix="fcm-compat-doctor-") as folder:
            limiter = RateLimiter(Path(folder) / "spent")
            with run_services(deployed.values(), build / "logs"):
                try:
                    results = examine_deployments(deployed, limiter, inventory, count_messages)
                    ill = {row.service for row in results if not row.well and row.question in BEFORE_PACTS}
                    for name in deployed.keys() - ill:
                        pacts = examine_pacts(deployed[name], limiter, inventory, timeout_s=MAX_TIMEOUT_S)
                        results += list(pacts)
                    results += [examine_isolated(row, limiter, build / "logs") for row in isolated]
                finally:
                    notes = remove_leftovers(build, deployed)
    except StartError as error:
        details = f"{error.slug}: {error.problem}"
        result = ProbeResult(
            service=error.value.partition(":")[0], question="start", well=False, details=details,
            next_step=error.next_step,
        )  # fmt: skip
        results, notes = [result], []
    redact = redaction.REDACTOR.redact_text
    results = [replace(result, details=show_hidden(redact(result.details))) for result in results]
    if not options.json:
        print_results(results, time.monotonic() - start)
    print(*notes, sep="\n", end="\n" if notes else "", file=sys.stderr)
    exit_code = ExitCode.GO if all(result.well for result in results) else ExitCode.UNDECIDED
    return Answer(exit_code, [result.as_json() for result in results])


def print_suggestion(options: argparse.Namespace) -> Answer:
    """Print the draft. Exit 0 if it holds all that a delivery needs. Raises UserError for what is no pact."""
    file = resolve_path(options.caller_folder, options.suggest)
    suggestion = suggest_delivery(load_pact(file, file.name), file.name)
    table = f"environments.{options.environment or 'staging'}.services.{SUBSCRIBER_PROVIDERS[0]}"
    draft = show_hidden(write_draft(suggestion, file.name, table))
    print(draft, end="")
    exit_code = ExitCode.UNDECIDED if suggestion.missing else ExitCode.GO
    return Answer(exit_code, {"draft": draft, "missing": list(suggestion.missing)})


def examine_isolated(deployment: Deployment, limiter: RateLimiter, logs: Path) -> ProbeResult:
    """Hand one thing to a service between surroundings of the suite, and see whether it comes through."""
    details, next_step, well = "one thing came through to its surroundings", "", False
    try:
        require_addresses(deployment)
        if deployment.name == "go-sender":
            with run_deployed_sender(deployment, logs) as sender:
                SenderScenario(sender, deployment.judged_on.protocols[0]).prove_surroundings()
                details += sender.surroundings.sink.wire.describe_last()
        else:
            with DeployedService(deployment, limiter, logs) as service:
                IsolatedScenario(service).prove_surroundings()
                details += service.wire.describe_last()
        well = True
    except UserError as error:
        details, next_step = f"{error.slug}: {error.problem}", error.next_step
    except (Unobservable, Unreachable) as error:
        details, _, next_step = error.problem.partition("\n  next: ")
    return ProbeResult(
        service=deployment.name, question="surroundings", well=well, details=details, next_step=next_step
    )


def count_messages(queue: Deployment, before_request: Callable[[], None]) -> int:
    """The messages that wait in an SQS queue. boto3 repeats requests, so each one is announced.

    The transport to a deployment sends them, because it checks where a connection leads.
    """
    parts = urlsplit(queue.url)
    client, transport = sqs.connect(f"{parts.scheme}://{parts.netloc}"), create_transport(queue)

    def send(method: str, url: str, content: bytes, headers: Mapping[str, str]) -> sqs.Answer:
        before_request()
        try:
            response = transport.send(method, url, content, headers)
        except NoResponse as error:
            raise HTTPClientError(error=error) from error
        return response.status, response.headers, response.content

    sqs.send_with(client, send)
    with contextlib.closing(transport):
        return sqs.existing_queue(client, queue.url).count()


def print_results(results: Sequence[ProbeResult], seconds: float) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("service", "question", "", "found"):
        table.add_column(column, overflow="fold")
    for result in results:
        sign = "[green]✓[/]" if result.well else "[bold red]✗[/]"
        step = f"\nnext: {result.next_step}" if result.next_step else ""
        details = f"{result.details}{step}".replace("[", r"\[")
        table.add_row(result.service, result.question, sign, details)
    print(terminal.render_table(table, width=TABLE_WIDTH, color=wants_color()))
    bad = sum(not result.well for result in results)
    summary = (
        f"{bad} of {len(results)} not well: mend these first"
        if bad
        else "all well: the gate can be run there"
    )
    print(f"{summary} ({seconds:.1f} s)")
