"""A measurement: a value, a bound that was measured in turn with it, their ratio, and an aim."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

SECONDS = "s"
COUNT = ""  # the unit of a plain number

Measure = Callable[[], float]


@dataclass(frozen=True)
class Aim:
    """What a ratio or a value should reach: at least (or at most) `limit`."""

    quantity: Literal["ratio", "value"]
    limit: float
    at_least: bool = True

    def __str__(self) -> str:
        unit = " s" if self.quantity == "value" else ""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}{unit}"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Medians over paired rounds. `ratio` is the median of the rounds' own ratios, value over bound."""

    name: str
    unit: str
    value: float
    bound: str
    bound_value: float
    ratio: float
    lowest: float
    highest: float
    aim: Aim | None = None

    @property
    def is_reached(self) -> bool | None:
        """Whether the aim is reached; None without an aim."""
        if self.aim is None:
            return None
        measured = self.ratio if self.aim.quantity == "ratio" else self.value
        return measured >= self.aim.limit if self.aim.at_least else measured <= self.aim.limit

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Measurement:
        aim = members["aim"]
        return cls(**{**members, "aim": Aim(**aim) if aim else None})


def measure_pairs(
    name: str, *, unit: str, ours: Measure, bound: tuple[str, Measure], rounds: int, aim: Aim | None = None
) -> Measurement:
    """Measure ours and the bound in turn, so that what slows the machine slows both."""
    bound_name, measure_bound = bound
    pairs = [(ours(), measure_bound()) for _ in range(rounds)]
    ratios = [value / bound_value for value, bound_value in pairs]
    return Measurement(
        name=name,
        unit=unit,
        value=statistics.median(value for value, _ in pairs),
        bound=bound_name,
        bound_value=statistics.median(bound_value for _, bound_value in pairs),
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        aim=aim,
    )


def time_seconds(work: Callable[[], object]) -> float:
    """How many seconds a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def rate(count: int, work: Callable[[], object]) -> Measure:
    """A measure of how many of `count` items are done a second."""
    return lambda: count / time_seconds(work)
