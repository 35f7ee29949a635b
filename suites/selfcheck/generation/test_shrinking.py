"""A failure that takes company shows its whole batch, and shrinking ends within its budget."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fixtures.core.findings import Finding, FindingsError, raise_if_found
from fixtures.core.payloads import BatchEntry
from fixtures.generation import runner
from fixtures.generation.runner import Profile
from fixtures.generation.shrinking import IN_COMPANY, ShrinkLimits

NUMBERS = runner.batches_of(st.integers(0, 9), most=25)
SECONDS_PER_BATCH = 2.0


def find_odd(sent: Sequence[int], about: int) -> Finding:
    return Finding(
        rule="effects.subscriber", provider="adder", title="is odd", sent=[about], expected="even", got=sent
    )


@dataclass
class SlowTarget:
    """Takes two seconds of a simulated clock for each batch of numbers, and has findings about some."""

    fails_at: Callable[[Sequence[int], int], bool]
    seconds: float = 0.0
    batches: list[Sequence[int]] = field(default_factory=list)

    def judge(self, batch: Sequence[int]) -> None:
        self.batches.append(batch)
        self.seconds += SECONDS_PER_BATCH
        findings = [find_odd(batch, number) for number in batch if self.fails_at(batch, number)]
        raise_if_found(findings, [BatchEntry(cast("Any", number), None) for number in batch])

    def explore(self, tries: int = 500, seconds: float = 1e6) -> FindingsError:
        limits = ShrinkLimits(tries, seconds, lambda: self.seconds)
        with pytest.raises(FindingsError) as caught:
            runner.explore("shrinking", NUMBERS, self.judge, profile=Profile(0, 50, limits=limits))
        return caught.value

    def since_first_failure(self) -> list[Sequence[int]]:
        failures = (self.batches.index(b) for b in self.batches if any(self.fails_at(b, n) for n in b))
        return self.batches[next(failures) + 1 :]


def seven_meets_three(batch: Sequence[int], number: int) -> bool:
    return number == 7 and 3 in batch


def test_a_finding_that_takes_two_entries_shows_both() -> None:
    error = SlowTarget(seven_meets_three).explore()
    [finding] = error.findings
    assert sorted(finding.sent) == [3, 7]
    position = finding.sent.index(7) + 1
    assert finding.remark == f"{IN_COMPANY} The finding is about entry {position} of 2."
    assert str(error).endswith(f"  remark:   {finding.remark}")


def test_a_finding_about_a_whole_batch_shows_it_as_shrunk() -> None:
    error = SlowTarget(lambda batch, number: len(batch) > 3 and number is batch[0]).explore()
    assert {len(finding.sent) for finding in error.findings} == {4}


def test_a_finding_that_takes_one_entry_shows_it_alone() -> None:
    error = SlowTarget(lambda _, number: number == 7).explore()
    assert [(finding.sent, finding.remark) for finding in error.findings] == [([7], "")]


def test_an_entry_is_sent_alone_even_if_shrinking_ended_early() -> None:
    error = SlowTarget(lambda _, number: number == 7).explore(seconds=8)
    assert [finding.sent for finding in error.findings] == [[7]]
    remark = "Shrinking ended after 8 s and 4 tries: a smaller example may exist."
    assert error.findings[0].remark == remark


@pytest.mark.parametrize(
    ("tries", "seconds", "spent"), [(9, 1e6, "18 s and 9 tries"), (500, 30.0, "30 s and 15 tries")]
)
def test_a_slow_target_ends_within_the_budget(tries: int, seconds: float, spent: str) -> None:
    target = SlowTarget(seven_meets_three)
    error = target.explore(tries, seconds)
    later = target.since_first_failure()
    assert len(later) <= 2 * min(tries, seconds / SECONDS_PER_BATCH)
    remark = error.findings[0].remark
    assert f"Shrinking ended after {spent}: a smaller example may exist." in remark
    failed = [batch for batch in target.batches if any(seven_meets_three(batch, n) for n in batch)]
    assert len(error.findings[0].sent) == min(map(len, failed))


def test_a_batch_does_not_take_several_entries_until_each_was_sent_alone() -> None:
    error = SlowTarget(seven_meets_three).explore(tries=3)
    finding = error.findings[0]
    assert len(finding.sent) > 3
    position = finding.sent.index(7) + 1
    about = f"The finding is about entry {position} of {len(finding.sent)}."
    assert finding.remark == f"{about} Shrinking ended after 6 s and 3 tries: a smaller example may exist."


def test_a_fixed_batch_is_shrunk_to_the_entries_that_it_takes() -> None:
    target = SlowTarget(seven_meets_three)
    with pytest.raises(FindingsError) as caught:
        runner.explore("fixed", NUMBERS, target.judge, profile=Profile(0, 1), explicit=[[5, 3, 3, 7, 2]])
    assert [finding.sent for finding in caught.value.findings] == [[3, 7]]


def test_an_entry_that_sends_several_payloads_shows_them_all() -> None:
    def judge(batch: Sequence[tuple[int, ...]]) -> None:
        numbers = [number for entry in batch for number in entry]
        findings = [find_odd(numbers, number) for number in numbers[1:]]
        raise_if_found(findings, [BatchEntry(cast("Any", number), None) for number in numbers])

    pairs = runner.batches_of(st.tuples(st.integers(0, 0), st.integers(1, 1)), most=9)
    with pytest.raises(FindingsError) as caught:
        runner.explore("pairs", pairs, judge, profile=Profile(0, 5))
    [finding] = caught.value.findings
    assert (finding.sent, finding.remark) == ([0, 1], "The finding is about entry 2 of 2.")


def test_an_assertion_without_findings_is_raised_as_it_is() -> None:
    def judge(batch: Sequence[int]) -> None:
        assert len(batch) < 4, "too long"

    with pytest.raises(AssertionError, match="too long"):
        runner.explore("plain", NUMBERS, judge, profile=Profile(0, 50, limits=ShrinkLimits(3)))


class Walk(RuleBasedStateMachine):
    """Fails at a step or at its end. Each walk takes two seconds of a simulated clock."""

    def __init__(self, clock: Iterator[float], *, fails_at_end: bool) -> None:
        super().__init__()
        self.steps: list[int] = []
        self.fails_at_end = fails_at_end
        next(clock)

    @rule(number=st.integers(0, 1000))
    def step(self, number: int) -> None:
        self.steps.append(number)

    @invariant()
    def check(self, *, at_end: bool = False) -> None:
        if self.fails_at_end is at_end and sum(self.steps) > 500:
            raise_if_found([find_odd(self.steps, self.steps[-1])])

    def teardown(self) -> None:
        self.check(at_end=True)


@pytest.mark.parametrize("fails_at_end", [False, True])
def test_walks_of_a_slow_target_end_within_the_budget(*, fails_at_end: bool) -> None:
    seconds = [0.0]

    def walks() -> Iterator[float]:
        while True:
            seconds[0] += SECONDS_PER_BATCH
            yield seconds[0]

    clock = walks()
    limits = ShrinkLimits(500, 10, lambda: seconds[0])
    with pytest.raises(FindingsError) as caught:
        runner.explore_steps(
            "walk", lambda: Walk(clock, fails_at_end=fails_at_end), profile=Profile(0, 50, limits=limits)
        )
    remark = "Shrinking ended after 10 s and 5 tries: a smaller example may exist."
    assert [finding.remark for finding in caught.value.findings] == [remark]
