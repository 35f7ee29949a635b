"""What the tests of the container and its cleaner share: a server, records, and the cleaner as a process."""

from __future__ import annotations

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

COMMAND = str(ROOT / "ci" / "clean-messages-container")
LEGACY = {"notification": {"title": "Hello"}}


def record(number: int, *, new: bool = False, app: str = "", **members: Any) -> bytes:
    """A record that its number makes unlike all others."""
    content: dict[str, Any] = {
        "message_id": str(uuid.UUID(int=number)),
        "firebase_app": app or str(uuid.UUID(int=1)),
        "spam": False,
        "created_at": "2026-01-01T00:00:00Z",
        "recipients": [{"subscriber_id": str(uuid.UUID(int=number)), "token": f"token-{number}"}],
        "legacy": LEGACY,
    }
    return json.dumps(content | ({"v1": LEGACY} if new else {}) | members).encode()


def fresh(server: Any) -> FirebaseMessages:
    """An empty container of an app that nobody else uses."""
    return FirebaseMessages(firebase_app=str(uuid.uuid4()), server=server)


def spam_of(messages: FirebaseMessages) -> FirebaseSpamMessages:
    """The spam container of the same app."""
    return FirebaseSpamMessages(firebase_app=messages.firebase_app, server=messages.server)


def all_of(messages: FirebaseMessages) -> list[bytes]:
    """Everything in a container, head first."""
    return messages.peek(1_000_000)


def cleaned(messages: FirebaseMessages, path: Path, *, everything: bool = False, step: int = 7) -> int:
    """Clean a container here, and return how many messages went."""
    run = cleaner.Cleaning(everything=everything, path=path, step=step)
    cleaner.clean([messages], run, lambda _: None)
    return run.removed[messages.key]


def restored(messages: FirebaseMessages, path: Path, *, lost_server: bool = False) -> int:
    """Restore a backup here, and return how many messages came back."""
    return cleaner.restore(backups.read(path), messages.server, lambda _: None, lost_server=lost_server)


def command(url: str, messages: FirebaseMessages, *options: str) -> list[str]:
    """The cleaner's command line for an app of its own."""
    return [COMMAND, "--redis-url", url, "--firebase-app", messages.firebase_app, *options]


def ran(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60, **options)  # noqa: S603  our own
