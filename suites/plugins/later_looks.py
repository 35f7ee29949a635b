"""Looks at bystanders after each suite, and at everybody before the last test of a process ends."""

import time
from collections.abc import Generator

import pytest

from fixtures.core.findings import Finding, FindingsError
from fixtures.scenarios.later_looks import LaterLooks
from suites.plugins.options import get_run_config

OVERLOOKED = pytest.StashKey[set[str]]()
LATER_LOOKS = pytest.StashKey[dict[str, LaterLooks]]()
# Whether the time of the run was over when its latest test ended. That test took the last look.
TIME_WAS_OVER = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Look before the targets end with their fixtures, and let the test fail after its own teardown.

    The last test of a suite stands for the suite, and the last test of a process for all of them. If a
    target cannot be looked at, that test is broken, so the run is undecided.
    """
    problem: Exception | None = None
    try:
        findings = _look(item, nextitem)
    except Exception as error:  # noqa: BLE001  raised below, after the teardown
        findings, problem = [], error
    yield
    if problem:
        raise problem
    without = get_run_config(item.config).without
    add_overlooked(item, {finding.check for finding in findings if finding.check in without})
    if remaining := [finding for finding in findings if finding.check not in without]:
        raise FindingsError(remaining)


def _look(item: pytest.Item, nextitem: pytest.Item | None) -> list[Finding]:
    file = item.nodeid.partition("::")[0]
    item.config.stash[TIME_WAS_OVER] = is_time_over(item.config)
    is_last = nextitem is None or item.config.stash[TIME_WAS_OVER]
    findings: list[Finding] = []
    for looks in item.config.stash.get(LATER_LOOKS, {}).values():
        # The looks at everybody wait for late effects, so they come first.
        if is_last:
            remark = "Noticed at the end of a run: only the whole run shows it again."
            findings += [finding.with_remark(remark) for finding in looks.look_at_everybody()]
        if is_last or (nextitem and nextitem.path != item.path):
            remark = f"Noticed after {file}: only the whole file shows it again."
            findings += [finding.with_remark(remark) for finding in looks.look_at_bystanders()]
    return findings


def is_time_over(config: pytest.Config) -> bool:
    until = get_run_config(config).until
    return until is not None and time.time() >= until


def add_overlooked(test: pytest.Item, checks: set[str]) -> None:
    """Let the ledger list checks that --without takes away and that found something in a test."""
    overlooked = test.stash.setdefault(OVERLOOKED, set())
    overlooked |= checks
    if checks:
        test.user_properties.append(("overlooked", sorted(overlooked)))
