"""The options of a run reach its processes whole, and no file holds a password."""

import json
from pathlib import Path

import pytest

from fixtures.core.errors import UserError
from fixtures.core.run_config import TARGETS_VARIABLE, RunConfig

SECRETS = ("s3cret-word", "t0ken-word")
WITH_SECRETS = RunConfig(
    seed=3,
    target=(
        f"subscribers-errors=https://me:{SECRETS[0]}@staging.example/a?key={SECRETS[1]}",
        "directory-responses=https://staging.example/b",
    ),
)


def test_a_file_of_options_holds_no_password_and_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "run.json"
    for name, value in WITH_SECRETS.write(file).items():
        monkeypatch.setenv(name, value)
    text = file.read_text(encoding="utf-8")
    assert [secret for secret in SECRETS if secret in text] == []
    assert RunConfig.read(file) == WITH_SECRETS


@pytest.mark.parametrize("value", [None, "[]", "no JSON", '["directory-responses=https://other.example"]'])
def test_without_its_passwords_a_file_of_options_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    file = tmp_path / "run.json"
    WITH_SECRETS.write(file)
    monkeypatch.delenv(TARGETS_VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(TARGETS_VARIABLE, value)
    with pytest.raises(UserError, match="bad-config: ") as refused:
        RunConfig.read(file)
    assert [secret for secret in SECRETS if secret in str(refused.value)] == []


def test_options_without_passwords_need_no_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TARGETS_VARIABLE, json.dumps(["left by an outer run"]))
    config = RunConfig(target=("subscribers-errors=https://staging.example",), seed=4)
    assert config.write(tmp_path / "run.json") == {}
    assert RunConfig.read(tmp_path / "run.json") == config
