"""`./ci/doctor` tries an interaction of each own pact of a deployment, and says what is wrong with it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ci.commands import doctor
from suites.selfcheck.contracts.stub_broker.server import StubBroker, serve
from suites.selfcheck.contracts.stub_broker.storage import BrokerStore, StoredPact
from suites.selfcheck.contracts.test_own_pacts import (
    CALLBACK,
    FILE,
    KNOWN_USER,
    make_pact,
    write_pact,
    write_targets,
)
from suites.selfcheck.http_double import serve_answers
from suites.selfcheck.targets.own_wire import OwnPlatform

pytestmark = pytest.mark.process

OTHER_STATUS = {**CALLBACK, "response": {"status": 201}}
NAME = f"'{CALLBACK['description']}' of {FILE}"


def ask_about_pacts(
    folder: Path, capsys: pytest.CaptureFixture[str], *lines: str, pacts: str = '["contracts/*.json"]'
) -> tuple[int, list[Mapping[str, Any]]]:
    """The exit code of the doctor, and its rows about pacts."""
    with serve_answers(OwnPlatform().react) as server:
        file = write_targets(folder, server.url, *lines, pacts=pacts)
        exit_code = doctor.main([f"--targets={file}", f"--build={folder / 'build'}", "--json"])
    rows = capsys.readouterr().out.splitlines()
    answers = [json.loads(row) for row in rows]
    return exit_code, [row for row in answers if row["question"] == "pacts"]


def test_a_pact_that_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pact(tmp_path, CALLBACK, {**CALLBACK, "description": "another"})
    exit_code, (row,) = ask_about_pacts(tmp_path, capsys)
    assert (exit_code, row["well"]) == (0, True)
    assert row["said"] == f"{NAME} is kept; the gate sends 1 more of it"


@pytest.mark.parametrize(
    ("interaction", "lines", "problem", "step"),
    [
        (OTHER_STATUS, (), "is broken: status: expected 201 but was 204", "mend the service or the pact"),
        (
            KNOWN_USER,
            ('pact_states = ["./states"]',),
            "states-not-started",
            "it begins at the targets file",
        ),
    ],
)
def test_what_is_wrong_with_a_pact_is_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    interaction: Mapping[str, Any],
    lines: tuple[str, ...],
    problem: str,
    step: str,
) -> None:
    write_pact(tmp_path, interaction)
    exit_code, (row,) = ask_about_pacts(tmp_path, capsys, *lines)
    assert (exit_code, row["well"]) == (2, False)
    assert problem in row["said"]
    assert step in row["next_step"]


def test_the_pacts_of_a_broker_are_tried_and_a_pending_one_may_be_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = BrokerStore()
    for version, interaction in (("1.0", CALLBACK), ("1.1", OTHER_STATUS)):
        store.publish(StoredPact("push-gateway", version, "devices", make_pact(interaction)), "main")
    store.deploy("push-gateway", "1.0", "production")
    with serve(StubBroker(store, token="of-the-broker")) as broker:  # noqa: S106  of the stub
        monkeypatch.setenv("PACT_BROKER_BASE_URL", broker.url)
        monkeypatch.setenv("PACT_BROKER_TOKEN", "of-the-broker")
        exit_code, rows = ask_about_pacts(tmp_path, capsys, pacts='"broker"')
    name = f"'{CALLBACK['description']}' of push-gateway"
    assert [(row["well"], row["said"]) for row in rows] == [
        (True, f"{name} 1.0 of the broker is kept"),
        (True, f"{name} 1.1 of the broker is broken, which it may be: the broker calls it pending"),
    ]
    assert exit_code == 0


@pytest.mark.parametrize(
    ("url", "problem", "step"),
    [
        ("", "no-broker: is not set", "export PACT_BROKER_BASE_URL=https://broker.example"),
        ("of the stub", "no-pacts: it has no pact with devices, deployed, released or of a", "publish one"),
    ],
)
def test_a_broker_that_has_no_pact_is_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    problem: str,
    step: str,
) -> None:
    with serve(StubBroker()) as broker:
        monkeypatch.setenv("PACT_BROKER_BASE_URL", url and broker.url)
        exit_code, (row,) = ask_about_pacts(tmp_path, capsys, pacts='"broker"')
    assert (exit_code, row["well"]) == (2, False)
    assert problem in row["said"]
    assert step in row["next_step"]
