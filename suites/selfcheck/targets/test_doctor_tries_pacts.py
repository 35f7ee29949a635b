"""`./ci/doctor` tries an interaction of each own pact of a deployment, and says what is wrong with it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ci.commands import doctor
from suites.selfcheck.contracts.test_own_pacts import CALLBACK, FILE, KNOWN_USER, write_pact, write_targets
from suites.selfcheck.http_double import serve_answers
from suites.selfcheck.targets.own_wire import OwnPlatform

pytestmark = pytest.mark.process

OTHER_STATUS = {**CALLBACK, "response": {"status": 201}}
NAME = f"'{CALLBACK['description']}' of {FILE}"


def ask_about_pacts(
    folder: Path, capsys: pytest.CaptureFixture[str], *lines: str
) -> tuple[int, list[Mapping[str, Any]]]:
    """The exit code of the doctor, and its rows about pacts."""
    with serve_answers(OwnPlatform().react) as server:
        file = write_targets(folder, server.url, *lines)
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
