"""Test ids of the compat suites: provider or world and case by name, never by position."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from fixtures.core.catalogue import Case, load
from fixtures.core.topology import PROVIDERS, WORLDS

each_provider = pytest.mark.parametrize("provider", PROVIDERS)


def at_each_provider(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Each case at each provider, as `[subscribers-errors-v1-UNREGISTERED]`."""
    pairs = [pytest.param(name, case, id=f"{name}-{case.id}") for case in cases for name in PROVIDERS]
    return pytest.mark.parametrize(("provider", "case"), pairs)


in_each_world = pytest.mark.parametrize(
    ("world", "case"),
    [
        pytest.param(name, case, id=f"{name}-{case.id}")
        for name, world in WORLDS.items()
        for case in load().cases
        if case.protocol in world.protocols
    ],
)
"""Each case in each world whose senders speak its protocol, as `[all-after-v1-v1-UNREGISTERED]`."""
