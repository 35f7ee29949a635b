"""Runs tests at deployments that rows of a targets file describe."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ci.scoring.fault_runs import run_tests
from fixtures.core.project import ROOT
from fixtures.core.run_config import RunConfig
from fixtures.faults.scoring import RunResult


def write_targets_file(folder: Path, rows: Mapping[str, str], within_s: float) -> Path:
    """Write a targets file with a row for each service, by name."""
    targets = folder / "targets.toml"
    head = "[environments.local.services.{name}]\nobserve_within_s = {within_s}\n{row}\n"
    text = "".join(head.format(name=name, row=row, within_s=within_s) for name, row in rows.items())
    targets.write_text(text, encoding="utf-8")
    return targets


def judge_deployments(
    folder: Path, rows: Mapping[str, str], file: str, keyword: str = "", *, within_s: float
) -> RunResult:
    """Run tests of a file of suites/compat at the deployments of these rows."""
    targets = write_targets_file(folder, rows, within_s)
    config = RunConfig(targets=str(targets), environment="local", examples=1)
    selection = [f"{ROOT}/suites/compat/{file}.py", *(["-k", keyword] if keyword else [])]
    return run_tests(selection, config)


def start_row(command: Sequence[str]) -> str:
    """The row of a service that a command starts, ready as soon as its port accepts connections."""
    environment = f'env = {{ PYTHONPATH = "{ROOT}" }}'
    return f'start = {json.dumps(command)}\nready = "127.0.0.1:{{port}}"\n{environment}'
