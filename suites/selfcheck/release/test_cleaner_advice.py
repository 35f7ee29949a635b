"""The cleaner does what it promises; what it prints can be pasted; backups never lie open in a checkout."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.project import ROOT
from fixtures.platform import redis_container
from fixtures.platform.redis_server import run_redis
from fixtures.release.cleanup import cleaner
from fixtures.release.cleanup.backup import read_backup
from fixtures.release.cleanup.backup_place import FOLDER
from fixtures.release.cleanup.steps import NOTES_DAYS
from suites.selfcheck.release.cleaner_process import (
    COMMAND,
    clean_container,
    cleaner_command,
    cleaner_options,
    new_container,
    read_all,
    record,
    restore_container,
    run_process,
    spam_container_of,
    steps_of,
)
from suites.selfcheck.release.test_cleaner_refused import ASIDE
from suites.types import RunCommand

pytestmark = pytest.mark.process

GO, USAGE = 0, 64
HELD = [b"unreadable", *(record(n, new=n % 3 == 0) for n in range(60))]


def paste(done: subprocess.CompletedProcess[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command that a run printed to undo it, as a shell in this folder."""
    assert done.returncode == GO, done.stderr
    undo = done.stdout.partition("to undo: ")[2].splitlines()[0]
    return run_process(["bash", "-c", undo], cwd=folder)


def test_undo_is_pasted_as_it_is_printed(run_cleaner: RunCommand, binary: Path) -> None:
    with run_redis(binary=binary) as url:
        messages = new_container(redis_container.connect(url))
        spam = spam_container_of(messages)
        messages.push(*HELD)
        spam.push(*HELD)
        for kind in ("both", "spam"):
            done = run_cleaner(*cleaner_options(url, messages, "--delete", "--kind", kind))
            undone = paste(done, ROOT)
            assert "restored 80 of 80" in undone.stdout or "restored 40 of 40" in undone.stdout, undone.stderr
            assert sorted(read_all(spam)) == sorted(read_all(messages)) == sorted(HELD)


def test_undo_repeats_the_confirmed_host_and_shows_no_password(tmp_path: Path) -> None:
    with run_redis("--bind", "127.0.0.1", "--port", "0") as url:
        server = redis_container.connect(url)
        server.execute_command("CONFIG", "SET", "requirepass", "sesame")
        path = url.removeprefix("unix://")
        messages = new_container(redis_container.connect(f"unix://:sesame@{path}"))
        messages.push(*HELD)
        command = cleaner_command(f"unix://:sesame@{path}", messages, "--delete", "--confirm", "any")
        done = run_process(command, cwd=tmp_path)
    undo = done.stdout.partition("to undo: ")[2]
    assert f"--redis-url 'unix://***@{path}' --confirm any" in undo
    assert "in place of ***" in undo
    assert "sesame" not in done.stdout + done.stderr


def test_a_dry_run_of_a_deletion_promises_what_it_does(
    run_cleaner: RunCommand, redis_url: str, server: Any, tmp_path: Path
) -> None:
    messages = new_container(server)
    messages.push(*HELD)
    server.rpush(ASIDE.format(app=messages.firebase_app), *(record(n, new=n < 103) for n in range(100, 107)))
    dry_run = run_cleaner(*cleaner_options(redis_url, messages, "--delete", "--dry-run"))
    assert "would remove 40 of 61" in dry_run.stdout
    assert "would remove 4 of 7" in dry_run.stdout
    assert (len(read_all(messages)), list(tmp_path.iterdir())) == (61, [])
    done = run_cleaner(*cleaner_options(redis_url, messages, "--delete"))
    assert "removed 44 of 68" in done.stdout
    assert "stays: 23 new: the new go-sender reads them" in done.stdout
    assert "stays: 1 unreadable: neither go-sender can send them: show them to the owner" in done.stdout


def test_a_dry_run_names_what_would_be_refused(run_cleaner: RunCommand) -> None:
    with run_redis() as url:
        messages = new_container(redis_container.connect(url))
        messages.push(*HELD)
        messages.server.execute_command("ACL", "SETUSER", "default", "-LREM")
        dry_run = run_cleaner(*cleaner_options(url, messages))
    assert dry_run.returncode == GO
    assert "--delete would be refused: command-refused: LREM" in dry_run.stdout


def test_a_dry_run_of_a_restore_changes_nothing(redis_url: str, server: Any, tmp_path: Path) -> None:
    messages = new_container(server)
    messages.push(*HELD)
    clean_container(messages, tmp_path / "b")
    staying = read_all(messages)
    command = cleaner_command(redis_url, messages, "--restore", "b")
    dry_run = run_process([*command, "--dry-run"], cwd=tmp_path)
    assert (dry_run.returncode, read_all(messages)) == (GO, staying)
    assert "would restore 40 of 40 messages" in dry_run.stdout
    done = run_process(command, cwd=tmp_path)
    assert "restored 40 of 40 messages" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["old", "0", "0", "0", "40", "0", "40"] in rows


def test_a_container_that_is_not_there_is_an_error_with_the_keys_that_are(
    run_cleaner: RunCommand, tmp_path: Path
) -> None:
    with run_redis() as url:
        server = redis_container.connect(url)
        absent, messages = new_container(server), new_container(server)
        for option in ([], ["--delete"]):
            refused = run_cleaner(*cleaner_options(url, absent, *option))
            assert (refused.returncode, list(tmp_path.iterdir())) == (USAGE, [])
            assert f"absent-container: {absent.key}" in refused.stderr
            assert "it has no key messages:*; its databases that hold keys: none" in refused.stderr
        messages.push(record(1))
        server.rpush("messages:another:spelling", "a")
        refused = run_cleaner(*cleaner_options(url, absent))
        assert all(key in refused.stderr for key in ("messages:another:spelling", messages.key))
        other_kind = run_cleaner(*cleaner_options(url, messages, "--kind", "spam"))
        assert (other_kind.returncode, messages.key in other_kind.stderr) == (USAGE, True)


def test_a_container_that_the_cleaner_emptied_is_no_error(
    run_cleaner: RunCommand, redis_url: str, server: Any
) -> None:
    messages = new_container(server)
    messages.push(record(1))
    for _ in range(2):
        done = run_cleaner(*cleaner_options(redis_url, messages, "--delete"))
        assert (done.returncode, messages.count()) == (GO, 0)


def test_the_notes_expire_but_not_before_a_restore_has_ended(server: Any, tmp_path: Path) -> None:
    messages, days = new_container(server), 86_400
    messages.push(*HELD)
    clean_container(messages, tmp_path / "b")
    steps = steps_of(messages, read_backup(tmp_path / "b").id)
    assert (NOTES_DAYS - 1) * days < server.ttl(steps.notes) <= NOTES_DAYS * days
    server.expire(steps.notes, 60)
    restore_container(messages, tmp_path / "b")
    assert server.ttl(steps.notes) > (NOTES_DAYS - 1) * days
    server.delete(steps.notes)
    messages.reset()
    assert restore_container(messages, tmp_path / "b", lost_server=True) == 40
    assert server.ttl(steps.notes) > (NOTES_DAYS - 1) * days


def test_the_check_for_refusals_leaves_no_key(server: Any) -> None:
    messages = new_container(server)
    messages.push(record(1))
    keys = server.keys()
    assert (cleaner.find_refusal([messages]), server.keys()) == (None, keys)


def git_status(folder: Path) -> str:
    return run_process(["git", "-C", str(folder), "status", "--short", "--untracked-files=all"]).stdout


def test_a_backup_never_lies_unignored_in_a_checkout(
    run_cleaner: RunCommand, redis_url: str, server: Any, tmp_path: Path
) -> None:
    run_process(["git", "init", "-q", str(tmp_path)])
    messages = new_container(server)
    messages.push(*HELD)
    refused = run_cleaner(*cleaner_options(redis_url, messages, "--delete", "--backup", "b"))
    assert (refused.returncode, read_all(messages)) == (USAGE, HELD)
    assert "backup-not-ignored" in refused.stderr
    done = run_cleaner(*cleaner_options(redis_url, messages, "--delete"))
    assert (done.returncode, messages.count(), git_status(tmp_path)) == (GO, 21, "")
    assert len(list((tmp_path / FOLDER).glob("*.ndjson"))) == 1
    (tmp_path / ".gitignore").write_text("*.mine\n", encoding="ascii")
    command = cleaner_command(redis_url, messages, "--delete", "--all", "--backup", "b.mine")
    assert (run_process(command, cwd=tmp_path).returncode, messages.count()) == (GO, 0)


def test_the_cleaner_imports_only_what_its_lock_holds() -> None:
    lines = (ROOT / "requirements-cleaner.lock").read_text(encoding="utf-8").splitlines()
    script = (
        "import sys, ci.commands.clean_messages_container, fixtures.core.schemas\n"
        "from importlib.metadata import packages_distributions\n"
        "owners = packages_distributions()\n"
        "print(*{owner for name in list(sys.modules) for owner in owners.get(name, ())})"
    )
    done = run_process([sys.executable, "-c", script], cwd=ROOT)
    used = {name.lower().replace("_", "-") for name in done.stdout.split()}
    optional = {"cryptography", "setuptools"}  # redis uses the one if it is there; Python starts the other
    assert used - optional <= {line.partition("==")[0] for line in lines}
    assert {"redis", "rich", "jsonschema-rs"} <= used


@pytest.mark.nightly
def test_the_cleaner_installs_alone(redis_url: str, server: Any, tmp_path: Path) -> None:
    files = run_process(["git", "ls-files", "ci", "fixtures", "schemas", "requirements*"], cwd=ROOT).stdout
    for name in files.split():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    messages = new_container(server)
    messages.push(*HELD)
    _, *options = cleaner_command(redis_url, messages, "--delete")
    done = run_process([str(tmp_path / "ci" / Path(COMMAND).name), *options], cwd=tmp_path)
    assert "Setting up .venv-cleaner from requirements-cleaner.lock" in done.stderr
    assert (done.returncode, messages.count(), (tmp_path / ".venv").exists()) == (GO, 21, False)
    assert "restored 40 of 40" in paste(done, tmp_path).stdout
