"""What a run made is removed however the run ends, and what cannot be removed is told."""

from __future__ import annotations

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

from ci.commands import cleanup_states as cleanup
from fixtures.core.payloads import IdFactory
from fixtures.core.project import ROOT
from fixtures.targets import cleanup as cleaning
from fixtures.targets.provisioning import pool
from fixtures.targets.provisioning.inventory import Inventory, Place
from fixtures.targets.rate_limit import INVENTORY_FILE
from suites.selfcheck.targets.sql_service import (
    POOL,
    REACTOR,
    SQL,
    VARIABLE,
    Stored,
    pool_of,
    stored,
    targets_file,
)

pytestmark = pytest.mark.process

TESTS = "suites/compat/test_redelivery.py"
GONE = 2**22 + 1
"""A process that is not there: it is more than there can be."""
BROKEN = SQL.replace("DELETE FROM subscribers", "DELETE FROM nowhere")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stored]:
    """A deployment whose subscribers are made in its database."""
    with stored(tmp_path) as found:
        monkeypatch.setenv(VARIABLE, f"sqlite:///{found.database}")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        yield found


@contextlib.contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A process of ours that something happens to."""
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


def judging(folder: Path, states: str, place: Stored) -> list[str]:
    """Some tests, as a developer runs them."""
    named = [f"--targets={targets_file(folder, place.url, states)}", f"--ledger={folder}/build/ledger.jsonl"]
    return ["pytest", TESTS, "-k", REACTOR, "--examples=2", *named]


def cleaned(folder: Path, states: str, place: Stored, *others: str) -> subprocess.CompletedProcess[str]:
    """What `./ci/cleanup-states` says."""
    file = targets_file(folder, place.url, states)
    command = [
        sys.executable,
        "-m",
        "ci.commands.cleanup_states",
        f"--build={folder}/build",
        f"--targets={file}",
        *others,
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603


def wait_for(ready: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something is so, as long as the process lives."""
    end = time.monotonic() + 300
    while not ready():
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def test_a_run_removes_whom_it_made(tmp_path: Path, place: Stored) -> None:
    with running(*judging(tmp_path, SQL, place)) as process:
        wait_for(place.ids, process)
        said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    assert (place.ids(), "not-removed" in said) == (set(), False)
    assert not (tmp_path / "build" / INVENTORY_FILE).exists()


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGINT, ()), (signal.SIGINT, ("-n2",))], ids=["one", "two"]
)
def test_a_run_that_is_interrupted_removes_whom_it_made(
    tmp_path: Path, place: Stored, number: int, workers: tuple[str, ...]
) -> None:
    with running(*judging(tmp_path, SQL, place), *workers) as process:
        wait_for(place.ids, process)
        process.send_signal(number)
        said, _ = process.communicate(timeout=600)
    assert process.returncode != 0
    assert place.ids() == set(), said


def test_what_a_killed_run_left_is_known_and_removed(tmp_path: Path, place: Stored) -> None:
    with running(*judging(tmp_path, SQL, place)) as process:
        wait_for(place.ids, process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    assert place.ids() != set()
    made = Inventory(tmp_path / "build" / INVENTORY_FILE).left()
    assert place.ids() <= {row["subscriber_id"] for rows in made.values() for row in rows}
    told = cleaned(tmp_path, SQL, place)
    assert (told.returncode, place.ids()) == (0, set()), told.stdout + told.stderr
    assert cleaned(tmp_path, SQL, place).stdout == "0 of 0 subscribers were removed\n"


def test_a_pool_is_given_back_as_new(tmp_path: Path, place: Stored) -> None:
    place.put(*pool_of(tmp_path, 1200))
    with running(*judging(tmp_path, POOL, place)) as process:
        wait_for(lambda: "active" in place.statuses().values(), process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    left = {
        row["subscriber_id"] for rows in Inventory(tmp_path / "build" / INVENTORY_FILE).left().values() for row in rows
    }
    assert cleaned(tmp_path, POOL, place).returncode == 0
    assert {place.statuses()[one] for one in left} == {"active"}
    assert len(place.ids()) == 1200


def test_what_cannot_be_removed_is_listed(tmp_path: Path, place: Stored) -> None:
    with running(*judging(tmp_path, BROKEN, place)) as process:
        said, _ = process.communicate(timeout=600)
    listed = (tmp_path / "build" / cleaning.NOT_REMOVED_FILE).read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["subscriber_id"] for line in listed} == place.ids() != set()
    assert "no such table: nowhere" in listed[0]
    assert "not-removed: subscribers-errors: " in said
    told = cleaned(tmp_path, BROKEN, place)
    assert (told.returncode, "not-removed" in told.stdout) == (69, True)
    elsewhere = Stored("http://127.0.0.1:9", place.database, place.process)
    assert "not sent" in cleaned(tmp_path, SQL, elsewhere).stdout
    assert cleaned(tmp_path, SQL, place).returncode == 0
    assert (place.ids(), (tmp_path / "build" / cleaning.NOT_REMOVED_FILE).exists()) == (set(), False)


def test_the_gate_cleans_up_when_it_is_told_to_stop_and_notes_what_it_could_not(
    tmp_path: Path, place: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = IdFactory().next()[2]
    with monkeypatch.context() as patched:
        patched.setattr("os.getpid", lambda: GONE)
        gone = Place(REACTOR, "http://gone.example", "other")
        Inventory(tmp_path / "build" / INVENTORY_FILE).note(gone, [{"subscriber_id": left}])
    named = [f"--targets={targets_file(tmp_path, place.url, SQL)}", f"--build={tmp_path}/build"]
    with running("ci.commands.gate", *named, "-n2") as process:
        wait_for(place.ids, process)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=600)
    verdict = json.loads((tmp_path / "build" / "verdict.json").read_text(encoding="utf-8"))
    assert (process.returncode, verdict["verdict"], place.ids()) == (2, "undecided", set()), said
    assert any(reason.startswith("interrupted") for reason in verdict["reasons"])
    (note,) = verdict["notes"]
    assert left in note
    assert "--environment other" in note
    assert f"note: {note}" in said


def test_whom_a_running_process_made_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "ENDING_S", 0.1)
    inventory = Inventory(tmp_path / INVENTORY_FILE)
    row = {"subscriber_id": IdFactory().next()[2], "token": "t"}
    monkeypatch.setattr("os.getpid", os.getppid)
    inventory.note(Place(REACTOR, "http://127.0.0.1:9", None), [row])
    monkeypatch.undo()
    (left,) = cleaning.clean_up(tmp_path, inventory, {})
    assert (left.subscriber_id, left.why) == (row["subscriber_id"], "the process that made it still runs")


def test_whom_the_targets_file_no_longer_means_stays_as_they_are(
    tmp_path: Path, place: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooled, used = pool_of(tmp_path, 2)
    made, stranger = IdFactory().next()[2], str(uuid.uuid4())
    place.put(pooled, used, made, stranger)
    inventory = Inventory(tmp_path / "build" / INVENTORY_FILE)
    row = {"token": "t", "token_since": "2026-01-01T00:00:00.000Z", "firebase_app": stranger}
    with monkeypatch.context() as patched:
        patched.setattr("os.getpid", lambda: GONE)
        rows = [{"subscriber_id": one, **row} for one in (pooled, used, made, stranger)]
        inventory.note(Place(REACTOR, place.url, "e"), rows)
    monkeypatch.setattr("tempfile.tempdir", None)
    taken = pool.Pool(tmp_path / "pool.ndjson", [pool.Member(used)])
    taken.take(1)
    told = cleaned(tmp_path, POOL, place)
    assert "another process uses it" in told.stdout
    assert "not in the pool" in told.stdout
    unsubscribed = dict.fromkeys((used, made, stranger), "unsubscribed")
    assert place.statuses() == {pooled: "active", **unsubscribed}
    taken.close()
    assert "names none" in cleaned(tmp_path, SQL, place).stdout
    assert place.ids() == {pooled, used, stranger}


def test_an_inventory_that_cannot_be_read_is_a_note_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / INVENTORY_FILE).write_text("no database, but long enough to be taken for one " * 20)
    (note,) = cleanup.swept(tmp_path, {})
    assert note.startswith("not-removed: DatabaseError")


def test_a_list_can_be_forgotten(tmp_path: Path, place: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = Inventory(tmp_path / "build" / INVENTORY_FILE)
    monkeypatch.setattr("os.getpid", lambda: GONE)
    inventory.note(Place(REACTOR, "http://gone.example", "e"), [{"subscriber_id": IdFactory().next()[2]}])
    assert cleaned(tmp_path, SQL, place).returncode == 69
    told = cleaned(tmp_path, SQL, place, "--forget")
    assert (told.returncode, told.stdout) == (0, "1 subscribers were taken off the list\n")
    assert cleaned(tmp_path, SQL, place).returncode == 0
