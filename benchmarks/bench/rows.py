"""What a benchmark says: a value, the bound beside it, their ratio, and what we aim at."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

SECONDS = "s"
COUNT = ""
"""The units of what is no rate."""


@dataclass(frozen=True)
class Aim:
    """What a row should reach: at least, or at most, so much of its ratio or of its value."""

    of: Literal["ratio", "value"]
    at: float
    least: bool = True

    def __str__(self) -> str:
        number = f"{self.at:g} s" if self.of == "value" else f"{self.at:g}"
        return f"{'≥' if self.least else '≤'} {number}"


@dataclass(frozen=True)
class Row:
    """One measure: medians over paired rounds."""

    name: str
    unit: str
    value: float
    bound: str
    bound_value: float
    ratio: float
    """Value over bound, the median of the rounds' own ratios."""
    lowest: float
    highest: float
    aim: Aim | None = None

    @property
    def reached(self) -> bool | None:
        """Whether it is as fast as we want it; None where we only look."""
        if self.aim is None:
            return None
        got = self.ratio if self.aim.of == "ratio" else self.value
        return got >= self.aim.at if self.aim.least else got <= self.aim.at

    def to_json(self) -> dict[str, Any]:
        """As it is written down."""
        return asdict(self)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Row:
        """As it was written down."""
        aim = written["aim"]
        return cls(**{**written, "aim": Aim(**aim) if aim else None})


Measured = Callable[[], float]


def paired(
    name: str,
    unit: str,
    ours: Measured,
    bound: tuple[str, Measured],
    rounds: int,
    aim: Aim | None = None,
) -> Row:
    """Measure both in turn, so that what slows the machine slows both, and take medians."""
    what, beside = bound
    pairs = [(ours(), beside()) for _ in range(rounds)]
    ratios = [one / other for one, other in pairs]
    value, bound_value = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Row(name, unit, value, what, bound_value, statistics.median(ratios), min(ratios), max(ratios), aim)


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rate(count: int, work: Callable[[], object]) -> Measured:
    """So many pieces of work a second."""
    return lambda: count / seconds(work)
