"""Test subscribers are removed however a run ends, and those that cannot be removed are listed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ci.commands.cleanup_states import remove_leftovers
from fixtures.core.own_ids import OWN_IDS
from fixtures.core.payloads import IdFactory, is_suite_subscriber
from fixtures.core.project import ROOT
from fixtures.results import build_folder
from fixtures.targets import cleanup
from fixtures.targets.provisioning.config import ProvisioningError
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, DeploymentKey, Inventory
from fixtures.targets.provisioning.pool import SubscriberPool
from suites.selfcheck.targets.sql_service import (
    POOL,
    SERVICE,
    SQL,
    VARIABLE,
    SqlService,
    start_sql_service,
    write_pool,
    write_targets_file,
)
from suites.types import RunCommand

pytestmark = pytest.mark.process

TESTS = "suites/compat/test_redelivery.py"
NO_PROCESS = 2**22 + 1  # above the greatest process id of Linux
BROKEN = SQL.replace("DELETE FROM subscribers", "DELETE FROM nowhere")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlService]:
    with start_sql_service(tmp_path) as service:
        monkeypatch.setenv(VARIABLE, f"sqlite:///{service.database}")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        yield service


@contextlib.contextmanager
def start_module(*command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def pytest_command(folder: Path, states: str, service: SqlService) -> list[str]:
    file = write_targets_file(folder, service.url, states)
    options = [f"--targets={file}", f"--ledger={folder}/build/ledger.jsonl"]
    return ["pytest", TESTS, "-k", SERVICE, "--examples=2", *options]


@pytest.fixture
def run_cleanup(run_command: RunCommand, tmp_path: Path) -> RunCommand:
    """Runs ./ci/cleanup-states, with these states of a deployment."""

    def run(states: str, url: str, *options: str) -> subprocess.CompletedProcess[str]:
        file = write_targets_file(tmp_path, url, states)
        return run_command("cleanup-states", f"--build={tmp_path}/build", f"--targets={file}", *options)

    return run


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait for a condition while the process runs."""
    end = time.monotonic() + 300
    while not condition():
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < end, "the condition was never met"
        time.sleep(0.02)


def list_inventory(folder: Path) -> set[str]:
    subscribers = Inventory(folder / "build" / INVENTORY_FILE).list_all()
    return {row["subscriber_id"] for rows in subscribers.values() for row in rows}


def test_a_run_removes_its_subscribers(tmp_path: Path, service: SqlService) -> None:
    with start_module(*pytest_command(tmp_path, SQL, service)) as process:
        wait_for(service.ids, process)
        output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    assert (service.ids(), "not-removed" in output) == (set(), False)
    assert not (tmp_path / "build" / INVENTORY_FILE).exists()


@pytest.mark.parametrize(
    "workers",
    [pytest.param((), id="one"), pytest.param(("-n2",), id="two", marks=pytest.mark.nightly)],
)
def test_an_interrupted_run_removes_its_subscribers(
    tmp_path: Path, service: SqlService, workers: tuple[str, ...]
) -> None:
    with start_module(*pytest_command(tmp_path, SQL, service), *workers) as process:
        wait_for(service.ids, process)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=600)
    assert process.returncode != 0
    assert service.ids() == set(), output


def test_subscribers_of_a_killed_run_are_known_and_removed(
    run_cleanup: RunCommand, tmp_path: Path, service: SqlService
) -> None:
    with start_module(*pytest_command(tmp_path, SQL, service)) as process:
        wait_for(service.ids, process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert service.ids() != set()
    assert service.ids() <= list_inventory(tmp_path)
    result = run_cleanup(SQL, service.url)
    assert (result.returncode, service.ids()) == (0, set()), result.stdout + result.stderr
    assert run_cleanup(SQL, service.url).stdout == "0 of 0 subscribers were removed\n"


def test_a_pool_is_given_back_as_new(run_cleanup: RunCommand, tmp_path: Path, service: SqlService) -> None:
    service.insert(*write_pool(tmp_path, 1200, with_tokens=True))
    with start_module(*pytest_command(tmp_path, POOL, service)) as process:
        wait_for(lambda: "active" in service.statuses().values(), process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    used = list_inventory(tmp_path)
    assert used
    assert b"pooled-" not in (tmp_path / "build" / INVENTORY_FILE).read_bytes(), (
        "a killed run leaves no token"
    )
    assert run_cleanup(POOL, service.url).returncode == 0
    assert {service.statuses()[subscriber_id] for subscriber_id in used} == {"active"}
    assert {service.tokens()[subscriber_id] for subscriber_id in used} == {
        f"pooled-{value}" for value in used
    }
    assert len(service.ids()) == 1200


def test_subscribers_that_cannot_be_removed_are_listed(
    run_cleanup: RunCommand, tmp_path: Path, service: SqlService
) -> None:
    with start_module(*pytest_command(tmp_path, BROKEN, service)) as process:
        output, _ = process.communicate(timeout=600)
    file = tmp_path / "build" / cleanup.NOT_REMOVED_FILE
    lines = file.read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["subscriber_id"] for line in lines} == service.ids() != set()
    assert "no such table: nowhere" in lines[0]
    assert "not-removed: subscribers-errors: " in output
    result = run_cleanup(BROKEN, service.url)
    assert (result.returncode, "not-removed" in result.stdout) == (69, True)
    assert "not sent" in run_cleanup(SQL, "http://127.0.0.1:9").stdout
    assert run_cleanup(SQL, service.url).returncode == 0
    assert (service.ids(), file.exists()) == (set(), False)


@pytest.mark.nightly
def test_the_gate_cleans_up_when_it_is_terminated_and_notes_what_it_could_not(
    tmp_path: Path, service: SqlService, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscriber_id = IdFactory().next()[2]
    with monkeypatch.context() as patched:
        patched.setattr("os.getpid", lambda: NO_PROCESS)
        deployment = DeploymentKey(SERVICE, "http://gone.example", "other")
        build_folder.adopt(tmp_path / "build")
        Inventory(tmp_path / "build" / INVENTORY_FILE).add(deployment, [{"subscriber_id": subscriber_id}])
    file = write_targets_file(tmp_path, service.url, SQL)
    with start_module(
        "ci.commands", "gate", f"--targets={file}", f"--build={tmp_path}/build", "-n2"
    ) as process:
        wait_for(service.ids, process)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=600)
    verdict = json.loads((tmp_path / "build" / "verdict.json").read_text(encoding="utf-8"))
    assert (process.returncode, verdict["verdict"], service.ids()) == (2, "undecided", set()), output
    assert any(reason.startswith("interrupted") for reason in verdict["reasons"])
    (note,) = verdict["notes"]
    assert subscriber_id in note
    assert "--environment other" in note
    assert f"note: {note}" in output


def test_subscribers_of_a_running_process_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "PROCESS_END_TIMEOUT_S", 0.1)
    inventory = Inventory(tmp_path / INVENTORY_FILE)
    row = {"subscriber_id": IdFactory().next()[2], "token": "t"}
    monkeypatch.setattr("os.getpid", os.getppid)
    inventory.add(DeploymentKey(SERVICE, "http://127.0.0.1:9", None), [row])
    monkeypatch.undo()
    (failure,) = cleanup.clean_up(tmp_path, inventory, {})
    assert failure.subscriber_id == row["subscriber_id"]
    assert failure.why == "the process that made it still runs"


def test_subscribers_that_the_targets_file_no_longer_covers_stay(
    run_cleanup: RunCommand, tmp_path: Path, service: SqlService, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooled, leased = write_pool(tmp_path, 2)
    made_up, foreign = IdFactory().next()[2], str(uuid.uuid4())
    service.insert(pooled, leased, made_up, foreign)
    inventory = Inventory(tmp_path / "build" / INVENTORY_FILE)
    members = {"token": "t", "token_since": "2026-01-01T00:00:00.000Z", "firebase_app": foreign}
    with monkeypatch.context() as patched:
        patched.setattr("os.getpid", lambda: NO_PROCESS)
        rows = [{"subscriber_id": value, **members} for value in (pooled, leased, made_up, foreign)]
        inventory.add(DeploymentKey(SERVICE, service.url, "e"), rows)
    monkeypatch.setattr("tempfile.tempdir", None)
    pool = SubscriberPool(tmp_path / "pool.ndjson", {leased: None})
    with monkeypatch.context() as patched:
        patched.setattr("os.getpid", os.getppid)
        pool.lease(1)
    result = run_cleanup(POOL, service.url)
    assert "another process uses it" in result.stdout
    assert "not in the pool" in result.stdout
    unsubscribed = dict.fromkeys((leased, made_up, foreign), "unsubscribed")
    assert service.statuses() == {pooled: "active", **unsubscribed}
    pool.close()
    assert "names none" in run_cleanup(SQL, service.url).stdout
    assert service.ids() == {pooled, leased, foreign}


def test_an_unreadable_inventory_is_a_note_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / INVENTORY_FILE).write_text("no database, but long enough to be taken for one " * 20)
    (note,) = remove_leftovers(tmp_path, {})
    assert note.startswith("not-removed: DatabaseError")


def test_the_list_can_be_emptied(
    run_cleanup: RunCommand, tmp_path: Path, service: SqlService, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = Inventory(tmp_path / "build" / INVENTORY_FILE)
    monkeypatch.setattr("os.getpid", lambda: NO_PROCESS)
    deployment = DeploymentKey(SERVICE, "http://gone.example", "e")
    inventory.add(deployment, [{"subscriber_id": IdFactory().next()[2]}])
    assert run_cleanup(SQL, service.url).returncode == 69
    result = run_cleanup(SQL, service.url, "--forget")
    assert (result.returncode, result.stdout) == (0, "1 subscribers were taken off the list\n")
    assert run_cleanup(SQL, service.url).returncode == 0


def test_the_key_of_own_ids_is_in_the_list_and_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OWN_IDS, "key", b"first" * 6)
    inventory = Inventory(tmp_path / INVENTORY_FILE)
    subscriber_id = IdFactory().next()[2]
    inventory.add(DeploymentKey(SERVICE, "http://127.0.0.1:9", None), [{"subscriber_id": subscriber_id}])
    monkeypatch.setattr(OWN_IDS, "key", b"other" * 6)
    assert not is_suite_subscriber(subscriber_id)
    inventory.adopt_key()
    assert is_suite_subscriber(subscriber_id)
    assert (tmp_path / INVENTORY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_list_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / INVENTORY_FILE).write_text("no database, but long enough to be taken for one " * 20)
    with pytest.raises(ProvisioningError, match=r"no-inventory: .*not a database"):
        Inventory(tmp_path / INVENTORY_FILE).adopt_key()
