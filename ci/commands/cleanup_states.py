"""`./ci/cleanup-states`: removes the subscribers that runs made at deployments and left, as after a crash."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ci.support import exits
from ci.support.cli import Arguments, add_targets, build_of, deployed_of
from fixtures.targets import cleanup as cleaning
from fixtures.targets.config import Deployment, TargetError
from fixtures.targets.provisioning.inventory import Inventory
from fixtures.targets.rate_limit import MADE


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 if nothing is left, 69 if something could not be removed, 64 wrong usage, 70 its own crash."""
    parser = Arguments(prog="./ci/cleanup-states", description=__doc__)
    add_targets(parser)
    add_build(parser)
    parser.add_argument(
        "--forget", action="store_true", help="remove nobody; take all off the list, as removed by hand"
    )
    options = parser.parse_args(argv)
    build = build_of(options)
    try:
        deployed = deployed_of(options)
    except TargetError as error:
        parser.refuse(error)
    try:
        return _cleaned(build, deployed, forget=options.forget)
    except Exception:  # noqa: BLE001  whatever it is, it must not look like an answer
        return exits.crashed("cleanup-crashed: what is left is still on the list")


def add_build(parser: argparse.ArgumentParser) -> None:
    """The option that says where it is written down what was made."""
    about = "where it is written down what was made (default build)"
    parser.add_argument("--build", default="build", metavar="DIR", help=about)


def _cleaned(build: Path, deployed: Mapping[str, Deployment], *, forget: bool) -> int:
    inventory = Inventory(build / MADE)
    made = sum(map(len, inventory.left().values()))
    if forget:
        (build / MADE).unlink(missing_ok=True)
        cleaning.write(build / cleaning.FILE, [])
        print(f"{made} subscribers were taken off the list")
        return exits.GO
    notes = swept(build, deployed)
    print(*notes, sep="\n", end="\n" if notes else "")
    left = sum(map(len, inventory.left().values()))
    print(f"{made - left} of {made} subscribers were removed")
    return exits.UNAVAILABLE if left else exits.GO


def swept(build: Path, deployed: Mapping[str, Deployment]) -> list[str]:
    """Remove what any run left here; a note for each place and reason why something could not be removed."""
    inventory = Inventory(build / MADE)
    try:
        if made := sum(map(len, inventory.left().values())):
            print(f"Removing {made} test subscribers ...", file=sys.stderr, flush=True)
        left = cleaning.clean(build, inventory, deployed)
        return cleaning.told(left, build / cleaning.FILE)
    except KeyboardInterrupt:
        still = sum(map(len, inventory.left().values()))
        return [f"not-removed: interrupted: {still} subscribers are left; next: ./ci/cleanup-states"]
    except (OSError, sqlite3.Error) as error:  # a run whose disk is full has a verdict, too
        return [f"not-removed: {type(error).__name__}: {error}; next: ./ci/cleanup-states"]


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let whoever stops this process by SIGTERM stop it as Ctrl-C does, so that it cleans up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
