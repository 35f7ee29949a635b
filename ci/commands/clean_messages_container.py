"""`./ci/clean-messages-container`: empty the messages container of data in the old format, with a backup."""

import argparse
import contextlib
import functools
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ci.support.cli import command, resolve_path
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode
from fixtures.core import hosts, topology, urls
from fixtures.core.console import create_console
from fixtures.platform import redis_container as container
from fixtures.platform.redis_container import FirebaseMessages, RedisUnavailable
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import cleaner, project_container
from fixtures.release.cleanup import django as django_containers
from fixtures.release.cleanup.aside import find_aside_lists
from fixtures.release.cleanup.backup import BackupError
from fixtures.release.cleanup.classify import AGES, FORMATS, UNKNOWN_AGE, MessageCounts
from fixtures.release.cleanup.project_container import ProjectContainer

PROG = "./ci/clean-messages-container"
# Fewer messages are handled before a bar would be readable.
LONG_WORK = 10_000
NOTHING_CHANGED = "Nothing was changed; add --delete to do it."


@command(
    "clean-messages-container",
    interrupted=f"interrupted: nothing is lost\n  next: {PROG} with the same options goes on",
)
def main(parser: CommandParser, options: argparse.Namespace) -> int:
    """Exit 0 done, 64 wrong usage or refused, 65 a bad backup, 69 no server, 130 interrupted."""
    complete_options(parser, options)
    try:
        run(options)
    except (RedisUnavailable, BackupError) as error:
        print(error, file=sys.stderr)
        return ExitCode.UNAVAILABLE if isinstance(error, RedisUnavailable) else ExitCode.DATA
    return ExitCode.GO


def complete_options(parser: CommandParser, options: argparse.Namespace) -> None:
    """Check the options before any server is contacted, and add `apps`, `kinds` and `backup_path`."""
    if options.step < 1:
        parser.error("--step takes a whole number of 1 or more")
    if options.lost_server and not options.restore:
        parser.error("--lost-server goes with --restore FILE only")
    if options.accept_loss and not (options.django and options.delete):
        parser.error("--accept-loss goes with --django and --delete only")
    if options.backup and not options.delete:
        parser.error("--backup goes with --delete only")
    apps = options.firebase_app or [topology.read_firebase_app()]
    options.apps = list(dict.fromkeys(map(container.normalize_app, apps)))
    if not options.django:
        require_confirmation(options.redis_url, options.confirm)
    options.kinds = list(container.KINDS) if options.kind == "both" else [options.kind]
    options.backup_path = None
    if options.delete:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        name = options.backup or f"messages-container-{stamp}.ndjson"
        options.backup_path = resolve_path(options.caller_folder, name)


def require_confirmation(url: str, confirmed: str | None) -> None:
    """Refuse a host other than this machine, unless --confirm repeats its name."""
    host = container.redis_host(url)
    if host and not hosts.is_loopback(host) and confirmed != host:
        problem = f"it is not this machine, and --confirm says {confirmed!r}"
        next_step = f"if you mean it, add --confirm {host}"
        raise container.ContainerUsageError("unconfirmed-host", repr(host), problem, next_step)


def run(options: argparse.Namespace) -> None:
    """Restore, clean or count, with the classes of a Django project or on a Redis server."""
    if options.django:
        folder = Path(options.caller_folder).resolve()
        in_project = project_container.load_containers(options.django, folder, options.apps, options.kinds)
        if options.restore:
            restore(options, functools.partial(django_containers.restore, containers=in_project))
        else:
            clean_in_django(options, in_project)
        return
    server = container.connect(options.redis_url)
    print(f"server: {urls.redact_url(options.redis_url)}")
    containers = [
        container.CONTAINERS_BY_KIND[kind](firebase_app=app, server=server)
        for app, kind in itertools.product(options.apps, options.kinds)
    ]
    if options.restore:
        restore(options, functools.partial(cleaner.restore, server=server))
    elif options.delete:
        clean(options, containers)
    else:
        count(options, containers)


def count(options: argparse.Namespace, containers: Sequence[FirebaseMessages]) -> None:
    """Count the messages, and print what --delete would remove."""
    for messages in containers:
        with show_messages(f"counting {messages.key}", messages.count()) as add_progress:
            counts = cleaner.count_container(messages, add_progress, step=options.step)
        print_counts(messages.key, counts)
        print(f"would remove {count_removable(counts, options)} of {counts.total()}\n")
    for aside in find_aside_lists(containers):
        print(f"{aside} holds messages that an earlier version did not put back; --delete does it first")
    print(NOTHING_CHANGED)


def clean(options: argparse.Namespace, containers: Sequence[FirebaseMessages]) -> None:
    """Back up and remove the messages, and print the result even if it is interrupted."""
    cleaning = cleaner.CleaningRun(everything=options.all, path=options.backup_path, step=options.step)
    total = sum(messages.count() for messages in containers)
    try:
        with show_messages("cleaning", total) as add_progress:
            cleaner.clean(containers, cleaning, add_progress)
    finally:
        if cleaning.put_back:
            print(f"put back {cleaning.put_back} messages that an earlier version had set aside\n")
        for key, counts in cleaning.counts.items():
            print_counts(key, counts)
            print(f"removed {cleaning.removed[key]} of {counts.total()}")
            if later := cleaning.later.get(key):
                print(f"{later} or more messages came later and were not looked at: run this again for them")
            print()
        if cleaning.writer:
            print(f"backup: {cleaning.path}\n  to undo: {PROG} --restore {cleaning.path}", flush=True)


def clean_in_django(options: argparse.Namespace, containers: Sequence[ProjectContainer]) -> None:
    """Count the messages, and with --delete back them up and reset the containers."""
    for messages in containers:
        counts = django_containers.count_container(messages)
        if counts is None:
            print(f"{messages.name}: its class does not show what it holds")
        else:
            print_counts(messages.name, counts)
            print(f"{'will' if options.delete else 'would'} remove {count_removable(counts, options)}\n")
    if not options.delete:
        print(NOTHING_CHANGED)
        return
    for messages in [] if options.all else containers:
        django_containers.require_all_may_go(messages, messages.read_messages())
    losses = {messages.name: project_container.find_loss(messages) for messages in containers}
    for name, loss in losses.items():
        if loss:
            print(f"{name}: may be lost: {loss}", flush=True)
    if any(losses.values()) and not options.accept_loss:
        name = next(name for name, loss in losses.items() if loss)
        problem = "messages may be lost, as was said above; nothing was changed"
        next_step = "give the class push() and pop(), use --redis-url, or stop all writers and --accept-loss"
        raise container.ContainerUsageError("loss-possible", name, problem, next_step)
    path, names = options.backup_path, [(messages.firebase_app, messages.kind) for messages in containers]
    header = backups.build_header("django", names, everything=options.all)
    for name, removed in django_containers.clean(
        containers, losses, header, path, everything=options.all
    ).items():
        how = "reset" if losses[name] else "emptied one by one"
        print(f"{name}: {how}, {'without a backup' if removed is None else f'{removed} messages'}")
    if path.exists():
        print(f"backup: {path}\n  to undo: {PROG} --django {options.django} --restore {path}")


def restore(options: argparse.Namespace, restore_backup: Callable[..., int]) -> None:
    """Restore a backup. Raises BackupError if it is damaged or holds other containers."""
    backup = backups.read_backup(resolve_path(options.caller_folder, options.restore))
    for row in backup.header["containers"]:
        app, kind = row["firebase_app"], row["container"]
        if app not in options.apps or kind not in options.kinds:
            chosen = f"{', '.join(options.apps)} {options.kind}"
            problem = f"it holds {kind} messages of app {app}; asked for: {chosen}"
            next_step = f"--firebase-app {app} --kind both"
            raise BackupError("backup-of-another-app", str(backup.path), problem, next_step)
    total = sum(chunk.messages for chunk in backup.chunks)
    with show_messages("restoring", total) as add_progress:
        restored = restore_backup(backup, report_progress=add_progress, lost_server=options.lost_server)
    if not backup.complete:
        print("The backup has no footer: its run was interrupted. All that was removed is in it.")
    others = "; the others were restored before, were never removed, or are in the container"
    rest = "" if restored == total else others
    print(f"restored {restored} of {total} messages{rest}")


def count_removable(counts: MessageCounts, options: argparse.Namespace) -> int:
    """How many of the counted messages --delete removes."""
    return sum(
        number for (message_format, _), number in counts.items() if options.all or message_format == "old"
    )


def print_counts(name: str, counts: MessageCounts) -> None:
    """Print the counts of a container by format and age."""
    table = Table(title=name, title_justify="left", box=None, header_style="bold", pad_edge=False)
    table.add_column("format")
    for age in (*AGES, UNKNOWN_AGE, "all"):
        table.add_column(age, justify="right")
    for message_format in FORMATS:
        row = [counts[message_format, age] for age in (*AGES, UNKNOWN_AGE)]
        table.add_row(message_format, *map(str, [*row, sum(row)]))
    create_console(120).print(table)


@contextlib.contextmanager
def show_messages(activity: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many messages are done; the block calls the function with the number of messages since."""
    if total < LONG_WORK:
        yield lambda _: None
    elif sys.stderr.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(activity, total=total)
            yield lambda count: bar.advance(task, count)
    else:
        finished = 0

        def print_each_tenth(count: int) -> None:
            nonlocal finished
            tenths, finished = 10 * finished // total, finished + count
            if 10 * finished // total > tenths:
                print(f"{activity}: {finished} of {total} messages", file=sys.stderr, flush=True)

        yield print_each_tenth
