"""`./ci/clean-messages-container`: empty the messages container of data in the old format, with a backup."""

import argparse
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ci.support.cleaner_output import (
    build_undo,
    count_format,
    print_counts,
    print_staying,
    show_messages,
)
from ci.support.cli import Answer, command, resolve_path
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode
from fixtures.core import hosts, topology, urls
from fixtures.platform import redis_container as container
from fixtures.platform.redis_container import ContainerError, FirebaseMessages, RedisUnavailable
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import backup_place, cleaner, project_container
from fixtures.release.cleanup import django as django_containers
from fixtures.release.cleanup.aside import count_aside, find_aside_targets
from fixtures.release.cleanup.backup import Backup, BackupError
from fixtures.release.cleanup.classify import MessageCounts
from fixtures.release.cleanup.presence import require_present
from fixtures.release.cleanup.project_container import ProjectContainer

NOTHING_CHANGED = "Nothing was changed; {} to do it."
DRY_RUN, COUNTED = NOTHING_CHANGED.format("leave out --dry-run"), NOTHING_CHANGED.format("add --delete")


@command(
    "clean-messages-container",
    crashed="cleaner-crashed: nothing is lost: what was removed is in the backup",
    interrupted="interrupted: nothing is lost\n  next: the same command goes on",
)
def main(parser: CommandParser, options: argparse.Namespace) -> Answer:
    """Exit 0 done, 64 wrong usage or refused, 65 a bad backup, 69 no server, 130 interrupted."""
    complete_options(parser, options)
    options.answer = {
        "changes": (options.delete or bool(options.restore)) and not options.dry_run,
        "lists": [],
    }
    try:
        run(options)
    except ContainerError as error:  # its ids of apps are the user's own, and are shown
        print(error, file=sys.stderr)
        codes = {RedisUnavailable: ExitCode.UNAVAILABLE, BackupError: ExitCode.DATA}
        exit_code = next((code for kind, code in codes.items() if isinstance(error, kind)), ExitCode.USAGE)
        return Answer(exit_code, {**options.answer, "error": str(error)})
    return Answer(ExitCode.GO, options.answer)


def complete_options(parser: CommandParser, options: argparse.Namespace) -> None:
    """Check the options before any server is contacted, and add `apps`, `kinds` and `backup_path`."""
    if options.step < 1:
        parser.error("--step takes a whole number of 1 or more")
    if options.lost_server and not options.restore:
        parser.error("--lost-server goes with --restore FILE only")
    if options.accept_loss and not options.django:
        parser.error("--accept-loss goes with --django only")
    if options.backup and not options.delete:
        parser.error("--backup goes with --delete only")
    if options.django and (options.redis_url or options.confirm):
        parser.error("--redis-url and --confirm do not go with --django: the project chooses the server")
    apps = options.firebase_app or [topology.read_firebase_app()]
    options.apps = list(dict.fromkeys(map(container.normalize_app, apps)))
    options.redis_url = options.redis_url or os.environ.get("REDIS_URL") or container.DEFAULT_URL
    if not options.django:
        require_confirmation(options.redis_url, options.confirm)
    options.kinds = list(container.KINDS) if options.kind == "both" else [options.kind]
    options.backup_path = backup_place.name_backup(Path(options.caller_folder).resolve())
    if options.backup:
        options.backup_path = resolve_path(options.caller_folder, options.backup)
        backup_place.require_ignored(options.backup_path)


def require_confirmation(url: str, confirmed: str | None) -> None:
    """Refuse a host other than this machine, unless --confirm repeats its name."""
    host = container.redis_host(url)
    if host and not hosts.is_loopback(host) and confirmed != host:
        says = f"says {confirmed!r}" if confirmed else "is not given"
        problem = f"it is not this machine, and --confirm {says}"
        next_step = f"if you mean it, add --confirm {host}"
        raise container.ContainerUsageError("unconfirmed-host", repr(host), problem, next_step)


def run(options: argparse.Namespace) -> None:
    """Restore, clean or count, with the classes of a Django project or on a Redis server."""
    changes = options.delete and not options.dry_run
    if options.django:
        folder = Path(options.caller_folder).resolve()
        in_project = project_container.load_containers(options.django, folder, options.apps, options.kinds)
        if options.restore:
            restore_in_django(options, in_project)
        else:
            clean_in_django(options, in_project, changes=changes)
        return
    server = container.connect(options.redis_url)
    print(f"server: {urls.redact_url(options.redis_url)}")
    containers = [
        container.CONTAINERS_BY_KIND[kind](firebase_app=app, server=server)
        for app, kind in itertools.product(options.apps, options.kinds)
    ]
    if options.restore:
        restore(options, containers)
        return
    require_present(containers)
    if changes:
        clean(options, containers)
    else:
        count(options, containers)


def count(options: argparse.Namespace, containers: Sequence[FirebaseMessages]) -> None:
    """Count the messages, and print what --delete would do."""
    for messages in containers:
        counts = count_container(options, messages)
        print_removal(options, messages.key, counts, f"would remove {count_removable(counts, options)}")
    refusal = cleaner.find_refusal(containers)
    if refusal:
        print(f"--delete would be refused: {refusal}\n")
    else:
        for aside, target in find_aside_targets(containers).items():
            print(f"an earlier version did not put these messages back; --delete does it first: {target.key}")
            counts = count_aside(aside, target.server)
            print_removal(options, aside, counts, f"would remove {count_removable(counts, options)}")
    print(DRY_RUN if options.delete else COUNTED)


def count_container(options: argparse.Namespace, messages: FirebaseMessages) -> MessageCounts:
    """Count the messages of a container, with progress."""
    with show_messages(f"counting {messages.key}", messages.count()) as add_progress:
        return cleaner.count_container(messages, add_progress, step=options.step)


def print_removal(
    options: argparse.Namespace, name: str, counts: MessageCounts, removed: str, later: int = 0
) -> None:
    """Print what a list held, what a run removes from it, and what stays."""
    formats: dict[str, int] = {}
    for (message_format, _), number in counts.items():
        formats[message_format] = formats.get(message_format, 0) + number
    options.answer["lists"].append({"list": name, "messages": formats, "action": removed, "later": later})
    print_counts(name, counts)
    if counts:
        print(f"{removed} of {counts.total()}")
    if not options.all:
        print_staying(counts)
    if later:
        print(f"stays: {later} or more that came later were not looked at: run this again for them")
    print()


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
            removed, later = f"removed {cleaning.removed[key]}", cleaning.later.get(key, 0)
            print_removal(options, key, counts, removed, later)
        if cleaning.writer:
            options.answer["backup"] = str(cleaning.path)
            print(f"backup: {cleaning.path}\n  to undo: {build_undo(options, cleaning.path)}", flush=True)


def clean_in_django(
    options: argparse.Namespace, containers: Sequence[ProjectContainer], *, changes: bool
) -> None:
    """Print what --delete does with the containers, and do it."""
    choices = {"everything": options.all, "accept_loss": options.accept_loss}
    try:
        plans = [django_containers.make_plan(messages, **choices) for messages in containers]
    except ContainerError as error:
        if changes:
            raise
        print(f"--delete would be refused: {error}")
        return
    lacking = django_containers.find_lacking_option(plans)
    for plan in plans:
        row = {"list": plan.container.name, "action": plan.describe(), "loss": plan.loss}
        options.answer["lists"].append(row)
        print_plan(plan, "will" if changes and not lacking else "would")
    if not changes:
        unchanged = DRY_RUN if options.delete else COUNTED
        print(f"--delete would be refused: {lacking}" if lacking else unchanged)
        return
    if lacking:
        raise lacking
    names = [(messages.firebase_app, messages.kind) for messages in containers]
    header = backups.build_header("django", names, everything=options.all)
    try:
        for name, done in django_containers.clean(plans, header, options.backup_path):
            print(f"{name}: {done}", flush=True)
        for messages in containers:
            print_holding(messages)
    finally:
        if options.backup_path.exists():
            options.answer["backup"] = str(options.backup_path)
            print(f"backup: {options.backup_path}\n  to undo: {build_undo(options, options.backup_path)}")


def print_plan(plan: django_containers.ContainerPlan, verb: str) -> None:
    """Print what a container of a project holds, what is removed from it, and what may be lost."""
    name = plan.container.name
    if plan.counts:
        print_counts(name, plan.counts)
    print(f"{name}: {verb} {plan.describe()}")
    if plan.loss:
        print(f"{name}: may be lost: {plan.loss}", flush=True)


def print_holding(messages: ProjectContainer) -> None:
    """Print how many messages a container of a project holds now."""
    number = messages.count_messages()
    if number is None:
        print(f"{messages.name}: its class cannot say how many messages it holds now")
    else:
        print(f"{messages.name}: holds {number} messages now{': run this again for them' if number else ''}")


def read_backup(options: argparse.Namespace) -> Backup:
    """Read a backup. Raises BackupError if it is damaged or holds other containers."""
    backup = backups.read_backup(resolve_path(options.caller_folder, options.restore))
    for row in backup.header["containers"]:
        app, kind = row["firebase_app"], row["container"]
        if app not in options.apps or kind not in options.kinds:
            chosen = f"{', '.join(options.apps)} {options.kind}"
            problem = f"it holds {kind} messages of app {app}; asked for: {chosen}"
            next_step = f"--firebase-app {app} --kind both"
            raise BackupError("backup-of-another-app", str(backup.path), problem, next_step)
    if not backup.complete:
        print("The backup has no footer: its run was interrupted. All that was removed is in it.")
    return backup


def print_restored(options: argparse.Namespace, restored: int, backup: Backup) -> None:
    """Print how many messages a restore puts back or has put back."""
    total = sum(chunk.messages for chunk in backup.chunks)
    options.answer |= {"restored": restored, "of": total}
    explanation = "; the others were restored before, were never removed, or are in the container"
    verb = "would restore" if options.dry_run else "restored"
    print(f"{verb} {restored} of {total} messages{'' if restored == total else explanation}")
    if options.dry_run:
        print(DRY_RUN)


def restore(options: argparse.Namespace, containers: Sequence[FirebaseMessages]) -> None:
    """Restore a backup on a Redis server, and print what the containers then hold."""
    backup, server = read_backup(options), containers[0].server
    if options.dry_run:
        restored = len(cleaner.list_removed(backup, server, lost_server=options.lost_server))
        if refusal := cleaner.find_refusal(containers):
            print(f"--restore would be refused: {refusal}")
    else:
        with show_messages("restoring", sum(chunk.messages for chunk in backup.chunks)) as add_progress:
            restored = cleaner.restore(backup, server, add_progress, lost_server=options.lost_server)
    print_restored(options, restored, backup)
    for messages in containers:
        print_counts(f"now in {messages.key}", count_container(options, messages))


def restore_in_django(options: argparse.Namespace, containers: Sequence[ProjectContainer]) -> None:
    """Restore a backup with the classes of a Django project, and print what the containers then hold."""
    backup = read_backup(options)
    pushes = django_containers.list_pushes(backup, containers, lost_server=options.lost_server)
    if not options.dry_run:
        with show_messages("restoring", len(pushes)) as add_progress:
            django_containers.restore(backup, pushes, add_progress)
    print_restored(options, len(pushes), backup)
    for messages in containers:
        number = messages.count_messages()
        print(f"now in {messages.name}: {'an unknown number of' if number is None else number} messages")


def count_removable(counts: MessageCounts, options: argparse.Namespace) -> int:
    """How many of the counted messages --delete removes."""
    return counts.total() if options.all else count_format(counts, "old")
