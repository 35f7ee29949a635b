"""The check of counts by code finds each count that is wrong, missing or too many."""

from collections.abc import Mapping
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.effects import counts_are_complete
from suites.selfcheck.checks.outcomes import RESPONSES, answer, format_finding, get_only_finding, right_batch

COUNTS = {"NotRegistered": 1, "CANONICAL_ID": 1, "HTTP_5XX": 1, "OK": 1, "UNKNOWN": 1}
WRONG_COUNTS: Mapping[str, tuple[Any, str]] = {
    "one twice": ({"counts": {**COUNTS, "OK": 2}}, "counts {'OK': 2} by code"),
    "one for another": ({"counts": {**COUNTS, "UNKNOWN": 0, "Z": 1}}, "counts {'UNKNOWN': 0, 'Z': 1}"),
    "one missing": ({"counts": {**COUNTS, "OK": 0}}, "counts {'OK': 0} by code"),
    "one too many": ({"counts": {**COUNTS, "Err": 1}}, "counts {'Err': 1} by code"),
    "nothing": ({"counts": {}}, "counts {"),
    "no counts": ({}, "counts {} by code"),
    "a list": ([], "counts [] by code"),
    "a text": ("5", "counts 5 by code"),
}


def test_right_counts() -> None:
    batch = right_batch(RESPONSES)
    assert not list(counts_are_complete(batch.provider, batch.sent, answer(200, {"counts": COUNTS})))


@pytest.mark.parametrize(("counts", "title"), WRONG_COUNTS.values(), ids=WRONG_COUNTS)
def test_wrong_counts(counts: Any, title: str, snapshot: SnapshotAssertion) -> None:
    batch = right_batch(RESPONSES)
    finding = get_only_finding(
        counts_are_complete(batch.provider, batch.sent, answer(200, counts)), batch, "effects"
    )
    assert finding.title.startswith(title)
    assert format_finding(finding) == snapshot
