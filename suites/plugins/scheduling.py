"""With --dist=loadgroup, tests with an expensive common fixture run in one worker of pytest-xdist.

The mark `xdist_group` has no effect with pytest 9.2 and pytest-xdist 3.8, because node ids are read-only.
So this scheduler overrides `_split_scope`, as the documentation of pytest-xdist describes.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# The fixtures of these packages are built once for the whole package: the judged release, Pact's verifier.
PACKAGES = ("suites/rollout/", "suites/contracts/")


def find_group(test: str) -> str:
    """The package of a test with common fixtures; its file otherwise."""
    path = test.partition("::")[0]
    return next((package for package in PACKAGES if path.startswith(package)), path)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # no types in the package
    """Gives whole groups of tests to workers."""

    def _split_scope(self, nodeid: str) -> str:
        return find_group(nodeid)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling | None:
    return GroupScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None
