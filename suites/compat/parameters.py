"""Parameters of the compat suite, with ids such as `subscribers-errors-v1-UNREGISTERED`."""

from collections.abc import Iterable

import pytest

from fixtures.core.catalogue import Case
from fixtures.core.topology import PROVIDERS
from fixtures.platform.isolated_service import KILLS, TROUBLES

each_provider = pytest.mark.parametrize("provider", PROVIDERS)

# The troubles of the peer of a service; a service can only be killed if the suite has started it.
each_trouble = pytest.mark.parametrize(
    "trouble", [*TROUBLES, *(pytest.param(kill, marks=pytest.mark.needs("start")) for kill in KILLS)]
)


def at_each_provider(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Each case at each provider."""
    pairs = [pytest.param(name, case, id=f"{name}-{case.id}") for case in cases for name in PROVIDERS]
    return pytest.mark.parametrize(("provider", "case"), pairs)
