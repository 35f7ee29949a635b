"""`./ci/doctor` checks, before any test, whether the deployments of a targets file can be tested at all."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from rich.table import Table

from ci.commands.cleanup_states import remove_leftovers, stop_by_interrupt
from ci.support.cli import (
    CommandParser,
    ExitCode,
    add_build_option,
    add_target_options,
    report_crash,
    resolve_build_folder,
    select_deployments,
)
from fixtures.core import redaction, terminal
from fixtures.platform import sqs
from fixtures.targets.config import TargetError, describe_deployments
from fixtures.targets.doctor import ProbeResult, examine_deployments
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.rate_limit import RateLimiter

TABLE_WIDTH = 140


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 if all is well, 2 if a gate there would be undecided, 64 wrong usage, 70 its own crash."""
    parser = CommandParser(prog="./ci/doctor", description=__doc__)
    add_target_options(parser)
    add_build_option(parser, "folder that lists the test subscribers that runs made")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    options = parser.parse_args(argv)
    build = resolve_build_folder(options)
    try:
        deployed = select_deployments(options)
    except TargetError as error:
        parser.refuse(error)
    if not deployed:
        parser.error("there is nothing to look at; allowed: --targets FILE, or --target NAME=URL")
    try:
        if not options.json:
            print(*describe_deployments(deployed, tuple(deployed)), sep="\n", flush=True)
        start = time.monotonic()
        inventory = Inventory(build / INVENTORY_FILE)
        try:
            with stop_by_interrupt(), tempfile.TemporaryDirectory(prefix="fcm-compat-doctor-") as folder:
                limiter = RateLimiter(Path(folder) / "spent")
                results = examine_deployments(deployed, limiter, inventory, count_messages)
        finally:
            notes = remove_leftovers(build, deployed)
        print_results(results, time.monotonic() - start, as_json=options.json)
        print(*notes, sep="\n", end="\n" if notes else "", file=sys.stderr)
    except Exception:  # noqa: BLE001  no crash may look like an answer
        return report_crash("doctor-crashed: this says nothing about the deployments")
    return ExitCode.GO if all(result.well for result in results) else ExitCode.UNDECIDED


def count_messages(url: str, before_request: Callable[[], None]) -> int:
    """The messages that wait in an SQS queue. boto3 repeats requests, so each one is announced."""
    parts = urlsplit(url)
    client = sqs.connect(f"{parts.scheme}://{parts.netloc}")
    client.meta.events.register("before-send.sqs", lambda **_: before_request())
    return sqs.existing_queue(client, url).count()


def print_results(results: Sequence[ProbeResult], seconds: float, *, as_json: bool) -> None:
    results = [replace(result, details=redaction.REDACTOR.redact_text(result.details)) for result in results]
    if as_json:
        for result in results:
            print(json.dumps(result.as_json()))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("service", "question", "", "found"):
        table.add_column(column, overflow="fold")
    for result in results:
        sign = "[green]✓[/]" if result.well else "[bold red]✗[/]"
        step = f"\nnext: {result.next_step}" if result.next_step else ""
        details = f"{result.details}{step}".replace("[", r"\[")
        table.add_row(result.service, result.question, sign, details)
    print(terminal.render_table(table, width=TABLE_WIDTH, color=sys.stdout.isatty()))
    bad = sum(not result.well for result in results)
    summary = (
        f"{bad} of {len(results)} not well: mend these first"
        if bad
        else "all well: the gate can be run there"
    )
    print(f"{summary} ({seconds:.1f} s)")


if __name__ == "__main__":
    sys.exit(main())
