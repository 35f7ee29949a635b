"""A policy of the user says what differs; one that asks for less than that of the suite is called weaker."""

import json
from pathlib import Path

import pytest

from fixtures.core.catalogue import CATALOGUE_FILE, describe_decisions, load_own_catalogue
from fixtures.core.errors import UserError
from fixtures.results import policy, policy_file
from fixtures.results.policy_file import POLICY_FILE, load_policy

SHIPPED = load_policy()
MISMATCH = "v1-SENDER_ID_MISMATCH"


def write_policy(folder: Path, text: str) -> Path:
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "weakness"),
    [
        ("reports = 10", f"reports is 10, not {SHIPPED.reports}"),
        ("rollout = false", "rollout is false"),
        ("every_case_at_every_provider = false", "every_case_at_every_provider is false"),
        ("every_case_in_every_world = false", "every_case_in_every_world is false"),
        ('waivable_promises = ["v1-UNREGISTERED"]', "waivable_promises names v1-UNREGISTERED"),
    ],
)
def test_a_policy_that_asks_for_less_is_weaker_and_keeps_the_rest(
    tmp_path: Path, text: str, weakness: str
) -> None:
    own_policy = load_policy(write_policy(tmp_path, text))
    assert own_policy.weaker == f"The policy own.toml is weaker than that of this suite: {weakness}."
    assert own_policy.tests == SHIPPED.tests
    assert own_policy.without_requirements().weaker == own_policy.weaker


@pytest.mark.parametrize("text", ["", "reports = 20000", 'raised_rules = ["effects.code"]'])
def test_a_policy_that_asks_for_as_much_or_more_is_not_weaker(tmp_path: Path, text: str) -> None:
    assert not load_policy(write_policy(tmp_path, text)).weaker


def test_a_policy_without_a_suite_or_a_raised_rule_is_weaker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = POLICY_FILE.read_text(encoding="utf-8")
    raised = text.replace("raised_rules = []", 'raised_rules = ["effects.code"]')
    (tmp_path / "shipped.toml").write_text(raised, encoding="utf-8")
    monkeypatch.setattr(policy_file, "POLICY_FILE", tmp_path / "shipped.toml")
    few = tmp_path / "few.json"
    tests = [test for test in SHIPPED.tests if "/rollout/" not in test]
    few.write_text(policy_file.format_expected_tests(tests), encoding="utf-8")
    own_policy = load_policy(write_policy(tmp_path, f'raised_rules = []\nexpected_tests = "{few}"'))
    assert f"{len(SHIPPED.tests) - len(tests)} tests of suites/rollout are not required" in own_policy.weaker
    assert "raised_rules leaves out effects.code" in own_policy.weaker


@pytest.mark.parametrize(
    "text", ["reports = -1", "reports = 'x'", "x = 1", "reports =", 'waivable_promises = ["x"]']
)
def test_a_wrong_policy_of_the_user_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="bad-policy"):
        load_policy(write_policy(tmp_path, text))


def write_catalogue(folder: Path, **members: object) -> Path:
    data = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    next(row for row in data["cases"] if row["id"] == MISMATCH).update(members)
    file = folder / "own.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def test_a_catalogue_that_decides_otherwise_is_told_in_a_sentence(tmp_path: Path) -> None:
    catalogue_file = write_catalogue(tmp_path, outcome="unsubscribe", legacy_equivalent=[])
    decisions = describe_decisions(load_own_catalogue(catalogue_file))
    assert decisions.startswith(f"{MISMATCH}: unsubscribe, not alert; {MISMATCH}: no longer as ")
    versions = {name: {"version": "1", "catalogue": f"own.json: {decisions}"} for name in ("a", "b")}
    (sentence,) = policy.describe_other_catalogues(versions)
    assert sentence == f"The catalogue own.json decides otherwise than that of this suite: {decisions}."


def test_a_catalogue_with_a_shorter_wait_or_a_wider_rule_is_told(tmp_path: Path) -> None:
    file = write_catalogue(tmp_path)
    data = json.loads(file.read_text(encoding="utf-8"))
    wait = next(row["wait"] for row in data["cases"] if row["wait"])
    data["waits"][wait]["floor_s"] = 0
    data["unspecified"][0]["outcomes"] = ["alert", "unsubscribe", "postpone", "keep", "fix_message"]
    file.write_text(json.dumps(data), encoding="utf-8")
    decisions = describe_decisions(load_own_catalogue(file))
    assert "another wait" in decisions
    assert f"{data['unspecified'][0]['id']}: allows other outcomes" in decisions


def test_the_same_decisions_are_no_sentence() -> None:
    versions = {"a": {"version": "1", "catalogue": "own.json: no other outcome"}}
    assert list(policy.describe_other_catalogues(versions)) == []
