"""Parameters of the compat suite, with ids such as `subscribers-errors-v1-UNREGISTERED`."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from fixtures.core.catalogue import Case
from fixtures.core.topology import PROVIDERS, VERSION_MIXES
from fixtures.scenarios.end_to_end import cases_of_mix

each_provider = pytest.mark.parametrize("provider", PROVIDERS)


def at_each_provider(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Each case at each provider."""
    pairs = [pytest.param(name, case, id=f"{name}-{case.id}") for case in cases for name in PROVIDERS]
    return pytest.mark.parametrize(("provider", "case"), pairs)


# Each case in each version mix whose senders speak the protocol of the case.
in_each_mix = pytest.mark.parametrize(
    ("mix", "case"),
    [
        pytest.param(name, case, id=f"{name}-{case.id}")
        for name, version_mix in VERSION_MIXES.items()
        for case in cases_of_mix(version_mix)
    ],
)
