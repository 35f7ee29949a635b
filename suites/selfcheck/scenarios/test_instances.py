"""A finding that only some connections show says that the instances of a service differ."""

from dataclasses import replace

from fixtures.core.findings import Finding
from fixtures.scenarios.instances import merge_findings

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
