"""Which tests run, and where: in a round of ./ci/deep, in a shard of a run, in a worker of pytest-xdist."""

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from fixtures.core import urls
from fixtures.core.run_config import TARGETS_VARIABLE
from fixtures.generation import example_database
from fixtures.results import shards
from fixtures.targets.start_config import SURROUNDINGS
from suites.plugins.later_looks import TIME_WAS_OVER, is_time_over
from suites.plugins.options import get_deployments, get_known_failures_url, get_run_config

ALL_TESTS = pytest.StashKey[dict[str, Any]]()
# Tests with these fixtures draw inputs. Every other test would prove the same in each round of ./ci/deep.
GENERATING_FIXTURES = {"explore", "explore_steps"}
# The fixtures of these packages are built once for the whole package: the judged release, Pact's verifier.
PACKAGES = ("suites/rollout/", "suites/contracts/")
# The tests at deployments that have surroundings. There may be only one instance of each, at fixed ports.
AT_ONE_INSTANCE = (
    "suites/compat/test_end_to_end.py",
    "suites/compat/test_directory_messages.py",
    "suites/compat/test_errors_listener.py",
    "suites/compat/test_events_proxy.py",
    "suites/compat/test_go_sender.py",
    "suites/compat/test_subscribers_postponed.py",
)
# The line of a file that marks all of its tests.
MARK_OF_FILE = re.compile(r"^pytestmark = \[?pytest\.mark\.(\w+)", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file whose mark deselects all of its tests: two of three would be imported in vain."""
    if collection_path.suffix != ".py":
        return None
    mark = MARK_OF_FILE.search(collection_path.read_text(encoding="utf-8"))
    return True if mark and f"not {mark[1]}" in config.getoption("markexpr").split(" and ") else None


# After -m has deselected tests, and before pytest-split, whose hook is also trylast but registered later.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the tests of a round of ./ci/deep, and count those of a run that is cut into shards.

    Each round has another order, since its time may end before the last tests. Only xdist's workers collect
    tests, so they send the count to the main process.
    """
    run = get_run_config(config)
    if run.deep:
        items[:] = [item for item in items if GENERATING_FIXTURES & set(getattr(item, "fixturenames", ()))]
        items.sort(key=lambda item: sha256(f"{run.seed}:{item.nodeid}".encode()).digest())
    if run.shard:
        config.stash[ALL_TESTS] = shards.fingerprint_tests(item.nodeid for item in items)
        if hasattr(config, "workeroutput"):
            config.workeroutput["whole"] = config.stash[ALL_TESTS]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the versions of the deployments to a worker of xdist."""
    deployed = get_deployments(node.config)
    node.workerinput["versions"] = {name: deployment.version for name, deployment in deployed.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the count from a worker that ends; xdist checks that all workers collected the same tests."""
    if "whole" in getattr(node, "workeroutput", {}):
        node.config.stash[ALL_TESTS] = node.workeroutput["whole"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Skip a test of a round that would start too late, without a result.

    If the time ends between two tests, the second one starts: only the end of a test takes the last look.
    """
    stash = item.config.stash
    return (stash[TIME_WAS_OVER] if TIME_WAS_OVER in stash else is_time_over(item.config)) or None


def pytest_report_header() -> str | None:
    url = os.environ.get(example_database.VARIABLE)
    if not url:
        return None
    return example_database.connection_problem(url) or f"known failures: {urls.redact_url(url)}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Take our variables out of the environment before a test can start a run or a program with them."""
    get_known_failures_url(item.config)
    os.environ.pop(TARGETS_VARIABLE, None)


def find_group(test: str, *, at_one_instance: bool = False) -> str:
    """The package of a test with common fixtures, or what all tests at one instance share; else its file."""
    path = test.partition("::")[0]
    if at_one_instance and path in AT_ONE_INSTANCE:
        return AT_ONE_INSTANCE[0]
    return next((package for package in PACKAGES if path.startswith(package)), path)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # no types in the package
    """With --dist=loadgroup, gives tests with an expensive common fixture to one worker.

    The mark `xdist_group` has no effect with pytest 9.2 and pytest-xdist 3.8, because node ids are read-only.
    So this overrides `_split_scope`, as the documentation of pytest-xdist describes.
    """

    def _split_scope(self, nodeid: str) -> str:
        deployed = get_deployments(self.config)
        return find_group(nodeid, at_one_instance=bool(SURROUNDINGS.keys() & deployed.keys()))


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling | None:
    return GroupScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None
