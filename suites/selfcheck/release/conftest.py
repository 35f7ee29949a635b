"""Puts a seeded fault of the cleaner in place, if --variant names one."""

from collections.abc import Iterator

import pytest

from suites.plugins.options import get_run_config
from suites.selfcheck.release.cleaner_faults import PATCHES


@pytest.fixture(scope="session", autouse=True)
def cleaner_fault(pytestconfig: pytest.Config) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        if patch := PATCHES.get(get_run_config(pytestconfig).variant):
            owner, attribute, change = patch
            monkeypatch.setattr(owner, attribute, change(getattr(owner, attribute)))
        yield
