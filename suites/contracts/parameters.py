"""Test ids of the contract suites: pairs, versions and interactions by name, never by position."""

import pytest

from fixtures.contracts import Interaction, declared
from fixtures.topology import PROVIDERS, VERSIONS

PAIRS = [(name, version) for name in PROVIDERS for version in VERSIONS]


def at_each_interaction() -> pytest.MarkDecorator:
    """Each declared interaction, as `[events-proxy=after,directory-events-api,a-look-at-a-known-report]`."""
    found = [
        pytest.param(name, version, interaction, id=f"{pair_id(name, version)},{slug(interaction)}")
        for name, version in PAIRS
        for interaction in declared(name, version)
    ]
    return pytest.mark.parametrize(("provider", "version", "interaction"), found)


def pair_id(provider: str, version: str) -> str:
    """Name a pair with the version of its consumer."""
    return f"{PROVIDERS[provider].consumer}={version},{provider}"


def slug(interaction: Interaction) -> str:
    """Write a description so that it can be pasted after -k."""
    return interaction.description.replace(" ", "-")


each_pair = pytest.mark.parametrize(
    ("provider", "version"), [pytest.param(*pair, id=pair_id(*pair)) for pair in PAIRS]
)
