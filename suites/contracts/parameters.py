"""Test ids of the contract suites: edges, versions and interactions by name, never by position."""

from typing import Any

import pytest

from fixtures.contracts.pact.consumer_tests import is_judged
from fixtures.contracts.pact.declarations import list_declarations
from fixtures.core.topology import EDGES, PROVIDERS, VERSIONS, Edge

PAIRS = [(name, version) for name in PROVIDERS for version in VERSIONS]


def edge_id(edge: Edge, version: str) -> str:
    return f"{edge.consumer}={version},{edge.provider}"


def declaration_id(edge: Edge, version: str, declaration: Any) -> str:
    """An id such as `events-proxy=after,directory-events-api,a-look-at-...`, which can be pasted after -k."""
    return f"{edge_id(edge, version)},{declaration.description.replace(' ', '-')}"


each_interaction = pytest.mark.parametrize(
    ("provider", "version", "interaction"),
    [
        pytest.param(
            name, version, interaction, id=declaration_id(PROVIDERS[name].edge, version, interaction)
        )
        for name, version in PAIRS
        for interaction in list_declarations(PROVIDERS[name].edge, version)
    ],
)
each_other_declaration = pytest.mark.parametrize(
    ("edge", "version", "declaration"),
    [
        pytest.param(edge, version, declaration, id=declaration_id(edge, version, declaration))
        for edge in EDGES
        if not is_judged(edge)
        for version in VERSIONS
        for declaration in list_declarations(edge, version)
    ],
)
each_pair = pytest.mark.parametrize(
    ("provider", "version"),
    [pytest.param(name, version, id=edge_id(PROVIDERS[name].edge, version)) for name, version in PAIRS],
)
each_edge = pytest.mark.parametrize(
    ("edge", "version"),
    [pytest.param(edge, version, id=edge_id(edge, version)) for edge in EDGES for version in VERSIONS],
)
