"""In a Django project the cleaner uses the project's own classes, and only where nothing is lost by it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import topology
from fixtures.release.cleanup import backup as backups
from suites.selfcheck.release.cleaner_process import (
    COMMAND,
    cleaner_command,
    new_container,
    record,
    run_process,
)

pytestmark = [pytest.mark.process, pytest.mark.aside]

GO, USAGE, DATA = 0, 64, 65

MODELS = """
import json, pathlib
STORE = pathlib.Path(__file__).with_name("store.json")
class FirebaseMessages:
    name = "regular"
    def __init__(self, firebase_app): self.key = firebase_app + self.name
    def _all(self): return json.loads(STORE.read_text())
    def _put(self, held): STORE.write_text(json.dumps(held))
    def reset(self): self._put(self._all() | {self.key: []})
"""
SEEING = """
    def count(self): return len(self._all().get(self.key, []))
    def peek(self, count): return self._all().get(self.key, [])[:count]
    def push(self, message): self._put(self._all() | {self.key: [*self._all().get(self.key, []), message]})
"""
SPAM = """
class FirebaseSpamMessages(FirebaseMessages):
    name = "spam"
"""


class Project:
    """A small project such as a Django one, and its containers."""

    def __init__(self, folder: Path, models: str) -> None:
        self.folder, self.app = folder, topology.read_firebase_app()
        package = folder / "apps" / "messages"
        package.mkdir(parents=True)
        for init in (package.parent / "__init__.py", package / "__init__.py"):
            init.touch()
        (package / "models.py").write_text(models, encoding="utf-8")
        self.store = package / "store.json"
        self.hold([], [])

    def hold(self, regular: list[bytes], spam: list[bytes]) -> None:
        """Put messages into both containers."""
        texts = {"regular": [m.decode() for m in regular], "spam": [m.decode() for m in spam]}
        self.store.write_text(json.dumps({f"{self.app}{kind}": held for kind, held in texts.items()}))

    def held(self) -> tuple[list[str], list[str]]:
        """What is in both containers."""
        store = json.loads(self.store.read_text())
        return store[f"{self.app}regular"], store[f"{self.app}spam"]

    def ran(self, *options: str) -> subprocess.CompletedProcess[str]:
        """The command, in the project's folder."""
        return run_process([COMMAND, "--django", "apps.messages.models", *options], cwd=self.folder)


def test_in_a_django_project_its_own_reset_is_used(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + SPAM)
    project.hold([record(1), record(2)], [record(3)])
    before = project.held()
    dry_run = project.ran()
    assert (dry_run.returncode, project.held()) == (GO, before), dry_run.stderr
    assert "would remove 2" in dry_run.stdout
    assert project.ran("--delete", "--backup", "b").returncode == GO
    assert project.held() == ([], [])
    assert backups.read_backup(tmp_path / "b").header["store"] == "django"
    for _ in range(2):
        assert project.ran("--restore", "b").returncode == GO
        assert project.held() == before


def test_a_project_does_not_restore_what_was_taken_from_redis(
    redis_url: str, server: Any, tmp_path: Path
) -> None:
    project = Project(tmp_path, MODELS + SEEING + SPAM)
    messages = new_container(server)
    messages.push(record(1))
    run_process(cleaner_command(redis_url, messages, "--delete", "--backup", "b"), cwd=tmp_path)
    refused = project.ran("--firebase-app", messages.firebase_app, "--restore", "b")
    assert (refused.returncode, project.held()) == (DATA, ([], []))
    assert "backup-of-redis" in refused.stderr


def test_reset_is_refused_where_it_takes_what_must_stay(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + SPAM)
    project.hold([record(1), record(2, new=True)], [])
    before = project.held()
    refused = project.ran("--delete")
    assert (refused.returncode, project.held()) == (USAGE, before)
    assert "reset-takes-all" in refused.stderr
    assert project.ran("--delete", "--all", "--backup", "b").returncode == GO
    assert project.held() == ([], [])
    assert len(backups.read_backup(tmp_path / "b").chunks) == 1


def test_reset_of_what_cannot_be_seen_asks_for_all(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SPAM)
    project.hold([record(1)], [])
    refused = project.ran("--delete")
    assert (refused.returncode, len(project.held()[0])) == (USAGE, 1)
    assert "unseen-container" in refused.stderr
    done = project.ran("--delete", "--all")
    assert (done.returncode, project.held()) == (GO, ([], []))
    assert "reset, without a backup" in done.stdout


@pytest.mark.parametrize(
    ("models", "slug"),
    [("import nowhere", "unknown-module"), ("", "unknown-class"), (MODELS, "unknown-class")],
    ids=["cannot-be-imported", "no-class", "one-class"],
)
def test_a_module_without_the_classes_is_named(tmp_path: Path, models: str, slug: str) -> None:
    done = Project(tmp_path, models).ran("--delete", "--all")
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert f"{slug}: 'apps.messages.models'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_projects_own_python_can_run_it(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + SPAM)
    project.hold([record(1)], [])
    bare = {**os.environ, "PYTHON": "python3"}
    done = run_process(
        [COMMAND, "--django", "apps.messages.models", "--delete", "--backup", "b"], cwd=tmp_path, env=bare
    )
    assert (done.returncode, project.held()) == (GO, ([], [])), done.stderr
