"""The options of a run for pytest: from the command line, or from the JSON file of --config."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fixtures.core import run_config
from fixtures.core.run_config import RunConfig
from fixtures.generation import example_database
from fixtures.results.policy_file import Policy, load_policy
from fixtures.targets import selection
from fixtures.targets.config import Deployment

RUN_CONFIG = pytest.StashKey[RunConfig]()
KNOWN_FAILURES_URL = pytest.StashKey[str]()
DEPLOYMENTS = pytest.StashKey[dict[str, Deployment]]()
POLICY = pytest.StashKey[Policy]()

# The options of pytest and its plugins that decide which tests run, by the name of their attribute.
SELECTING_OPTIONS = {
    "-m": "markexpr",
    "-k": "keyword",
    "--deselect": "deselect",
    "--ignore": "ignore",
    "--ignore-glob": "ignore_glob",
    "--maxfail": "maxfail",
    "--splits": "splits",
    "--group": "group",
    "--setup-plan": "setupplan",
    "--setup-only": "setuponly",
    "--noconftest": "noconftest",
}
# Only the main process has them.
PROCESS_OPTIONS = {"-n": "numprocesses", "--dist": "dist"}
# The code that xdist sends to its workers.
WORKER_MODULE = "__channelexec__"


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
        config.stash[DEPLOYMENTS] = selection.resolve_run_deployments(run, os.environ)
    return config.stash[DEPLOYMENTS]


def get_policy(config: pytest.Config) -> Policy:
    """Read the policy of the run once."""
    if POLICY not in config.stash:
        policy_file = get_run_config(config).policy
        config.stash[POLICY] = load_policy(Path(policy_file) if policy_file else None)
    return config.stash[POLICY]


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


def describe_process(config: pytest.Config) -> dict[str, Any]:
    """What decides what this process judges, as the gate describes what it asked for."""
    names = SELECTING_OPTIONS if is_worker(config) else {**SELECTING_OPTIONS, **PROCESS_OPTIONS}
    options = {name: getattr(config.option, attribute, None) for name, attribute in names.items()}
    options |= {"tests": config.args, "plugins": list_plugins(config), "addopts": config.getini("addopts")}
    options["-c"] = config.inipath and os.path.relpath(config.inipath, config.rootpath)
    return {**get_run_config(config).describe(), **run_config.describe_options(options)}


def list_plugins(config: pytest.Config) -> list[str]:
    """The packages that the plugins of this process are from."""
    plugins = [plugin for _, plugin in config.pluginmanager.list_name_plugin() if plugin is not None]
    modules = {
        plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__ for plugin in plugins
    }
    return sorted({module.partition(".")[0] for module in modules} - {WORKER_MODULE})


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of xdist. Workers run tests but write no ledger."""
    return hasattr(config, "workerinput")
