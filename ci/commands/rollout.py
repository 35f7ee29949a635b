"""`./ci/rollout` tells whether the plan of the release is safe at every step, and the way back open."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys

from ci.support import exits
from ci.support.cli import Arguments, meant
from fixtures.contracts.broker import config as access
from fixtures.contracts.broker.client import Broker
from fixtures.contracts.broker.config import AccessError, BrokerError
from fixtures.core import catalogue
from fixtures.core.catalogue import CatalogueError
from fixtures.core.project import ROOT
from fixtures.core.schemas import SchemaError
from fixtures.core.topology import RELEASE
from fixtures.release.order import (
    analysis,
    files,
)
from fixtures.release.order import (
    end_to_end_runs as endtoend,
)
from fixtures.release.order import (
    pairwise as pairs,
)
from fixtures.release.order import (
    pairwise_results as results,
)
from fixtures.release.order import (
    release_file as release,
)
from fixtures.release.order import (
    text as words,
)
from fixtures.release.order.broker import of_broker
from fixtures.release.order.end_to_end_runs import Fates
from fixtures.release.order.pairwise import Table
from fixtures.release.order.pairwise_results import Recorded, ResultsError
from fixtures.release.order.release_file import Release, ReleaseError, Step

EXITS = {"go": exits.GO, "no-go": exits.NO_GO, "undecided": exits.UNDECIDED}
USAGE_ERRORS = (ReleaseError, ResultsError, CatalogueError, SchemaError, AccessError)
EPILOG = """
Without --results, --matrix or --broker, and without results in the release file, the reference services are
judged, by composition and end to end. With them, only what was recorded counts: what is missing is unknown,
and then the answer is undecided. Exit: 0 go, 1 no-go, 2 undecided, 64 wrong usage.
"""


def main(argv: list[str] | None = None) -> int:
    """Judge a release, print and write the answer."""
    parser = arguments()
    options = parser.parse_args(argv)
    try:
        judged = judge(options)
    except USAGE_ERRORS as error:
        parser.refuse(error)
    except BrokerError as error:
        print(error, file=sys.stderr)
        return exits.UNDECIDED
    found = analysis.answer(judged)
    folder = meant(options.here, options.output) if options.output else ROOT / "build" / "rollout"
    files.write(folder, judged, found)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        width = max(100, shutil.get_terminal_size((140, 40)).columns)
        print(words.text(found, width=width, color=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
        print(f"Pictures and the update map: {options.output or 'build/rollout'}/")
    return EXITS[found["verdict"]]


def arguments() -> Arguments:
    """The options."""
    parser = Arguments(prog="./ci/rollout", description=__doc__)
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--release", metavar="FILE", help="the release; ci/release.toml by default")
    add("--plan", metavar="STEPS", help='another plan than the file\'s: "a,b,clean records,c"')
    add("--results", metavar="DIR", help="recorded verifications, such as build/verifications")
    add("--matrix", metavar="FILE", help="a Pact Broker's matrix, saved as JSON")
    add("--broker", metavar="URL", help="a Pact Broker; who asks is in the environment: docs/broker.md")
    add("--output", metavar="DIR", help="where the answer and its pictures go; build/rollout by default")
    add("--json", action="store_true", help="print the answer as JSON")
    add("--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="processes that run services")
    return parser


def judge(options: argparse.Namespace) -> analysis.Judged:
    """Judge what the options ask for."""
    found = release.read(meant(options.here, options.release) if options.release else RELEASE)
    if options.plan is not None:
        found = release.with_plan(found, [Step(name.strip()) for name in options.plan.split(",")])
    table, fates = evidence(found, options)
    return analysis.judge(found, table, fates)


def evidence(found: Release, options: argparse.Namespace) -> tuple[Table, Fates | None]:
    """Pairwise results as recorded; or those of the reference services, and the fates of all ways."""
    recorded: list[Recorded] = []
    if options.results:
        recorded.append(results.of_folder(found, meant(options.here, options.results)))
    if options.matrix:
        recorded.append(results.of_file(found, meant(options.here, options.matrix)))
    if options.broker:
        with contextlib.closing(Broker(access.of_environment(os.environ, options.broker))) as broker:
            recorded.append(of_broker(found, broker))
    if recorded or found.results or not pairs.are_references(found):
        recorded.append(results.of_release(found))
        for stranger in dict.fromkeys(name for one in recorded for name in one.strangers):
            print(f"other-version: {stranger}: not of this release, so it says nothing", file=sys.stderr)
        return results.table(found, recorded), None
    return pairs.of_references(found, catalogue.load()), endtoend.judge(processes=max(1, options.processes))


if __name__ == "__main__":
    sys.exit(main())
