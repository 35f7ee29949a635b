"""`./ci/cleanup-states` removes the test subscribers that earlier runs left at deployments."""

import argparse
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path

from ci.support.cli import Answer, command
from ci.support.command_line import CommandParser
from ci.support.deployments import select_deployments
from ci.support.exit_codes import ExitCode
from fixtures.results.build_folder import find_build_folder
from fixtures.targets.cleanup import NOT_REMOVED_FILE, clean_up, describe_not_removed, write_not_removed
from fixtures.targets.config import Deployment
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.started import run_services


@command("cleanup-states", crashed="cleanup-crashed: what is left is still on the list")
def main(_: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit 0 if nothing is left, 69 if something could not be removed, 64 wrong usage, 70 its own crash."""
    build = find_build_folder(options.caller_folder, options.build)
    deployed = select_deployments(options)
    return forget_subscribers(build) if options.forget else remove_subscribers(build, deployed)


def forget_subscribers(build: Path) -> Answer:
    count = Inventory(build / INVENTORY_FILE).count()
    (build / INVENTORY_FILE).unlink(missing_ok=True)
    write_not_removed(build / NOT_REMOVED_FILE, [])
    print(f"{count} subscribers were taken off the list")
    return Answer(ExitCode.GO, {"forgotten": count})


def remove_subscribers(build: Path, deployed: Mapping[str, Deployment]) -> Answer:
    inventory = Inventory(build / INVENTORY_FILE)
    before = inventory.count()
    with run_services(deployed.values() if before else (), build / "logs"):
        notes = remove_leftovers(build, deployed)
    print(*notes, sep="\n", end="\n" if notes else "")
    remaining = inventory.count()
    print(f"{before - remaining} of {before} subscribers were removed")
    content = {"removed": before - remaining, "remaining": remaining, "notes": notes}
    return Answer(ExitCode.UNAVAILABLE if remaining else ExitCode.GO, content)


def remove_leftovers(build: Path, deployed: Mapping[str, Deployment]) -> list[str]:
    """Remove the subscribers of all runs in this build folder. Returns notes about those that remain."""
    inventory = Inventory(build / INVENTORY_FILE)
    try:
        if count := inventory.count():
            print(f"Removing {count} test subscribers ...", file=sys.stderr, flush=True)
        failures = clean_up(build, inventory, deployed)
        return describe_not_removed(failures, build / NOT_REMOVED_FILE)
    except KeyboardInterrupt:
        remaining = inventory.count()
        return [f"not-removed: interrupted: {remaining} subscribers are left; next: ./ci/cleanup-states"]
    except (OSError, sqlite3.Error) as error:  # a run has a verdict even if the disk is full
        return [f"not-removed: {type(error).__name__}: {error}; next: ./ci/cleanup-states"]
