"""An environment may be judged by a catalogue of its own, which decides otherwise on the same cases."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.catalogue import CATALOGUE_FILE
from fixtures.results.policy import describe_own_catalogues
from fixtures.targets.config import TargetError
from suites.selfcheck.targets.own_wire import SERVICE, decide_rightly, run_platform
from suites.selfcheck.targets.test_own_wire import connect_to, find_problems

EditCases = Callable[[dict[str, Any]], object]

POLICY = {"outcome": "unsubscribe", "why": "Our tokens of another sender are dead.", "source": "our policy"}
OTHER_SENDER = ("legacy-MismatchSenderId", "v1-SENDER_ID_MISMATCH")


def drop_other_senders(cases: dict[str, Any]) -> None:
    for name in OTHER_SENDER:
        cases[name] |= POLICY


def decide_by_policy(report: Mapping[str, Any]) -> str:
    text = json.dumps(report["response"])
    is_other_sender = '"SENDER_ID_MISMATCH"' in text or '"MismatchSenderId"' in text
    return "unsubscribe" if is_other_sender else decide_rightly(report)


def write_catalogue(targets: Path, edit: EditCases, name: str = "ours.json") -> None:
    """Write an edited copy of our catalogue beside the targets file, and name it there."""
    data = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    cases = {case["id"]: case for case in data["cases"]}
    edit(cases)
    content = json.dumps({**data, "cases": list(cases.values())})
    (targets.parent / name).write_text(content, encoding="utf-8")
    text = targets.read_text(encoding="utf-8")
    targets.write_text(f'[environments.own]\ncatalogue = "{name}"\n{text}', encoding="utf-8")


def test_a_policy_is_an_edit_of_the_catalogue_of_the_environment(tmp_path: Path) -> None:
    with run_platform(tmp_path, decide=decide_by_policy) as file:
        assert {row.partition(" ")[2] for row in find_problems(file)} == set(OTHER_SENDER)
        write_catalogue(file, drop_other_senders)
        assert find_problems(file) == []


def test_a_service_that_does_not_follow_the_policy_is_found(tmp_path: Path) -> None:
    with run_platform(tmp_path) as file:
        write_catalogue(file, drop_other_senders)
        assert {row.partition(" ")[2] for row in find_problems(file)} == set(OTHER_SENDER)


def test_the_verdict_says_what_the_catalogue_decides_otherwise(tmp_path: Path) -> None:
    with run_platform(tmp_path) as file:
        write_catalogue(file, drop_other_senders)
        with connect_to(file) as target:
            notes = describe_own_catalogues({SERVICE: target.describe()})
    decisions = "; ".join(f"{case}: unsubscribe, not alert" for case in OTHER_SENDER)
    assert notes == [f"own catalogue at {SERVICE}: ours.json: {decisions}"]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda cases: cases["v1-INTERNAL"].update(outcome="drop"), "catalogue-invalid: case 'v1-INTERNAL'"),
        (lambda cases: cases.pop("v1-UNREGISTERED"), "catalogue-other-case: case 'v1-UNREGISTERED'"),
        (lambda cases: cases["v1-UNREGISTERED"].update(code="GONE"), "catalogue-other-case: case 'v1-UNREG"),
        (
            lambda cases: cases["v1-SENDER_ID_MISMATCH"].update(POLICY),
            "catalogue-unequal-equivalents: case 'v1-SENDER_ID_MISMATCH'",
        ),
    ],
)  # fmt: skip
def test_a_wrong_catalogue_is_refused(tmp_path: Path, edit: EditCases, problem: str) -> None:
    with run_platform(tmp_path) as file:
        write_catalogue(file, edit)
        with pytest.raises(TargetError) as error, connect_to(file):
            pass
    assert str(error.value).startswith(problem)
    assert f"mend {tmp_path / 'ours.json'}" in str(error.value) or "put this case back" in str(error.value)


@pytest.mark.parametrize("content", [None, "no JSON"])
def test_a_file_that_holds_no_catalogue_is_refused(tmp_path: Path, content: str | None) -> None:
    with run_platform(tmp_path) as file:
        write_catalogue(file, lambda cases: cases)
        (tmp_path / "ours.json").unlink()
        if content:
            (tmp_path / "ours.json").write_text(content, encoding="utf-8")
        with pytest.raises(TargetError, match=r"no-catalogue: ours\.json: "), connect_to(file):
            pass
