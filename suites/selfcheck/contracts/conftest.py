"""Fixtures of the contracts' self-checks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import TypeAlias

import pytest

from ci.commands import broker
from fixtures.contracts.broker.client import TOKEN, URL
from suites.selfcheck.contracts.broker_command import BASIC, broker_variables, leaks

RunHere: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> RunHere:
    """Run ./ci/broker in this process, which is faster. Its output must not contain the canary."""

    def run_in_process(url: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        for name in (URL, TOKEN, *BASIC):
            monkeypatch.delenv(name, raising=False)
        for name, text in broker_variables(url, variables).items():
            monkeypatch.setenv(name, text)
        try:
            code = broker.main(arguments)
        except SystemExit as error:
            code = int(error.code or 0)
        output = capfd.readouterr()
        assert not leaks(output.out + output.err), "a secret came out"
        return subprocess.CompletedProcess(arguments, code, output.out, output.err)

    return run_in_process
