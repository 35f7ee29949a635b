"""In a Django project the cleaner uses the project's own classes, and only where nothing is lost by it."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import topology
from fixtures.release.cleanup import backup as backups
from fixtures.release.cleanup import django
from suites.selfcheck.release.cleaner_process import cleaner_command, new_container, record, run_process
from suites.selfcheck.release.cleaner_project import MODELS, SEEING, SPAM, TAKING, Project, load_project

pytestmark = pytest.mark.process

GO, USAGE, DATA = 0, 64, 65


def test_in_a_django_project_its_own_classes_are_used(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + TAKING + SPAM)
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
    project = Project(tmp_path, MODELS + SEEING + TAKING + SPAM)
    messages = new_container(server)
    messages.push(record(1))
    run_process(cleaner_command(redis_url, messages, "--delete", "--backup", "b"), cwd=tmp_path)
    refused = project.ran("--firebase-app", messages.firebase_app, "--restore", "b")
    assert (refused.returncode, project.held()) == (DATA, ([], []))
    assert "backup-of-redis" in refused.stderr


def test_reset_is_refused_where_it_takes_what_must_stay(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + TAKING + SPAM)
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
    refused = project.ran("--delete", "--all")
    assert (refused.returncode, len(project.held()[0])) == (USAGE, 1)
    assert "may be lost: everything in it" in refused.stdout
    done = project.ran("--delete", "--all", "--accept-loss")
    assert (done.returncode, project.held()) == (GO, ([], []))
    assert "reset, without a backup" in done.stdout


DICTS = [{"legacy": {"a": [1, 1.5, None]}, "text": "ü"}, {"legacy": {}}]


def test_messages_that_are_objects_come_back_equal(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + TAKING + SPAM)
    project.hold_any(DICTS, [json.dumps(DICTS[0])])
    before = project.held()
    assert project.ran("--delete", "--backup", "b").returncode == GO
    assert project.held() == ([], [])
    assert project.ran("--restore", "b").returncode == GO
    assert project.held() == before


TUPLES = """
    def peek(self, count): return [tuple(m) for m in self._all().get(self.key, [])[:count]]
"""
TEXT_ONLY = """
    def push(self, message):
        self._put(self._all() | {self.key: [*self._all().get(self.key, []), str(message)]})
"""
BACKWARDS = """
    def push(self, message): self._put(self._all() | {self.key: [message, *self._all().get(self.key, [])]})
"""


@pytest.mark.parametrize(
    ("odd", "slug"),
    [(TUPLES, "no-backup-of-type"), (TEXT_ONLY, "no-way-back"), (BACKWARDS, "no-way-back")],
    ids=["no-json", "other-form", "other-order"],
)
def test_what_would_not_come_back_equal_is_never_removed(tmp_path: Path, odd: str, slug: str) -> None:
    project = Project(tmp_path, MODELS + SEEING + TAKING + odd + SPAM)
    project.hold_any(DICTS, [])
    before = project.held()
    refused = project.ran("--delete", "--all", "--accept-loss")
    assert (refused.returncode, project.held()) == (USAGE, before)
    assert slug in refused.stderr
    assert not list(tmp_path.glob("*.ndjson"))


LAST_FIRST = """
    def pop(self):
        held = self._all().get(self.key, [])
        self._put(self._all() | {self.key: held[:-1]})
        return held[-1] if held else None
"""


@pytest.mark.parametrize("taking", ["", LAST_FIRST], ids=["no-pop", "takes-the-last"])
def test_where_messages_may_be_lost_it_says_so_before_and_wants_a_yes(tmp_path: Path, taking: str) -> None:
    project = Project(tmp_path, MODELS + SEEING + taking + SPAM)
    project.hold([record(1), record(2)], [])
    before = project.held()
    refused = project.ran("--delete", "--backup", "b")
    assert (refused.returncode, project.held()) == (USAGE, before)
    assert re.search(r"may be lost: what is pushed between .* a gap of about \d+\.\d+ s: ", refused.stdout)
    assert "loss-possible" in refused.stderr
    assert project.ran("--delete", "--backup", "b", "--accept-loss").returncode == GO
    assert project.held() == ([], [])
    assert project.ran("--restore", "b").returncode == GO
    assert project.held() == before


PUSHED_MEANWHILE = """
    def pop(self):
        held = self._all().get(self.key, [])
        self._put(self._all() | {self.key: [*held[1:], "pushed meanwhile"]})
        return held[0] if held else None
"""
TAKEN_MEANWHILE = """
    def peek(self, count):
        held = self._all().get(self.key, [])
        if count == 1 and len(held) == 3:
            held = held[1:]
            self._put(self._all() | {self.key: held})
        return held[:count]
"""
DIES = """
    def pop(self):
        held = self._all().get(self.key, [])
        if len(held) == 2 and self.key.startswith(APP): import os; os._exit(9)
        self._put(self._all() | {self.key: held[1:]})
        return held[0] if held else None
"""


def test_what_others_push_meanwhile_stays(tmp_path: Path) -> None:
    project = Project(tmp_path, "")
    project.hold([record(1), record(2)], [])
    containers = load_project(project, MODELS + SEEING + PUSHED_MEANWHILE + SPAM)
    header = backups.build_header("django", [(c.firebase_app, c.kind) for c in containers], everything=False)
    plans = [
        replace(
            django.make_plan(container, everything=False, accept_loss=True), loss=""
        )  # as if pop() were fine
        for container in containers
    ]
    done = dict(django.clean(plans, header, tmp_path / "b"))
    assert list(done.values()) == [f"emptied one by one, {number} messages" for number in (2, 0)]
    assert project.held()[0] == ["pushed meanwhile"] * 2


def test_what_others_take_meanwhile_is_not_restored(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SEEING + TAKING + TAKEN_MEANWHILE + SPAM)
    project.hold([record(1), record(2), record(3)], [])
    texts = project.held()[0]
    done = project.ran("--delete", "--backup", "b")
    assert (done.returncode, project.held()[0]) == (GO, []), done.stderr
    assert project.ran("--restore", "b").returncode == GO
    assert project.held()[0] == texts[1:]


def test_a_run_that_died_is_restored_without_doubling_what_it_left(tmp_path: Path) -> None:
    models = MODELS + SEEING + DIES + SPAM
    project = Project(tmp_path, models.replace("APP", repr(topology.read_firebase_app())))
    project.hold([record(1), record(2), record(3)], [])
    before = project.held()[0]
    project.ran("--delete", "--backup", "b")
    assert project.held()[0] == before[1:]
    for _ in range(2):
        assert project.ran("--restore", "b").returncode == GO
        assert project.held()[0] == [*before[1:], before[0]]


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
