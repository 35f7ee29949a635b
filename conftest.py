"""Registers the options and plugins of the suites, checks the deployments, and removes test subscribers."""

import contextlib
import os
from pathlib import Path

import pytest

from fixtures.core import redaction, surroundings, topology
from fixtures.core.errors import UserError
from fixtures.core.run_config import RunConfig
from fixtures.faults import runtime
from fixtures.results import build_folder
from fixtures.targets import cleanup
from fixtures.targets import deployed as targets
from fixtures.targets.client import Unreachable
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.started import StartError, run_services
from fixtures.targets.target import Unobservable
from suites.plugins import judged, later_looks, ledger, options, selection
from suites.plugins.options import get_deployments, get_run_config, is_worker, pytest_addoption

__all__ = ["pytest_addoption"]


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugins. The main process refuses deployments and variants that cannot be tested."""
    os.environ.setdefault("PACT_DO_NOT_TRACK", "true")
    for plugin in (judged, later_looks, ledger, selection):
        config.pluginmanager.register(plugin, plugin.__name__)
    if is_worker(config) or config.getoption("dist", "no") == "no":  # the main process of xdist runs no test
        config.pluginmanager.import_plugin("suites.plugins.fixtures")
    if config.option.collectonly:
        return
    try:
        surroundings.prepare_process()
        surroundings.prepare_machine()
        run = get_run_config(config)
        topology.use_release(run.release)
        if run.target or run.targets:
            config.pluginmanager.import_plugin("suites.plugins.deployments")
            Inventory(run.request_counter.with_name(INVENTORY_FILE)).adopt_key()
        if is_worker(config):
            options.expect_worker_versions(config)
            return
        if not run.spent:
            refuse_locked_folder(Path(run.ledger).parent)
            run.request_counter.unlink(missing_ok=True)
            # Closed at the end, after pytest_unconfigure has removed the test subscribers.
            services = contextlib.ExitStack()
            config.add_cleanup(services.close)
            logs = Path(run.ledger).parent / "logs"
            services.enter_context(run_services(get_deployments(config).values(), logs))
        limiter, inventory = RateLimiter(run.request_counter), Inventory(find_inventory(run))
        versions = targets.describe_targets(get_deployments(config), limiter, inventory)
        options.expect_versions(config, {name: row["version"] for name, row in versions.items()})
        versions |= runtime.describe_variant(runtime.find_variant(run.variant))
    except (Unreachable, Unobservable, StartError) as error:
        pytest.exit(redaction.REDACTOR.redact_text(str(error)), returncode=2)
    except UserError as error:
        raise pytest.UsageError(redaction.REDACTOR.redact_text(str(error))) from error
    config.pluginmanager.register(ledger.Recorder(config, versions), "fcm-compat-recorder")


def refuse_locked_folder(folder: Path) -> None:
    """Raises UserError if a gate writes into the folder of our ledger."""
    if (folder / build_folder.MARK).exists():
        with build_folder.lock(folder, shared=True):
            pass


def find_inventory(run: RunConfig) -> Path:
    """The list of test subscribers to remove after the run."""
    return run.request_counter.with_name(INVENTORY_FILE)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the subscribers that this run made at deployments. With --spent, the gate does that."""
    if is_worker(config) or config.option.collectonly:
        return
    with contextlib.suppress(UserError):  # pytest_configure has reported it
        run = get_run_config(config)
        if run.spent or not (run.target or run.targets):
            return
        build = run.request_counter.parent
        inventory = Inventory(find_inventory(run))
        not_removed = cleanup.clean_up(build, inventory, get_deployments(config))
        for line in cleanup.describe_not_removed(not_removed, build / cleanup.NOT_REMOVED_FILE):
            config.get_terminal_writer().line(line)
