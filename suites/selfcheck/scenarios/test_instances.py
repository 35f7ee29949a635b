"""A finding that only some connections show says that the instances of a service differ."""

from dataclasses import replace

import pytest

from fixtures.core.findings import Finding
from fixtures.scenarios.instances import MAX_CONNECTIONS, count_connections, merge_findings

EVERYWHERE = Finding(
    rule="effects.code", provider="directory-responses", title="makes code X", sent=[1], expected="Y", got="X"
)
SOMEWHERE = replace(EVERYWHERE, rule="effects.subscriber", title="leaves the subscriber active")


def test_it_says_how_many_connections_show_it() -> None:
    merged = merge_findings([[EVERYWHERE], [EVERYWHERE, SOMEWHERE, SOMEWHERE], [SOMEWHERE, EVERYWHERE]])
    title = "leaves the subscriber active, over 2 of 3 connections: its instances differ"
    assert merged == [EVERYWHERE, replace(SOMEWHERE, title=title)]


def test_one_connection_differs_from_no_other() -> None:
    assert merge_findings([[EVERYWHERE]]) == [EVERYWHERE]
    assert merge_findings([[], []]) == []


@pytest.mark.parametrize(
    ("instances", "connections"),
    [(None, 40), (1, 1), (2, 10), (20, 135), (145, 999), (146, 1000), (1000, 2000)],
)
def test_a_stated_number_of_instances_decides_how_many_connections_there_are(
    instances: int | None, connections: int
) -> None:
    assert count_connections(instances) == connections


@pytest.mark.parametrize("instances", [2, 3, 20, 100, 145])
def test_a_random_balancer_misses_an_instance_in_less_than_one_of_a_thousand_runs(instances: int) -> None:
    connections = count_connections(instances)
    assert (1 - 1 / instances) ** connections < 0.001 <= (1 - 1 / instances) ** (connections - 1)
    assert connections < MAX_CONNECTIONS
