"""With --json, standard output holds the answer of a command alone; all other lines are on standard error."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci.commands import broker, clean_messages_container, regenerate, selfcheck, summary
from ci.support.command_line import read_tables

# replay speaks JSON on standard input and output; the others answer nothing.
WITHOUT = {"replay", "completion", "test", "bench peers"}
Capsys = pytest.CaptureFixture[str]


def run_json(capsys: Capsys, main: Callable[..., int], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the object of each line on standard output."""
    exit_code = main([*arguments, "--json"])
    return exit_code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_command_that_answers_something_has_the_option() -> None:
    tables = {name: table for name, table in read_tables().items() if "subcommands" not in table}
    assert {name for name, table in tables.items() if "--json" not in table} == WITHOUT


def test_the_faults(capsys: Capsys) -> None:
    exit_code, rows = run_json(capsys, selfcheck.main, "--list", "--sample", "2")
    assert exit_code == 0
    assert [set(row) for row in rows] == [{"name", "service", "description"}] * 2


def test_no_verdict_to_summarize(tmp_path: Path, capsys: Capsys) -> None:
    exit_code, (answer,) = run_json(capsys, summary.main, "--build", str(tmp_path))
    assert (exit_code, answer["verdict"]) == (69, "undecided")
    assert "no-verdict: " in answer["reasons"][0]


def test_a_silent_broker(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACT_BROKER_BASE_URL", "http://127.0.0.1:9")
    exit_code, (answer,) = run_json(capsys, broker.main, "can-i-deploy")
    assert (exit_code, answer["verdict"]) == (2, "undecided")
    assert "broker-silent" in answer["reasons"][0]


def test_what_is_not_current(tmp_path: Path, capsys: Capsys) -> None:
    exit_code, (answer,) = run_json(
        capsys, regenerate.main, "documents", "--check", "--folder", str(tmp_path)
    )
    assert exit_code == 1
    assert "asyncapi/platform.json" in answer["documents"]["changed"]


def test_a_messages_container_that_is_not_there(capsys: Capsys) -> None:
    url = "redis://127.0.0.1:9/0"
    exit_code, (answer,) = run_json(capsys, clean_messages_container.main, "--redis-url", url)
    assert (exit_code, answer["changes"], answer["lists"]) == (69, False, [])
    assert answer["error"].startswith("unreachable-redis: ")
