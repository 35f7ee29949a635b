"""Options of every suite, and the plugins of a run. No decisions here: those are in fixtures/."""

from __future__ import annotations

import contextlib
import os

os.environ.setdefault("PACT_DO_NOT_TRACK", "true")

import pytest

from fixtures.core import findings as verdict
from fixtures.core import redaction
from fixtures.core.project import BUILD
from fixtures.targets import cleanup
from fixtures.targets import target as targets
from fixtures.targets.client import Unreachable
from fixtures.targets.config import TargetError
from fixtures.targets.provisioning.inventory import Inventory
from fixtures.targets.rate_limit import Budget
from suites.plugins import exploration, scheduling, sharding
from suites.plugins import ledger as recorder
from suites.plugins import memory as thrift
from suites.plugins.deployed import deployed_of, spent_of
from suites.plugins.ledger import Recorder, is_worker


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a run can be told."""
    group = parser.getgroup("fcm-compat")
    add = group.addoption
    add(
        "--target", action="append", default=[], metavar="NAME=URL", help="test a deployment of this provider"
    )
    add("--targets", metavar="FILE", help="where deployments are, by environment: ci/targets.example.toml")
    add("--environment", metavar="NAME", help="which one of the targets file, and what the report calls it")
    add(
        "--i-own",
        action="append",
        default=[],
        metavar="NAME",
        help="an environment or host that may be tested",
    )
    add("--spent", metavar="FILE", help="where requests to deployments are counted")
    add(
        "--replay",
        action="append",
        default=[],
        metavar="FILE",
        help="recorded FCM answers, one JSON object a line",
    )
    add("--seed", type=int, default=0, help="what is drawn: the same seed draws the same")
    add("--examples", type=int, default=8, help="batches that each generated test judges")
    add("--variant", default="", metavar="NAME", help="reference services with this fault or tolerance")
    add("--without", action="append", default=[], metavar="CHECK", help="overlook what this check finds")
    add("--run-id", default="", help="what the ledger calls this run")
    add("--shard", default="", metavar="JSON", help="which shard of which run this is, for the ledger")
    add("--ledger", default=str(BUILD / "ledger.jsonl"), metavar="FILE", help="where the run is recorded")
    exploration.add_options(group)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot be tested at once and by name, then record the run."""
    config.pluginmanager.register(recorder, "fcm-compat-findings")
    config.pluginmanager.register(sharding, "fcm-compat-sharding")
    config.pluginmanager.register(scheduling, "fcm-compat-groups")
    config.pluginmanager.register(exploration, "fcm-compat-deep")
    config.pluginmanager.register(thrift, "fcm-compat-thrift")
    verdict.OVERLOOKED.set(frozenset(config.option.without))
    verdict.UNHEARD.set([])
    if runs_tests(config):
        from suites.plugins import fixtures as shared  # noqa: PLC0415  half of the start, and of the memory, of who only hands out

        config.pluginmanager.register(shared, "fcm-compat-shared")
    if is_worker(config) or config.option.collectonly:
        return
    try:
        if config.option.spent is None:
            spent_of(config).unlink(missing_ok=True)
        deployed = deployed_of(config)
        described = targets.describe_all(deployed, Budget(spent_of(config)))
        versions = described | described_variant(config.option.variant)
    except TargetError as error:
        raise pytest.UsageError(redaction.text(str(error))) from error
    except Unreachable as error:
        pytest.exit(redaction.text(str(error)), returncode=2)
    config.pluginmanager.register(Recorder(config, versions), "fcm-compat-recorder")


def runs_tests(config: pytest.Config) -> bool:
    """Whether tests are collected and run in this process, and not in xdist's workers."""
    return is_worker(config) or config.getoption("dist", "no") == "no"


def described_variant(name: str) -> dict[str, dict[str, str]]:
    """What a run must say of a variant, if it is about one."""
    if not name:
        return {}
    from fixtures.faults import runtime  # noqa: PLC0415  all faults come with it

    try:
        return runtime.described(runtime.asked_for(name))
    except runtime.UnknownVariant as error:
        raise pytest.UsageError(str(error)) from error


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what was made at deployments; the gate, which says where to count, does it itself."""
    options = config.option
    if is_worker(config) or options.collectonly or options.spent or not (options.target or options.targets):
        return
    build, inventory = spent_of(config).parent, Inventory(Budget(spent_of(config)).inventory)
    with contextlib.suppress(TargetError):  # which was told when the run began
        left = cleanup.clean(build, inventory, deployed_of(config)) if inventory.left() else []
        for line in cleanup.told(left, build / cleanup.FILE):
            config.get_terminal_writer().line(line)
