"""Records, and the cleaner in this process or as a command, for its tests."""

import json
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fixtures.core.project import ROOT
from fixtures.platform.redis_container import FirebaseMessages, FirebaseSpamMessages
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import cleaner
from fixtures.release.cleanup.cursor import STEP, ListCursor
from fixtures.release.cleanup.steps import ContainerSteps, notes_key, read_run_id

COMMAND = str(ROOT / "ci" / "clean-messages-container")
LEGACY = {"notification": {"title": "Hello"}}


def record(number: int, *, new: bool = False, app: str = "", **members: Any) -> bytes:
    """A record that is unique by its number."""
    content: dict[str, Any] = {
        "message_id": str(uuid.UUID(int=number)),
        "firebase_app": app or str(uuid.UUID(int=1)),
        "spam": False,
        "created_at": "2026-01-01T00:00:00Z",
        "recipients": [{"subscriber_id": str(uuid.UUID(int=number)), "token": f"token-{number}"}],
        "legacy": LEGACY,
    }
    return json.dumps(content | ({"v1": LEGACY} if new else {}) | members).encode()


def new_container(server: Any) -> FirebaseMessages:
    """An empty container of a new app."""
    return FirebaseMessages(firebase_app=str(uuid.uuid4()), server=server)


def spam_container_of(messages: FirebaseMessages) -> FirebaseSpamMessages:
    return FirebaseSpamMessages(firebase_app=messages.firebase_app, server=messages.server)


def read_all(messages: FirebaseMessages) -> list[bytes]:
    """All messages of a container, head first."""
    return messages.peek(1_000_000)


def steps_of(messages: FirebaseMessages, backup: str = "") -> ContainerSteps:
    """The steps of a run on a container."""
    return ContainerSteps(messages, read_run_id(messages.server), notes_key(messages.key, backup))


def cursor_of(messages: FirebaseMessages, step: int = STEP) -> ListCursor:
    return ListCursor(steps_of(messages), step)


def clean_container(
    messages: FirebaseMessages, path: Path, *, everything: bool = False, step: int = 7
) -> int:
    """Clean a container in this process. Returns how many messages were removed."""
    run = cleaner.CleaningRun(everything=everything, path=path, step=step)
    cleaner.clean([messages], run, lambda _: None)
    return run.removed[messages.key]


def restore_container(messages: FirebaseMessages, path: Path, *, lost_server: bool = False) -> int:
    """Restore a backup in this process. Returns how many messages were restored."""
    backup = backups.read_backup(path)
    return cleaner.restore(backup, messages.server, lambda _: None, lost_server=lost_server)


def cleaner_options(url: str, messages: FirebaseMessages, *options: str) -> list[str]:
    return ["--redis-url", url, "--firebase-app", messages.firebase_app, *options]


def cleaner_command(url: str, messages: FirebaseMessages, *options: str) -> list[str]:
    return [COMMAND, *cleaner_options(url, messages, *options)]


def run_process(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60, **options)  # noqa: S603  our own
