"""A verdict is written completely or not at all, and changes of the clock are noticed."""

import json
from pathlib import Path

import pytest

from fixtures.results import verdict_file


def test_a_verdict_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "verdict.json"
    for word in ("undecided", "go"):
        verdict_file.write_verdict(file, {"verdict": word})
        assert json.loads(file.read_text(encoding="utf-8")) == {"verdict": word}
    assert list(tmp_path.iterdir()) == [file]


def test_half_a_verdict_is_none(tmp_path: Path) -> None:
    file = tmp_path / "verdict.json"
    verdict_file.write_verdict(file, {"verdict": "undecided"})
    with pytest.raises(TypeError):
        verdict_file.write_verdict(file, {"verdict": "go", "findings": {1, 2}})
    assert json.loads(file.read_text(encoding="utf-8")) == {"verdict": "undecided"}
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(("leap", "doubts"), [(0.0, 0), (4.0, 0), (-4.0, 0), (6.0, 1), (-3600.0, 1)])
def test_a_clock_that_was_set_is_a_doubt(leap: float, doubts: int) -> None:
    problems = verdict_file.clock_problems(verdict_file.clock_offset() - leap)
    assert len(problems) == doubts
    assert not doubts or (problems[0].startswith("clock-set: ") and f"{leap:+.0f} s" in problems[0])


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("", ""),
        ("3 passed\n", ""),
        (
            "INTERNALERROR> Traceback\nINTERNALERROR> OSError: [Errno 28] No space left\n",
            "OSError: [Errno 28] No space",
        ),
        ("ERROR: unreachable-target: x does not answer\n", "ERROR: unreachable-target"),
    ],
    ids=["nothing", "no complaint", "internal error", "usage"],
)
def test_the_last_words_of_pytest_are_told(tmp_path: Path, log: str, expected: str) -> None:
    file = tmp_path / "pytest.log"
    file.write_text(log, encoding="utf-8")
    error = verdict_file.last_error(file)
    assert error.startswith(expected)
    assert bool(error) == bool(expected)
