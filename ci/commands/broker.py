"""`./ci/broker` sends pacts and results to a Pact Broker, and asks it whether the release may be deployed.

The broker is PACT_BROKER_BASE_URL. Its credentials are PACT_BROKER_TOKEN, or PACT_BROKER_USERNAME and
PACT_BROKER_PASSWORD.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from typing import TextIO

from ci.support.broker_question import ask_broker, install_pact_cli
from ci.support.cli import Answer, command
from ci.support.command_line import CommandParser
from ci.support.deployments import select_deployments
from ci.support.exit_codes import ExitCode
from ci.support.verdict_output import print_verdict
from fixtures.contracts.broker import client, pact_cli, verification
from fixtures.contracts.broker.can_i_deploy import (
    SHARED_EDGES,
    release_question,
)
from fixtures.contracts.broker.client import BrokerAccess, BrokerClient, BrokerError, BrokerUsageError
from fixtures.contracts.broker.selectors import PactQuery, Selector, check_selector
from fixtures.contracts.broker.verification import VerificationOutcome, VerificationPlan
from fixtures.contracts.pact.model import PactError
from fixtures.contracts.pact.verification import VerifierProcess
from fixtures.core import redaction, topology
from fixtures.core.errors import sort_by_similarity
from fixtures.core.findings import describe_finding
from fixtures.core.plain_text import to_line
from fixtures.core.topology import VERSIONS
from fixtures.targets.client import Unreachable
from fixtures.targets.config import TargetError
from fixtures.targets.target import Unobservable

PROVIDERS = tuple(dict.fromkeys(edge.provider for edge in SHARED_EDGES))
ERRORS = (BrokerError, PactError, TargetError, Unreachable, Unobservable)
MAX_PROBLEMS = 8


def print_outside(text: str, file: TextIO | None = None) -> None:
    """Print lines that a broker, a provider or Pact's command line may have written.

    Secrets are masked, nothing is hidden, and no CI system takes a line for a command.
    """
    for line in redaction.REDACTOR.redact_text(text).splitlines():
        printable_line = to_line(line)
        indent = "| " if printable_line.startswith("::") else line[: len(line) - len(line.lstrip(" "))]
        print(f"{indent}{printable_line}", file=file, flush=True)


def publish(options: argparse.Namespace, access: BrokerAccess) -> Answer:
    versions = VERSIONS if options.version == "both" else (options.version,)
    refused = 0
    with closing(BrokerClient(access)) as broker:
        broker.find_link("pb:publish-contracts")
        for code, text in pact_cli.publish_release(broker, install_pact_cli(), versions, options.branch):
            print_outside(text)
            refused += bool(code)
    print(f"{refused} publications refused" if refused else "All pacts are published.")
    return Answer(ExitCode.NO_GO if refused else ExitCode.GO, {"refused": refused})


def can_i_deploy(options: argparse.Namespace, access: BrokerAccess) -> Answer:
    answer = ask_broker(access, release_question(options.version, options.to_environment))
    for finding in answer.findings[:MAX_PROBLEMS]:
        print_outside(f"{describe_finding(finding)}\n")
    print(f"{answer.honoured} pacts between these versions are honoured, {len(answer.findings)} are not")
    findings = [describe_finding(finding) for finding in answer.findings]
    return answer_verdict(answer.verdict.word, answer.doubts, findings)


def verify(options: argparse.Namespace, access: BrokerAccess) -> Answer:
    names = options.provider or PROVIDERS
    for name in names:
        if name not in PROVIDERS:
            allowed = ", ".join(sort_by_similarity(name, PROVIDERS))
            raise BrokerUsageError(
                "unknown-provider", repr(name), f"allowed: {allowed}", "./ci/broker verify --help"
            )
    plan = make_plan(options, names)
    outcomes: list[VerificationOutcome] = []
    errors: list[str] = []
    with closing(BrokerClient(access)) as broker, closing(VerifierProcess()) as process:
        for name in names:
            try:
                for outcome in verification.verify_provider(broker, process, name, plan):
                    print_outside(str(outcome))
                    outcomes.append(outcome)
            except ERRORS as error:
                errors.append(str(error))
                if isinstance(error, BrokerError) and error.slug in ("broker-silent", "broker-refuses"):
                    break  # further requests are useless
    summary = verification.summarize_outcomes(outcomes, errors)
    for problem in summary.failed[:MAX_PROBLEMS]:
        print_outside(str(problem))
    for text in errors:
        print_outside(text, sys.stderr)
    return answer_verdict(summary.verdict.word, summary.reasons, list(map(str, summary.failed)))


def answer_verdict(word: str, reasons: Sequence[str], findings: Sequence[str]) -> Answer:
    """Print a verdict with its reasons, and return it with its findings; secrets are masked."""
    reasons, findings = (list(map(redaction.REDACTOR.redact_text, texts)) for texts in (reasons, findings))
    return Answer(print_verdict(word, reasons), {"verdict": word, "reasons": reasons, "findings": findings})


def make_plan(options: argparse.Namespace, names: Sequence[str]) -> VerificationPlan:
    """What the options of `verify` ask for. Raises BrokerUsageError or TargetError."""
    query = PactQuery(read_selectors(options), options.branch, pending=True)
    deployments = select_deployments(options)
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


SUBCOMMANDS: Mapping[str, Callable[..., Answer]] = {
    "publish": publish,
    "verify": verify,
    "can-i-deploy": can_i_deploy,
}


@command("broker", crashed="broker-crashed: this says nothing")
def main(_: CommandParser, options: argparse.Namespace) -> Answer:
    try:
        return SUBCOMMANDS[options.command](options, client.read_access(os.environ))
    except (BrokerUsageError, TargetError):
        raise
    except ERRORS as error:
        print_outside(str(error), sys.stderr)
        return Answer(ExitCode.UNDECIDED, {"verdict": "undecided", "reasons": [str(error).splitlines()[0]]})
