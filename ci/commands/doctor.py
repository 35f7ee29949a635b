"""`./ci/doctor`: whether the deployments of a targets file can be tested at all, before any test."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.table import Table

from ci.commands.cleanup_states import add_build, interruptible, swept
from ci.support import exits
from ci.support.cli import Arguments, add_targets, build_of, deployed_of
from fixtures.core import redaction, terminal
from fixtures.targets import config as deployments
from fixtures.targets import doctor
from fixtures.targets.config import TargetError
from fixtures.targets.doctor import Symptom
from fixtures.targets.rate_limit import MADE, Budget

WIDTH = 140


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 if all is well, 2 if a gate there would be undecided, 64 wrong usage, 70 its own crash."""
    parser = Arguments(prog="./ci/doctor", description=__doc__)
    add_targets(parser)
    add_build(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    options = parser.parse_args(argv)
    build = build_of(options)
    try:
        deployed = deployed_of(options)
    except TargetError as error:
        parser.refuse(error)
    if not deployed:
        parser.error("there is nothing to look at; allowed: --targets FILE, or --target NAME=URL")
    try:
        if not options.json:
            print(*deployments.told(deployed, tuple(deployed)), sep="\n", flush=True)
        began = time.monotonic()
        try:
            with interruptible(), tempfile.TemporaryDirectory(prefix="fcm-compat-doctor-") as folder:
                found = doctor.examined(deployed, Budget(Path(folder) / "spent", made=build / MADE))
        finally:
            notes = swept(build, deployed)
        tell(found, time.monotonic() - began, as_json=options.json)
        print(*notes, sep="\n", end="\n" if notes else "", file=sys.stderr)
    except Exception:  # noqa: BLE001  whatever it is, it must not look like an answer
        return exits.crashed("doctor-crashed: this says nothing about the deployments")
    return exits.GO if all(one.well for one in found) else exits.UNDECIDED


def tell(found: Sequence[Symptom], seconds: float, *, as_json: bool) -> None:
    """Print what was found, and what to do; what deployments said may hold anything."""
    found = [replace(one, said=redaction.text(one.said)) for one in found]
    if as_json:
        for one in found:
            print(json.dumps(asdict(one)))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("service", "question", "", "found"):
        table.add_column(column, overflow="fold")
    for one in found:
        sign = "[green]✓[/]" if one.well else "[bold red]✗[/]"
        step = f"\nnext: {one.next_step}" if one.next_step else ""
        table.add_row(one.service, one.question, sign, f"{one.said}{step}".replace("[", r"\["))
    print(terminal.rendered(table, width=WIDTH, color=sys.stdout.isatty()))
    ill = sum(not one.well for one in found)
    said = (
        f"{ill} of {len(found)} not well: mend these first" if ill else "all well: the gate can be run there"
    )
    print(f"{said} ({seconds:.1f} s)")


if __name__ == "__main__":
    sys.exit(main())
