"""`./ci/broker` tells a Pact Broker our pacts and results, and asks it whether the release may be deployed.

The broker is PACT_BROKER_BASE_URL. Who asks is PACT_BROKER_TOKEN, or PACT_BROKER_USERNAME and
PACT_BROKER_PASSWORD.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from ci.support.cli import CommandParser, ExitCode, add_target_options, report_crash, select_deployments
from ci.support.pact_cli import ask_broker, install_pact_cli
from fixtures.contracts import PactError, pact_path, read_pact
from fixtures.contracts.broker import (
    can_i_deploy as deploying,
)
from fixtures.contracts.broker import (
    config as access,
)
from fixtures.contracts.broker import (
    pact_cli as official,
)
from fixtures.contracts.broker import (
    selectors as selection,
)
from fixtures.contracts.broker import verification as brokered
from fixtures.contracts.broker.client import BrokerClient
from fixtures.contracts.broker.config import BrokerAccess, BrokerError, BrokerUsageError
from fixtures.contracts.broker.selectors import PactQuery
from fixtures.contracts.broker.verification import ProviderUnderTest, VerificationOutcome
from fixtures.core import redaction, terminal, topology
from fixtures.core.findings import Verdict, describe
from fixtures.core.topology import EDGES, EMULATED, VERSIONS, Edge, version_number
from fixtures.targets.client import Unreachable
from fixtures.targets.config import Deployment, TargetError
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.target import Target, Unobservable, connect

SHARED = tuple(edge for edge in EDGES if edge.provider not in EMULATED)
"""The edges whose pacts a broker holds: FCM verifies nothing, and can-i-deploy would wait for it for ever."""

PROVIDERS = tuple(dict.fromkeys(edge.provider for edge in SHARED))
EXITS = {Verdict.GO: ExitCode.GO, Verdict.NO_GO: ExitCode.NO_GO, Verdict.UNDECIDED: ExitCode.UNDECIDED}
TROUBLES = (BrokerError, PactError, TargetError, Unreachable, Unobservable)
GONE = ("broker-silent", "broker-refuses")
"""Of a broker that answers so, nothing else need be asked."""

PUBLISH = "pb:publish-pact"
"""Where the pact of a version is, and would be put: the link has the same address."""

UNSTATED = "unstated"
SHOWN = 8
EPILOG = "Exit: 0 done or yes, 1 refused or no, 2 nobody knows, 64 wrong usage. More: docs/broker.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Do what a subcommand says; a crash must not look like an answer."""
    try:
        return done(*parsed(argv))
    except Exception:  # noqa: BLE001  whatever it is
        return report_crash("broker-crashed: this says nothing")


def done(parser: CommandParser, options: argparse.Namespace) -> int:
    """What a subcommand came to."""
    try:
        asked = access.read_access(os.environ)
        code: int = options.run(options, asked)
    except (BrokerUsageError, TargetError) as error:
        parser.refuse(error)
    except TROUBLES as error:
        print(redaction.text(str(error)), file=sys.stderr)
        return ExitCode.UNDECIDED
    return code


def parsed(argv: Sequence[str] | None) -> tuple[CommandParser, argparse.Namespace]:
    """The command line."""
    parser = CommandParser(prog="./ci/broker", description=__doc__)
    parser.epilog = EPILOG
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    publishing = added(commands, "publish", publish, "publish pacts/ for the versions of the release")
    verifying = added(commands, "verify", verify, "verify the pacts that the broker selects")
    asking = added(
        commands, "can-i-deploy", can_i_deploy, "may all versions of the release go live together?"
    )
    publishing.add_argument("--version", choices=(*VERSIONS, "both"), default="both", help="of the consumers")
    for command in (verifying, asking):
        about = "of the services (default after)"
        command.add_argument("--version", choices=VERSIONS, default="after", help=about)
    for command in (publishing, verifying):
        command.add_argument("--branch", default="main", help="where the versions come from (default main)")
    asking.add_argument("--to-environment", metavar="NAME", help="beside what is deployed there")
    add: Callable[..., object] = verifying.add_argument
    lists = {"action": "append", "default": []}
    add("--provider", choices=PROVIDERS, metavar="NAME", help="only this one (repeatable)", **lists)
    add("--selector", metavar="JSON", help="a consumer version selector (repeatable)", **lists)
    add("--publish", action="store_true", help="publish the results of deployments")
    about = "and those of reference services, for the real ones"
    add("--publish-references", action="store_true", help=about)
    add_target_options(verifying)
    return parser, parser.parse_args(argv)


def added(commands: Any, name: str, run: Callable[..., int], about: str) -> CommandParser:
    """A subcommand."""
    command: CommandParser = commands.add_parser(name, description=about, help=about)
    command.set_defaults(run=run)
    return command


def publish(options: argparse.Namespace, asked: BrokerAccess) -> int:
    """Publish the committed pacts, consumer by consumer."""
    refused = 0
    with contextlib.closing(BrokerClient(asked)) as broker:
        broker.find_link("pb:publish-contracts")
        program = install_pact_cli()
        for version in VERSIONS if options.version == "both" else (options.version,):
            for consumer in dict.fromkeys(edge.consumer for edge in SHARED):
                edges = [edge for edge in SHARED if edge.consumer == consumer]
                number, files = (
                    version_number(consumer, version),
                    [pact_path(edge, version) for edge in edges],
                )
                said = official.publish_pacts(program, asked, files, number, options.branch)
                print(redaction.text(said.text), flush=True)
                if said.code:
                    demand_another(broker, edges, version)
                    refused += 1
    print(f"{refused} publications refused" if refused else "All pacts are published.")
    return ExitCode.NO_GO if refused else ExitCode.GO


def demand_another(broker: BrokerClient, edges: Sequence[Edge], version: str) -> None:
    """Raise BrokerError unless a publication failed because the broker has another pact of that version."""
    for edge in edges:
        number = version_number(edge.consumer, version)
        ends = {"provider": edge.provider, "consumer": edge.consumer}
        known = broker.request(
            "GET", broker.find_link(PUBLISH, **ends, consumerApplicationVersion=number), absent=True
        )
        if known and interactions_of(known) != interactions_of(read_pact(edge, version)):
            return
    name = f"{edges[0].consumer} {version_number(edges[0].consumer, version)}"
    problem = f"the publication of {name} failed, and for no reason that lies in its pacts"
    raise BrokerError("not-published", broker.access.url, problem)


def interactions_of(pact: Mapping[str, Any]) -> list[str]:
    """What a pact holds, without the ids that a broker gives to each interaction."""
    own = (
        {name: value for name, value in one.items() if name != "_id"} for one in pact.get("interactions", ())
    )
    return sorted(json.dumps(one, sort_keys=True) for one in own)


def can_i_deploy(options: argparse.Namespace, asked: BrokerAccess) -> int:
    """Print what the broker says of all services of the release."""
    answer = ask_broker(asked, deploying.release_question(options.version, options.to_environment))
    for finding in answer.findings[:SHOWN]:
        print(redaction.text(f"{describe(finding)}\n"))
    print(f"{answer.honoured} pacts between these versions are honoured, {len(answer.findings)} are not")
    return said(answer.verdict, answer.doubts)


def said(verdict: Verdict, reasons: Sequence[str]) -> int:
    """Print a verdict with its reasons, and return its exit code."""
    print(terminal.verdict_line(verdict.word, color=sys.stdout.isatty()))
    for reason in reasons[: 2 * SHOWN]:
        print(f"  because {redaction.text(reason)}")
    return EXITS[verdict]


def verify(options: argparse.Namespace, asked: BrokerAccess) -> int:
    """Verify what the broker selects, and publish the results if that is wanted."""
    others = PactQuery(selectors_of(options), options.branch, pending=True)
    deployed = {name: one for name, one in select_deployments(options).items() if name in topology.PROVIDERS}
    names = options.provider or PROVIDERS
    if options.publish and not options.publish_references and not set(names) <= set(deployed):
        lent = ", ".join(name for name in names if name not in deployed)
        problem = f"a result would speak for the real {lent}, and a reference service gave it"
        raise BrokerUsageError(
            "reference-results", "--publish", problem, "add --publish-references, or --target NAME=URL"
        )
    found: list[VerificationOutcome] = []
    troubles: list[str] = []
    with contextlib.closing(BrokerClient(asked)) as broker:
        for provider in names:
            try:
                for honoured in verified(broker, provider, others, deployed.get(provider), options):
                    print(line(honoured), flush=True)
                    found.append(honoured)
            except TROUBLES as error:
                troubles.append(redaction.text(str(error)))
                if isinstance(error, BrokerError) and error.slug in GONE:
                    break
    return told(found, troubles)


def verified(
    broker: BrokerClient, provider: str, others: PactQuery, deployment: Deployment | None, options: argparse.Namespace
) -> Iterator[VerificationOutcome]:
    """What becomes of the pacts with one provider, consumer by consumer."""
    publishing = options.publish_references or (options.publish and deployment is not None)
    with target_of(deployment) if deployment else contextlib.nullcontext() as target:
        number = target.version if target else version_number(provider, options.version)
        if publishing and number == UNSTATED:
            problem = "it does not tell its version, so nobody knows which one the results are about"
            raise BrokerError("version-unstated", provider, problem, "let GET /_pact/version tell it")
        edges = {edge.consumer: edge for edge in SHARED if edge.provider == provider}
        shares = selection.select_by_consumer(broker, provider, others)
        for share in shares:
            if share.consumer in edges:
                provided = ProviderUnderTest(edges[share.consumer], options.version, number, target)
                yield from brokered.verify_pacts(broker, share, provided, others, publish=publishing)
    demand_all(provider, edges, {share.consumer for share in shares})


def selectors_of(options: argparse.Namespace) -> tuple[selection.Selector, ...]:
    """The consumer version selectors beside those of deployed versions."""
    if not options.selector:
        return ({"mainBranch": True}, {"branch": options.branch})
    try:
        return tuple(selection.check_selector(json.loads(text)) for text in options.selector)
    except ValueError as error:
        raise BrokerUsageError(
            "bad-selector", "--selector", f"no JSON: {error}", "quote it for the shell"
        ) from error


@contextlib.contextmanager
def target_of(deployment: Deployment) -> Iterator[Target]:
    """A deployment as a target."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-broker-") as folder:
        target = connect(deployment, RateLimiter(Path(folder) / "spent.sqlite"))
        try:
            yield target
        finally:
            target.close()


def demand_all(provider: str, edges: Mapping[str, Edge], consumers: AbstractSet[str]) -> None:
    """Raise BrokerError if a consumer of the release has no pact with a provider, or a stranger has one."""
    for name in consumers - edges.keys():
        problem = "the release knows of no such consumer, so nobody here can bring the provider to its states"
        raise BrokerError("unknown-consumer", f"{name} - {provider}", problem, "verify its pact on its own")
    for name in edges.keys() - consumers:
        problem = "the broker has no pact of a deployed version, nor one that the selectors match"
        step = "./ci/broker publish, or mend --selector"
        raise BrokerError("no-pacts", f"{name} - {provider}", problem, step)


def line(found: VerificationOutcome) -> str:
    """What became of the pacts of one consumer, for people."""
    pacts = ", ".join(
        f"{one.version}{' (deployed)' if found.deployed else ' (pending)' if one.pending else ''}"
        for one in found.pacts
    )
    edge, bad = found.provided.edge, len({one.interaction for one in (*found.failed, *found.waived)})
    waived = "; pending, so that does not count yet" if found.waived and not found.failed else ""
    count = (
        f"{bad} of {found.interactions} interactions fail"
        if bad
        else f"{found.interactions} interactions honoured"
    )
    return f"{edge.consumer} {pacts} - {edge.provider} {found.provided.number}: {count}{waived}"


def told(found: Sequence[VerificationOutcome], troubles: Sequence[str]) -> int:
    """Print what failed, and the verdict: what is waived proves nothing, nor does what did not take place."""
    failed = [problem for one in found for problem in one.failed if not problem.unobserved]
    unseen = [problem for one in found for problem in one.failed if problem.unobserved]
    for problem in failed[:SHOWN]:
        print(redaction.text(str(problem)))
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    doubts = [trouble.splitlines()[0] for trouble in troubles]
    doubts += [f"not-observed: {one.interaction}: {one.mismatch}" for one in unseen]
    if found and not any(one.interactions and not one.waived for one in found):
        doubts.append("only-pending: every pact is pending and fails, so nothing is proved")
    if failed:
        kinds = dict.fromkeys(problem.interaction for problem in failed)
        return said(Verdict.NO_GO, [f"broken: {name}" for name in kinds])
    return said(Verdict.UNDECIDED if doubts else Verdict.GO, doubts)


if __name__ == "__main__":
    sys.exit(main())
