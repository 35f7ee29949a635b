"""Parameters of tests: some are asked by day, and all of them every night."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import pytest


def mark_nightly(names: Iterable[Any], by_day: Container[Any]) -> list[Any]:
    """One parameter for each name; those that are not in `by_day` are nightly."""
    return [pytest.param(name, marks=() if name in by_day else pytest.mark.nightly) for name in names]


def mark_nightly_rows(rows: Mapping[str, Sequence[Any]], by_day: Container[str]) -> list[Any]:
    """The parameters of each row, with its name as the id; those that are not in `by_day` are nightly."""
    return [
        pytest.param(*row, id=name, marks=() if name in by_day else pytest.mark.nightly)
        for name, row in rows.items()
    ]
