"""`./ci/clean-messages-container`: empty the messages container of data in the old format, with a backup."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ci.support.cli import CommandParser, ExitCode, resolve_path
from ci.support.progress import show_messages
from fixtures.core import topology, urls
from fixtures.platform import redis_container as container
from fixtures.platform.redis_container import ContainerError, FirebaseMessages, RedisUnavailable
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import cleaner
from fixtures.release.cleanup import django as django_containers
from fixtures.release.cleanup.backup import BackupError
from fixtures.release.cleanup.classify import AGES, FORMATS, UNKNOWN_AGE, MessageCounts

PROG = "./ci/clean-messages-container"


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 done, 64 wrong usage or refused, 65 a bad backup, 69 no server, 130 interrupted."""
    options = parse_options(argv)
    try:
        return run(options)
    except ContainerError as error:
        print(error, file=sys.stderr)
        if isinstance(error, RedisUnavailable):
            return ExitCode.UNAVAILABLE
        return ExitCode.DATA if isinstance(error, BackupError) else ExitCode.USAGE
    except KeyboardInterrupt:
        print(f"interrupted: nothing is lost\n  next: {PROG} with the same options goes on", file=sys.stderr)
        return ExitCode.INTERRUPTED


def parse_options(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked before any server is contacted."""
    parser = CommandParser(prog=PROG, description=__doc__)
    add = parser.add_argument
    url = os.environ.get("REDIS_URL", container.DEFAULT_URL)
    add("--redis-url", default=url, metavar="URL", help="default: REDIS_URL, or redis://127.0.0.1:6379/0")
    add("--confirm", metavar="HOST", help="the host of the Redis again; required unless it is loopback")
    add(
        "--firebase-app", action="append", metavar="UUID", help="may be repeated; default: in ci/release.toml"
    )
    add("--kind", choices=("regular", "spam", "both"), default="both", help="which containers (default both)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only-old-format", action="store_true", help="records without v1 (the default)")
    which.add_argument("--all", action="store_true", help="every message, readable or not")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--delete", action="store_true", help="remove the messages; without it, only count them"
    )
    what.add_argument("--restore", metavar="FILE", help="put a backup back at the head, once")
    add("--backup", metavar="FILE", help="new file for the removed messages (default: a name with the time)")
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
        apps = options.firebase_app or [topology.read_firebase_app()]
        options.apps = list(dict.fromkeys(map(container.normalize_app, apps)))
        if not options.django:
            require_confirmation(options.redis_url, options.confirm)
    except ContainerError as error:
        parser.refuse(error)
    options.kinds = list(container.KINDS) if options.kind == "both" else [options.kind]
    return options


def require_confirmation(url: str, confirmed: str | None) -> None:
    """Refuse a host other than this machine, unless --confirm repeats its name."""
    host = container.redis_host(url)
    if host and not urls.is_loopback(host) and confirmed != host:
        problem = f"it is not this machine, and --confirm says {confirmed!r}"
        raise container.ContainerUsageError(
            "unconfirmed-host", repr(host), problem, f"if you mean it, add --confirm {host}"
        )


def run(options: argparse.Namespace) -> ExitCode:
    """Restore, clean or count."""
    if options.django:
        return run_in_django(options)
    server = container.connect(options.redis_url)
    print(f"server: {urls.redact_url(options.redis_url)}")
    if options.restore:
        backup = read_backup(options)
        with show_messages("restoring", count_messages(backup)) as add_progress:
            restored = cleaner.restore(backup, server, add_progress, lost_server=options.lost_server)
        return print_restored(backup, restored)
    containers = [
        container.CONTAINERS_BY_KIND[kind](firebase_app=app, server=server)
        for app in options.apps
        for kind in options.kinds
    ]
    return clean(options, containers) if options.delete else count(options, containers)


def count(options: argparse.Namespace, containers: Sequence[FirebaseMessages]) -> ExitCode:
    """Count the messages, and print what --delete would remove."""
    for messages in containers:
        with show_messages(f"counting {messages.key}", messages.count()) as add_progress:
            census = cleaner.count_container(messages, add_progress, step=options.step)
        print_census(messages.key, census)
        removable = count_removable(census, everything=options.all)
        print(f"would remove {removable} of {census.total()}\n")
    print("Nothing was changed; add --delete to do it.")
    return ExitCode.GO


def clean(options: argparse.Namespace, containers: Sequence[FirebaseMessages]) -> ExitCode:
    """Back up and remove the messages, and print the result even if it is interrupted."""
    cleaning = cleaner.CleaningRun(everything=options.all, path=new_backup_path(options), step=options.step)
    total = sum(messages.count() for messages in containers)
    try:
        with show_messages("cleaning", total) as add_progress:
            cleaner.clean(containers, cleaning, add_progress)
    finally:
        for key, census in cleaning.counts.items():
            print_census(key, census)
            print(f"removed {cleaning.removed[key]} of {census.total()}\n")
        if cleaning.writer:
            print(f"backup: {cleaning.path}\n  to undo: {PROG} --restore {cleaning.path}", flush=True)
    return ExitCode.GO


def run_in_django(options: argparse.Namespace) -> ExitCode:
    """Restore, clean or count with the classes of a Django project."""
    caller_folder = Path(options.caller_folder).resolve()
    containers = django_containers.load_containers(options.django, caller_folder, options.apps, options.kinds)
    if options.restore:
        backup = read_backup(options)
        with show_messages("restoring", count_messages(backup)) as add_progress:
            restored = django_containers.restore(
                backup, containers, add_progress, lost_server=options.lost_server
            )
        return print_restored(backup, restored)
    for messages in containers:
        census = django_containers.count_container(messages)
        if census is None:
            print(f"{messages.name}: its class does not show what it holds")
        else:
            print_census(messages.name, census)
            removable = count_removable(census, everything=options.all)
            print(f"{'will' if options.delete else 'would'} remove {removable}\n")
    if not options.delete:
        print("Nothing was changed; add --delete to do it.")
        return ExitCode.GO
    path = new_backup_path(options)
    names = [(messages.firebase_app, messages.kind) for messages in containers]
    header = backups.build_header("django", names, everything=options.all)
    for name, removed in django_containers.clean(containers, header, path, everything=options.all).items():
        print(f"{name}: reset, {'without a backup' if removed is None else f'{removed} messages'}")
    if path.exists():
        print(f"backup: {path}\n  to undo: {PROG} --django {options.django} --restore {path}")
    return ExitCode.GO


def new_backup_path(options: argparse.Namespace) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return resolve_path(options.caller_folder, options.backup or f"messages-container-{stamp}.ndjson")


def read_backup(options: argparse.Namespace) -> backups.Backup:
    """Read the backup to restore. Raises BadBackup if it is damaged or holds other containers."""
    backup = backups.read_backup(resolve_path(options.caller_folder, options.restore))
    for row in backup.header["containers"]:
        app, kind = row["firebase_app"], row["container"]
        if app not in options.apps or kind not in options.kinds:
            problem = (
                f"it holds {kind} messages of app {app}; asked for: {', '.join(options.apps)} {options.kind}"
            )
            raise BackupError(
                "backup-of-another-app", str(backup.path), problem, f"--firebase-app {app} --kind both"
            )
    return backup


def count_messages(backup: backups.Backup) -> int:
    return sum(chunk.messages for chunk in backup.chunks)


def count_removable(census: MessageCounts, *, everything: bool) -> int:
    """How many of the counted messages --delete removes."""
    return census.total() if everything else sum(n for (form, _), n in census.items() if form == "old")


def print_restored(backup: backups.Backup, restored: int) -> ExitCode:
    if not backup.complete:
        print("The backup has no footer: its run was interrupted. All that was removed is in it.")
    messages = count_messages(backup)
    rest = "" if restored == messages else "; the others were restored before, or never removed"
    print(f"restored {restored} of {messages} messages{rest}")
    return ExitCode.GO


def print_census(name: str, census: MessageCounts) -> None:
    """Print the counts of a container by format and age."""
    table = Table(title=name, title_justify="left", box=None, header_style="bold", pad_edge=False)
    table.add_column("format")
    for age in (*AGES, UNKNOWN_AGE, "all"):
        table.add_column(age, justify="right")
    for form in FORMATS:
        counts = [census[form, age] for age in (*AGES, UNKNOWN_AGE)]
        table.add_row(form, *map(str, [*counts, sum(counts)]))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    sys.exit(main())
