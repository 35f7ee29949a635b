"""`./ci/clean-messages-container`: empty the messages container of data in the old format, with a backup."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ci.support import exits
from ci.support.cli import Arguments, meant
from ci.support.container_progress import progress
from fixtures.core import topology
from fixtures.platform import redis_container as container
from fixtures.platform.redis_container import ContainerError, FirebaseMessages, RedisUnavailable
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import cleaner
from fixtures.release.cleanup import django as django_containers
from fixtures.release.cleanup.backup import BadBackup
from fixtures.release.cleanup.classify import AGES, FORMATS, UNKNOWN_AGE, Census

PROG = "./ci/clean-messages-container"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 done, 64 wrong usage or refused, 65 a bad backup, 69 no server, 130 interrupted."""
    options = options_of(argv)
    try:
        return run(options)
    except ContainerError as error:
        print(error, file=sys.stderr)
        if isinstance(error, RedisUnavailable):
            return exits.UNAVAILABLE
        return exits.DATA if isinstance(error, BadBackup) else exits.USAGE
    except KeyboardInterrupt:
        print(f"interrupted: nothing is lost\n  next: {PROG} with the same options goes on", file=sys.stderr)
        return exits.INTERRUPTED


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with everything in it checked that can be before a server is asked."""
    parser = Arguments(prog=PROG, description=__doc__)
    add = parser.add_argument
    url = os.environ.get("REDIS_URL", container.DEFAULT_URL)
    add("--redis-url", default=url, metavar="URL", help="default: REDIS_URL, or redis://127.0.0.1:6379/0")
    add("--confirm", metavar="HOST", help="needed, with its very name, if the host is not loopback")
    add(
        "--firebase-app", action="append", metavar="UUID", help="repeatable; default: that of ci/release.toml"
    )
    add("--kind", choices=("regular", "spam", "both"), default="both", help="which containers (default both)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only-old-format", action="store_true", help="records without v1 (the default)")
    which.add_argument("--all", action="store_true", help="every message, readable or not")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--delete", action="store_true", help="do it; without, it is only shown")
    what.add_argument("--restore", metavar="FILE", help="put a backup back at the head, once")
    add("--backup", metavar="FILE", help="a new file for what is removed (default: a name with the time)")
    add("--lost-server", action="store_true", help="with --restore: the server lost its data; put back all")
    add("--django", metavar="MODULE", help="use this module's two classes and their reset()")
    add("--step", type=int, default=cleaner.STEP, metavar="N", help=f"messages a step ({cleaner.STEP})")
    options = parser.parse_args(argv)
    if options.step < 1:
        parser.error("--step takes a whole number of 1 or more")
    if options.lost_server and not options.restore:
        parser.error("--lost-server goes with --restore FILE only")
    if options.backup and not options.delete:
        parser.error("--backup goes with --delete only")
    try:
        asked = options.firebase_app or [topology.firebase_app()]
        options.apps = list(dict.fromkeys(map(container.app_named, asked)))
        if not options.django:
            demand_confirmed(options.redis_url, options.confirm)
    except ContainerError as error:
        parser.refuse(error)
    options.kinds = list(container.KINDS) if options.kind == "both" else [options.kind]
    return options


def demand_confirmed(url: str, confirmed: str | None) -> None:
    """Refuse a host that is not this machine, unless its name was typed a second time."""
    host = container.host_of(url)
    if not container.is_loopback(host) and confirmed != host:
        problem = f"it is not this machine, and --confirm says {confirmed!r}"
        raise container.WrongUse(
            "unconfirmed-host", repr(host), problem, f"if you mean it, add --confirm {host}"
        )


def run(options: argparse.Namespace) -> int:
    """Restore, clean or show."""
    if options.django:
        return in_django(options)
    server = container.connect(options.redis_url)
    print(f"server: {container.shown(options.redis_url)}")
    containers = [
        container.OF_KIND[kind](firebase_app=a, server=server) for a in options.apps for kind in options.kinds
    ]
    if options.restore:
        return restore(options, server)
    return clean(options, containers) if options.delete else show(options, containers)


def show(options: argparse.Namespace, containers: Sequence[FirebaseMessages]) -> int:
    """Count, and say what --delete would do."""
    for messages in containers:
        with progress(f"counting {messages.key}", messages.count()) as told:
            seen = cleaner.survey(messages, told, step=options.step)
        tell(messages.key, seen)
        print(f"would remove {going(seen, everything=options.all)} of {seen.total()}\n")
    print("Nothing was changed; add --delete to do it.")
    return exits.GO


def clean(options: argparse.Namespace, containers: Sequence[FirebaseMessages]) -> int:
    """Back up and remove, and say how far it came even if it is stopped."""
    cleaning = cleaner.Cleaning(everything=options.all, path=backup_path(options), step=options.step)
    total = sum(messages.count() for messages in containers)
    try:
        with progress("cleaning", total) as told:
            cleaner.clean(containers, cleaning, told)
    finally:
        for key, seen in cleaning.seen.items():
            tell(key, seen)
            print(f"removed {cleaning.removed[key]} of {seen.total()}\n")
        if cleaning.writer:
            print(f"backup: {cleaning.path}\n  to undo: {PROG} --restore {cleaning.path}", flush=True)
    return exits.GO


def restore(options: argparse.Namespace, server: Any) -> int:
    """Put a backup back, after it was read to its end."""
    backup = read_backup(options)
    with progress("restoring", sum(chunk.messages for chunk in backup.chunks)) as told:
        restored = cleaner.restore(backup, server, told, lost_server=options.lost_server)
    return told_restored(backup, restored)


def told_restored(backup: backups.Backup, restored: int) -> int:
    """Say what a restore did."""
    if not backup.complete:
        print("The backup has no footer: its run was interrupted. All that was removed is in it.")
    held = sum(chunk.messages for chunk in backup.chunks)
    rest = "" if restored == held else "; the others were restored before, or never removed"
    print(f"restored {restored} of {held} messages{rest}")
    return exits.GO


def read_backup(options: argparse.Namespace) -> backups.Backup:
    """The backup to restore; BadBackup if it is damaged or of a container that was not asked for."""
    backup = backups.read(meant(options.here, options.restore))
    for place in backup.header["containers"]:
        app, kind = place["firebase_app"], place["container"]
        if app not in options.apps or kind not in options.kinds:
            problem = (
                f"it holds {kind} messages of app {app}; asked for: {', '.join(options.apps)} {options.kind}"
            )
            raise BadBackup(
                "backup-of-another-app", str(backup.path), problem, f"--firebase-app {app} --kind both"
            )
    return backup


def backup_path(options: argparse.Namespace) -> Path:
    """Where the backup goes: a new file."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return meant(options.here, options.backup or f"messages-container-{stamp}.ndjson")


def in_django(options: argparse.Namespace) -> int:
    """Do the same with the classes of a Django project."""
    found = django_containers.load(options.django, Path(options.here).resolve(), options.apps, options.kinds)
    if options.restore:
        backup = read_backup(options)
        with progress("restoring", sum(chunk.messages for chunk in backup.chunks)) as told:
            restored = django_containers.restore(backup, found, told, lost_server=options.lost_server)
        return told_restored(backup, restored)
    for one in found:
        seen = django_containers.survey(one)
        if seen is None:
            print(f"{one.name}: its class does not show what it holds")
        else:
            tell(one.name, seen)
            print(f"{'will' if options.delete else 'would'} remove {going(seen, everything=options.all)}\n")
    if not options.delete:
        print("Nothing was changed; add --delete to do it.")
        return exits.GO
    path = backup_path(options)
    places = [(one.firebase_app, one.kind) for one in found]
    header = backups.header("django", places, everything=options.all)
    for name, count in django_containers.clean(found, header, path, everything=options.all).items():
        print(f"{name}: reset, {'without a backup' if count is None else f'{count} messages'}")
    if path.exists():
        print(f"backup: {path}\n  to undo: {PROG} --django {options.django} --restore {path}")
    return exits.GO


def going(seen: Census, *, everything: bool) -> int:
    """How many of the messages that were seen are to go."""
    return seen.total() if everything else sum(n for (form, _), n in seen.items() if form == "old")


def tell(name: str, seen: Census) -> None:
    """Print the counts of a container by format and age."""
    table = Table(title=name, title_justify="left", box=None, header_style="bold", pad_edge=False)
    table.add_column("format")
    for age in (*AGES, UNKNOWN_AGE, "all"):
        table.add_column(age, justify="right")
    for form in FORMATS:
        counts = [seen[form, age] for age in (*AGES, UNKNOWN_AGE)]
        table.add_row(form, *map(str, [*counts, sum(counts)]))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    sys.exit(main())
