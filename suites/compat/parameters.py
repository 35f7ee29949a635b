"""Test ids of the compat suites: provider and case by name, never by position."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from fixtures.catalogue import Case
from fixtures.topology import PROVIDERS

each_provider = pytest.mark.parametrize("provider", PROVIDERS)


def at_each_provider(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Each case at each provider, as `[subscribers-errors-v1-UNREGISTERED]`."""
    pairs = [pytest.param(name, case, id=f"{name}-{case.id}") for case in cases for name in PROVIDERS]
    return pytest.mark.parametrize(("provider", "case"), pairs)
