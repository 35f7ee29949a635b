"""Test ids of the contract suites: edges, versions and interactions by name, never by position."""

import pytest

from fixtures.contracts import list_declarations
from fixtures.contracts.pact.consumer_tests import is_judged
from fixtures.contracts.pact.model import Declaration
from fixtures.core.topology import EDGES, PROVIDERS, VERSIONS, Edge

PAIRS = [(name, version) for name in PROVIDERS for version in VERSIONS]


def at_each_interaction() -> pytest.MarkDecorator:
    """Each interaction with a judged provider, as `[events-proxy=after,directory-events-api,a-look-...]`."""
    found = [
        pytest.param(name, version, one, id=f"{edge_id(PROVIDERS[name].edge, version)},{slug(one)}")
        for name, version in PAIRS
        for one in list_declarations(PROVIDERS[name].edge, version)
    ]
    return pytest.mark.parametrize(("provider", "version", "interaction"), found)


def at_each_other_declaration() -> pytest.MarkDecorator:
    """Each interaction and message of all other edges, as `[go-sender=after,fcm,a-push-that-ends-as-...]`."""
    found = [
        pytest.param(edge, version, one, id=f"{edge_id(edge, version)},{slug(one)}")
        for edge in EDGES
        if not is_judged(edge)
        for version in VERSIONS
        for one in list_declarations(edge, version)
    ]
    return pytest.mark.parametrize(("edge", "version", "declaration"), found)


def edge_id(edge: Edge, version: str) -> str:
    """Name an edge with the version of its consumer."""
    return f"{edge.consumer}={version},{edge.provider}"


def slug(declaration: Declaration) -> str:
    """Write a description so that it can be pasted after -k."""
    return declaration.description.replace(" ", "-")


each_pair = pytest.mark.parametrize(
    ("provider", "version"),
    [pytest.param(name, version, id=edge_id(PROVIDERS[name].edge, version)) for name, version in PAIRS],
)
at_each_edge = pytest.mark.parametrize(
    ("edge", "version"),
    [pytest.param(edge, version, id=edge_id(edge, version)) for edge in EDGES for version in VERSIONS],
)
