"""In a Django project, a dry run promises what --delete does, and what is printed to be pasted works."""

import os
import re
import sys
from pathlib import Path

import pytest

from suites.selfcheck.by_day import mark_nightly_rows
from suites.selfcheck.release.cleaner_process import COMMAND, record, run_process
from suites.selfcheck.release.cleaner_project import MODELS, SEEING, SPAM, TAKING, Project

pytestmark = pytest.mark.process

GO, USAGE = 0, 64
COUNTING = """
    def count(self): return len(self._all().get(self.key, []))
"""
LENGTH = """
    def __len__(self): return len(self._all().get(self.key, []))
"""
# What classes show, and what is known about two messages in one.
SHOWN = {
    "reset-alone": ("", "remove all that it holds (how many it cannot say), by reset(), without a backup"),
    "count": (COUNTING, "remove all that it holds (it counts 2), by reset(), without a backup"),
    "length": (LENGTH, "remove all that it holds (it counts 2), by reset(), without a backup"),
    "no-pop": (SEEING, "remove 2 of 2, by reset(), after a backup"),
    "all": (SEEING + TAKING, "remove 2 of 2, one by one, after a backup"),
}


@pytest.mark.parametrize(("methods", "promise"), mark_nightly_rows(SHOWN, ["all"]))
def test_a_dry_run_promises_what_the_deletion_then_does(tmp_path: Path, methods: str, promise: str) -> None:
    project = Project(tmp_path, MODELS + methods + SPAM)
    project.hold([record(1), record(2)], [record(3)])
    before = project.held()
    dry_run = project.ran()
    assert (dry_run.returncode, project.held()) == (GO, before), dry_run.stderr
    assert f"{project.app} regular: would {promise}" in dry_run.stdout
    refused = re.search(r"--delete would be refused: (.*\n  next: .*)", dry_run.stdout)
    options: list[str] = []
    if refused:
        done = project.ran("--delete")
        assert (done.returncode, project.held()) == (USAGE, before)
        assert " will " not in done.stdout
        printed, promised = (re.sub(r"\d+\.\d+ s", "", text) for text in (done.stderr, refused[1]))
        assert printed.strip() == promised
        options = refused[1].rpartition("add ")[2].split()
    tried = project.ran("--delete", "--dry-run", *options)
    assert tried.stdout.endswith("Nothing was changed; leave out --dry-run to do it.\n")
    done = project.ran("--delete", *options)
    assert (done.returncode, project.held()) == (GO, ([], [])), done.stderr
    assert f"{project.app} regular: will {promise}" in done.stdout
    backups = list((tmp_path / "messages-container-backups").glob("*.ndjson"))
    assert len(backups) == ("after a backup" in promise)


def test_all_options_that_are_missing_are_asked_for_at_once(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SPAM)
    refused = project.ran("--delete")
    assert refused.returncode == USAGE
    assert (
        "next: clean it with --redis-url, or stop all writers, then add --all --accept-loss" in refused.stderr
    )


def test_undo_repeats_python_settings_and_folder(tmp_path: Path) -> None:
    project = Project(tmp_path / "it's a project", MODELS + SEEING + TAKING + SPAM)
    settings = 'import os\nassert os.environ["DJANGO_SETTINGS_MODULE"] == "settings"\nimport beside\n'
    models = project.store.with_name("models.py")
    models.write_text(settings + models.read_text(encoding="utf-8"), encoding="utf-8")
    (project.folder / "library").mkdir()
    (project.folder / "library" / "beside.py").touch()
    run_process([sys.executable, "-m", "venv", "--without-pip", str(project.folder / "venv")])
    project.hold([record(1), record(2)], [record(3)])
    before = project.held()
    documented = (
        "PYTHON=venv/bin/python PYTHONPATH=library DJANGO_SETTINGS_MODULE=settings "
        f"{COMMAND} --django apps.messages.models --delete"
    )
    done = run_process(["bash", "-c", documented], cwd=project.folder)
    assert (done.returncode, project.held()) == (GO, ([], [])), done.stderr
    assert f"{project.app} regular: holds 0 messages now" in done.stdout
    undo = done.stdout.partition("to undo: ")[2].strip()
    for option, held, line in (
        (" --dry-run", ([], []), "would restore 3 of 3 messages"),
        ("", before, f"now in {project.app} regular: 2 messages"),
    ):
        undone = run_process(["bash", "-c", undo + option], cwd=tmp_path)
        assert (undone.returncode, project.held()) == (GO, held), undone.stderr
        assert line in undone.stdout


BROKEN = {
    "raises": (
        "raise ValueError('no settings')\n" + MODELS + SPAM,
        "broken-module",
        "ValueError: no settings",
    ),
    "unknown-app": (
        MODELS.replace("self.key =", "raise LookupError; self.key =") + SPAM,
        "unknown-app",
        "FirebaseMessages: (firebase_app=",
    ),
}


@pytest.mark.parametrize(("models", "slug", "problem"), BROKEN.values(), ids=BROKEN)
def test_an_error_of_the_project_is_a_refusal(tmp_path: Path, models: str, slug: str, problem: str) -> None:
    refused = Project(tmp_path, models).ran("--delete")
    assert (refused.returncode, refused.stdout) == (USAGE, "")
    assert slug in refused.stderr
    assert problem in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_python_that_is_not_there_is_a_refusal(tmp_path: Path) -> None:
    project = Project(tmp_path, MODELS + SPAM)
    environment = {**os.environ, "PYTHON": "venv/bin/python"}
    refused = run_process([COMMAND, "--django", "apps.messages.models"], cwd=project.folder, env=environment)
    assert refused.returncode == USAGE
    assert f"no {project.folder}/venv/bin/python: Python 3.11 or newer is needed" in refused.stderr
