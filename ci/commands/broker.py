"""`./ci/broker` sends pacts and results to a Pact Broker, and asks it whether the release may be deployed.

The broker is PACT_BROKER_BASE_URL. Its credentials are PACT_BROKER_TOKEN, or PACT_BROKER_USERNAME and
PACT_BROKER_PASSWORD.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import closing

from ci.support import cli
from ci.support.cli import CommandParser, ExitCode
from ci.support.pact_cli import ask_broker, install_pact_cli
from fixtures.contracts.broker import client, pact_cli, verification
from fixtures.contracts.broker.can_i_deploy import SHARED_EDGES, release_question
from fixtures.contracts.broker.client import BrokerAccess, BrokerClient, BrokerError, BrokerUsageError
from fixtures.contracts.broker.selectors import PactQuery, Selector, check_selector
from fixtures.contracts.broker.verification import VerificationOutcome, VerificationPlan
from fixtures.contracts.pact.model import PactError
from fixtures.contracts.pact.verification import VerifierProcess
from fixtures.core import redaction, terminal, topology
from fixtures.core.findings import Verdict, describe_finding
from fixtures.core.topology import VERSIONS
from fixtures.targets.client import Unreachable
from fixtures.targets.config import TargetError
from fixtures.targets.target import Unobservable

PROVIDERS = tuple(dict.fromkeys(edge.provider for edge in SHARED_EDGES))
ERRORS = (BrokerError, PactError, TargetError, Unreachable, Unobservable)
MAX_PROBLEMS = 8
MAX_REASONS = 16


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand. A crash has an exit code of its own, so it never looks like an answer."""
    try:
        parser = make_parser()
        options = parser.parse_args(argv)
        try:
            exit_code: int = options.run(options, client.read_access(os.environ))
        except (BrokerUsageError, TargetError) as error:
            parser.refuse(error)
        except ERRORS as error:
            print(redaction.REDACTOR.redact_text(str(error)), file=sys.stderr)
            return ExitCode.UNDECIDED
    except Exception:  # noqa: BLE001  any error is a crash
        return cli.report_crash("broker-crashed: this says nothing")
    return exit_code


def make_parser() -> CommandParser:
    parser = CommandParser(prog="./ci/broker", description=__doc__)
    parser.epilog = "Exit: 0 done or yes, 1 refused or no, 2 undecided, 64 wrong usage. More: docs/broker.md"
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add_command(name: str, run: Callable[..., int], explanation: str) -> CommandParser:
        command: CommandParser = commands.add_parser(name, description=explanation, help=explanation)
        command.set_defaults(run=run)
        return command

    publishing = add_command("publish", publish, "publish pacts/ for the versions of the release")
    verifying = add_command("verify", verify, "verify the pacts that the broker selects")
    asking = add_command("can-i-deploy", can_i_deploy, "may all versions of the release go live together?")
    publishing.add_argument("--version", choices=(*VERSIONS, "both"), default="both", help="of the consumers")
    for command in (verifying, asking):
        explanation = "of the services (default after)"
        command.add_argument("--version", choices=VERSIONS, default="after", help=explanation)
    for command in (publishing, verifying):
        command.add_argument("--branch", default="main", help="where the versions come from (default main)")
    asking.add_argument("--to-environment", metavar="NAME", help="beside what is deployed there")
    add: Callable[..., object] = verifying.add_argument
    explanation = "only this one (repeatable)"
    add("--provider", choices=PROVIDERS, metavar="NAME", action="append", default=[], help=explanation)
    explanation = "a consumer version selector (repeatable)"
    add("--selector", metavar="JSON", action="append", default=[], help=explanation)
    add("--publish", action="store_true", help="publish the results of deployments")
    explanation = "and those of reference services, for the real ones"
    add("--publish-references", action="store_true", help=explanation)
    cli.add_target_options(verifying)
    return parser


def publish(options: argparse.Namespace, access: BrokerAccess) -> int:
    versions = VERSIONS if options.version == "both" else (options.version,)
    refused = 0
    with closing(BrokerClient(access)) as broker:
        broker.find_link("pb:publish-contracts")
        for code, text in pact_cli.publish_release(broker, install_pact_cli(), versions, options.branch):
            print(redaction.REDACTOR.redact_text(text), flush=True)
            refused += bool(code)
    print(f"{refused} publications refused" if refused else "All pacts are published.")
    return ExitCode.NO_GO if refused else ExitCode.GO


def can_i_deploy(options: argparse.Namespace, access: BrokerAccess) -> int:
    answer = ask_broker(access, release_question(options.version, options.to_environment))
    for finding in answer.findings[:MAX_PROBLEMS]:
        print(redaction.REDACTOR.redact_text(f"{describe_finding(finding)}\n"))
    print(f"{answer.honoured} pacts between these versions are honoured, {len(answer.findings)} are not")
    return print_verdict(answer.verdict, answer.doubts)


def verify(options: argparse.Namespace, access: BrokerAccess) -> int:
    names = options.provider or PROVIDERS
    plan = make_plan(options, names)
    outcomes: list[VerificationOutcome] = []
    errors: list[str] = []
    with closing(BrokerClient(access)) as broker, closing(VerifierProcess()) as process:
        for name in names:
            try:
                for outcome in verification.verify_provider(broker, process, name, plan):
                    print(outcome, flush=True)
                    outcomes.append(outcome)
            except ERRORS as error:
                errors.append(redaction.REDACTOR.redact_text(str(error)))
                if isinstance(error, BrokerError) and error.slug in ("broker-silent", "broker-refuses"):
                    break  # further requests are useless
    summary = verification.summarize_outcomes(outcomes, errors)
    for problem in summary.failed[:MAX_PROBLEMS]:
        print(redaction.REDACTOR.redact_text(str(problem)))
    for text in errors:
        print(text, file=sys.stderr)
    return print_verdict(summary.verdict, summary.reasons)


def make_plan(options: argparse.Namespace, names: Sequence[str]) -> VerificationPlan:
    """What the options of `verify` ask for. Raises BrokerUsageError or TargetError."""
    query = PactQuery(read_selectors(options), options.branch, pending=True)
    deployments = cli.select_deployments(options)
    deployments = {name: deployments[name] for name in deployments if name in topology.PROVIDERS}
    references = [name for name in names if name not in deployments]
    if options.publish and not options.publish_references and references:
        services = ", ".join(references)
        problem = f"a result would speak for the real {services}, and a reference service gave it"
        step = "add --publish-references, or --target NAME=URL"
        raise BrokerUsageError("reference-results", "--publish", problem, step)
    published: Collection[str] = deployments if options.publish else ()
    if options.publish_references:
        published = names
    return VerificationPlan(
        version=options.version, query=query, deployments=deployments, published=published
    )


def read_selectors(options: argparse.Namespace) -> tuple[Selector, ...]:
    """The selectors of --selector, or those of the main branch and of --branch."""
    if not options.selector:
        return ({"mainBranch": True}, {"branch": options.branch})
    try:
        return tuple(check_selector(json.loads(text)) for text in options.selector)
    except ValueError as error:
        problem = f"no JSON: {error}"
        raise BrokerUsageError("bad-selector", "--selector", problem, "quote it for the shell") from error


def print_verdict(verdict: Verdict, reasons: Sequence[str]) -> ExitCode:
    """Print a verdict with its first reasons, and return its exit code."""
    print(terminal.format_verdict(verdict.word, color=sys.stdout.isatty()))
    for reason in reasons[:MAX_REASONS]:
        print(f"  because {redaction.REDACTOR.redact_text(reason)}")
    return cli.VERDICT_EXIT_CODES[verdict.word]


if __name__ == "__main__":
    sys.exit(main())
