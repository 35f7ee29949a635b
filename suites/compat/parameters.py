"""Parameters of the compat suite, with ids such as `subscribers-errors-v1-UNREGISTERED`."""

from collections.abc import Iterable

import pytest

from fixtures.core.catalogue import Case
from fixtures.core.topology import PROVIDERS

each_provider = pytest.mark.parametrize("provider", PROVIDERS)


def at_each_provider(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Each case at each provider."""
    pairs = [pytest.param(name, case, id=f"{name}-{case.id}") for case in cases for name in PROVIDERS]
    return pytest.mark.parametrize(("provider", "case"), pairs)
