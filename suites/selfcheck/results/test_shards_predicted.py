"""What a run in shards would take follows from the run that was not cut."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from fixtures.results.ledger import Ledger

pytestmark = pytest.mark.aside

prediction = importlib.import_module("benchmarks.shards.prediction")

START_S, END_S = 4.0, 1.0


def ran(seconds: list[float], *, name: str = "t", workers: int = 1) -> tuple[Ledger, list[str]]:
    """A run whose tests took so long, one after the other in each worker."""
    lines: list[dict[str, Any]] = []
    free = [START_S] * workers
    for place, duration in enumerate(seconds):
        worker = free.index(min(free))
        test = f"suites/x/test_a.py::{name}[{place}]" if name else f"suites/x/test_a.py::t{place}"
        line = {"test": test, "duration_s": duration, "started_s": free[worker], "worker": f"gw{worker}"}
        lines.append(line)
        free[worker] += duration
    return Ledger({}, lines, (), max(free) + END_S), [line["test"] for line in lines]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_run_that_is_not_cut_is_predicted_as_it_was(workers: int) -> None:
    recorded, tests = ran([1.0] * 12, name="", workers=workers)
    costs = prediction.costs_of(recorded, recorded.duration_s, workers)
    assert prediction.predict(tests, costs, 1).wall == pytest.approx(recorded.duration_s)
    assert costs.fixed == pytest.approx(START_S + END_S)


def test_shards_of_equal_tests_divide_the_tests_and_nothing_else() -> None:
    recorded, tests = ran([1.0] * 64, name="")
    costs = prediction.costs_of(recorded, recorded.duration_s, 1)
    for of in (1, 2, 4, 8):
        predicted = prediction.predict(tests, costs, of)
        assert predicted.wall == pytest.approx(START_S + END_S + 64 / of)
        assert predicted.machine == pytest.approx(of * (START_S + END_S) + 64)


def test_what_is_set_up_once_is_paid_in_each_shard() -> None:
    recorded, tests = ran([11.0, *[1.0] * 15])
    costs = prediction.costs_of(recorded, recorded.duration_s, 1)
    assert costs.set_up == {"suites/x/test_a.py": pytest.approx(10.0)}
    assert prediction.predict(tests, costs, 2).machine == pytest.approx(2 * (START_S + END_S + 10.0) + 16)


def test_no_number_of_shards_is_faster_than_the_longest_test() -> None:
    recorded, tests = ran([1.0] * 20 + [30.0] + [1.0] * 20, name="")
    costs = prediction.costs_of(recorded, recorded.duration_s, 1)
    assert prediction.predict(tests, costs, 100).wall >= START_S + END_S + 30.0


def test_every_test_is_in_one_predicted_shard() -> None:
    recorded, tests = ran([0.5] * 7 + [9.0] + [0.1] * 30)
    costs = prediction.costs_of(recorded, recorded.duration_s, 1)
    for of in (1, 3, 8, 50):
        shards = prediction.cut(tests, costs.recorded, of)
        assert [test for shard in shards for test in shard] == tests
        assert len(shards) == of


def test_tests_that_belong_together_are_not_taken_apart() -> None:
    recorded, tests = ran([1.0] * 8, name="", workers=2)
    together = {test: test.replace("suites/x/", "suites/contracts/") for test in tests}
    lines = [{**line, "test": together[line["test"]]} for line in recorded.tests]
    costs = prediction.costs_of(Ledger({}, lines, (), recorded.duration_s), recorded.duration_s, 2)
    assert prediction.predict(list(together.values()), costs, 1).wall == pytest.approx(START_S + END_S + 8)
