"""The options of a run for pytest: from the command line, or from the JSON file of --config."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import run_config
from fixtures.core.run_config import RunConfig
from fixtures.generation import example_database
from fixtures.targets import config as deployments
from fixtures.targets.config import Deployment

RUN_CONFIG = pytest.StashKey[RunConfig]()
KNOWN_FAILURES_URL = pytest.StashKey[str]()
DEPLOYMENTS = pytest.StashKey[dict[str, Deployment]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fcm-compat")
    group.addoption("--config", metavar="FILE", help="JSON file with these options, as ./ci/gate writes it")
    run_config.add_options(group.addoption)


def get_run_config(config: pytest.Config) -> RunConfig:
    """Read the options of the run once; an option on the command line wins over the file of --config."""
    if RUN_CONFIG not in config.stash:
        base = RunConfig.read(Path(config.option.config)) if config.option.config else None
        config.stash[RUN_CONFIG] = RunConfig.from_options(config.option, base)
    return config.stash[RUN_CONFIG]


def get_deployments(config: pytest.Config) -> dict[str, Deployment]:
    """Read the deployments of the run once. Raises TargetError for one that may not be tested."""
    if DEPLOYMENTS not in config.stash:
        run = get_run_config(config)
        may_test = deployments.owned_names(run.i_own, os.environ)
        config.stash[DEPLOYMENTS] = deployments.resolve_deployments(
            run.target, run.targets or None, run.environment or None, may_test
        )
    return config.stash[DEPLOYMENTS]


def expect_versions(config: pytest.Config, versions: Mapping[str, str | None]) -> None:
    """Test these versions of the deployments and no others."""
    config.stash[DEPLOYMENTS] = {
        name: replace(deployment, version=versions.get(name, deployment.version))
        for name, deployment in get_deployments(config).items()
    }


def expect_worker_versions(config: Any) -> None:
    """In a worker of xdist, test the versions that the main process has been told."""
    expect_versions(config, config.workerinput["versions"])


def get_known_failures_url(config: pytest.Config) -> str:
    """The Redis that knows failures of other shards and runs; empty if there is none."""
    if KNOWN_FAILURES_URL not in config.stash:
        config.stash[KNOWN_FAILURES_URL] = os.environ.pop(example_database.VARIABLE, "")
    return config.stash[KNOWN_FAILURES_URL]


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of xdist. Workers run tests but write no ledger."""
    return hasattr(config, "workerinput")
