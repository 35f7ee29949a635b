"""fcm-compat.toml is found upwards from the caller, its paths begin there, and the command line beats it."""

import argparse
import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ci.support.cli import parse_options
from ci.support.command_line import build_parser, read_tables
from fixtures.core import schemas
from fixtures.core.errors import UserError
from fixtures.core.settings import PATHS, find_settings, read_settings

TEXT = """
catalogue = "own.json"
policy = "policy.toml"
pacts = "contracts"
targets = "ci/targets.toml"
environment = "staging"
i_own = ["staging"]
waivers = "waivers.toml"
build = "out"
"""
MEMBERS = schemas.load_schemas()["settings.schema.json"]["properties"]


def parse(*arguments: str, command: str = "gate") -> argparse.Namespace:
    return parse_options(build_parser(command), arguments)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with settings, and a folder in it."""
    (tmp_path / "fcm-compat.toml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "a" / "b").mkdir(parents=True)
    return tmp_path


def test_the_nearest_file_upwards_is_found(repository: Path) -> None:
    assert find_settings(repository / "a" / "b") == repository / "fcm-compat.toml"
    nearer = repository / "a" / "fcm-compat.toml"
    nearer.touch()
    assert find_settings(repository / "a" / "b") == nearer
    assert find_settings(repository) == repository / "fcm-compat.toml"


def test_paths_begin_at_the_file_and_the_file_is_named(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = parse(f"--from={repository / 'a'}")
    assert options.catalogue == str(repository / "own.json")
    assert options.targets == str(repository / "ci" / "targets.toml")
    assert options.build == str(repository / "out")
    assert (options.environment, options.i_own) == ("staging", ["staging"])
    assert options.settings_file == repository / "fcm-compat.toml"
    names = [line.partition(" ")[0] for line in TEXT.split("\n") if line]
    first_line = capsys.readouterr().err.splitlines()[0]
    assert first_line == f"settings: {repository / 'fcm-compat.toml'}: {', '.join(names)}"


def test_the_command_line_beats_the_file(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--policy=mine.toml", "--i-own=lab", "--environment=lab", "--build=build")
    options = parse(f"--from={repository}", *arguments)
    assert options.policy == str(repository / "mine.toml")
    assert (options.i_own, options.environment, options.build) == (["lab"], "lab", "build")
    assert "policy" not in capsys.readouterr().err


def test_no_config_reads_no_file(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = parse(f"--from={repository}", "--no-config")
    assert (options.policy, options.build, options.settings_file) == (None, "build", None)
    assert capsys.readouterr().err == ""


def test_a_command_takes_only_what_it_has_an_option_for(repository: Path) -> None:
    options = parse(f"--from={repository}", command="summary")
    assert options.build == str(repository / "out")
    assert not hasattr(options, "targets")


@pytest.mark.parametrize(
    "command", ["gate", "merge", "report", "summary", "doctor", "cleanup-states", "deep"]
)
def test_each_setting_is_an_option_of_its_command(command: str) -> None:
    options = parse("--no-config", *({"merge": ["x"]}.get(command, [])), command=command)
    assert all(hasattr(options, name) for name in options.settings)
    assert set(options.settings) <= MEMBERS.keys()


def test_the_gate_takes_every_setting_and_each_is_described() -> None:
    assert set(read_tables()["gate"]["settings"]) == MEMBERS.keys()
    assert set(PATHS) == {name for name in MEMBERS if name not in ("environment", "i_own")}


@pytest.mark.parametrize(
    "text", ["policy", "polici = 'x'", "i_own = 'x'", "policy = ''", "build = 1", "i_own = ['']"]
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "fcm-compat.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="bad-settings") as error:
        read_settings(file)
    assert "--no-config" in error.value.next_step
    with contextlib.suppress(tomllib.TOMLDecodeError):
        assert not schemas.is_valid(tomllib.loads(text), "settings.schema.json")


def test_the_schema_allows_what_is_read(repository: Path) -> None:
    assert schemas.is_valid(tomllib.loads(TEXT), "settings.schema.json")
    assert read_settings(repository / "fcm-compat.toml").keys() == tomllib.loads(TEXT).keys()


@pytest.mark.parametrize("name", ["settings", "gate-policy", "waivers"])
def test_every_member_of_a_file_of_the_user_is_described(name: str) -> None:
    schema = schemas.load_schemas()[f"{name}.schema.json"]
    parts: list[dict[str, Any]] = [schema, *schema.get("$defs", {}).values()]
    members = [(name, row) for part in parts for name, row in part.get("properties", {}).items()]
    assert [member for member, row in members if "description" not in row] == []
