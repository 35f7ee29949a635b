"""The parts of the check loop, in this process: generation, validation, matching, and the loop itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import hypothesis.strategies as st
from hypothesis.strategies import SearchStrategy

from benchmarks import check_loop
from benchmarks.bench.rows import Aim, Row, paired, rate, seconds
from fixtures.contracts import matcher
from fixtures.core import payloads, reference_validator, schemas
from fixtures.core.catalogue import load
from fixtures.core.outcome import Answer
from fixtures.core.payloads import Identities
from fixtures.core.topology import PROVIDERS
from fixtures.generation import malformed, runner, strategies
from fixtures.scenarios.provider import Trial
from fixtures.targets.target import embedded

REPORT = "response-report.schema.json"
EXAMPLES = 40
QUICK = 5
"""Pairs in each round of what takes a tenth of a second, which a machine's mood is longer than."""
CHECK_LOOP_AIM = Aim("ratio", 0.6)


def drawn(entries: SearchStrategy[list[Any]], seed: int) -> int:
    """How many entries so many batches have; they are drawn and forgotten."""
    count = 0

    def see(batch: Sequence[Any]) -> None:
        nonlocal count
        count += len(batch)

    runner.explore("benchmark", entries, see, profile=runner.Profile(seed, EXAMPLES))
    return count


class Generation:
    """Entries a second of a strategy, with another seed each time."""

    def __init__(self, entries: SearchStrategy[list[Any]]) -> None:
        """Draw from these batches."""
        self._entries = entries
        self._seed = 0

    def __call__(self) -> float:
        """Draw some, and say how many that is a second."""
        self._seed += 1
        count = 0

        def work() -> None:
            nonlocal count
            count = drawn(self._entries, self._seed)

        took = seconds(work)
        return count / took


def generation(rounds: int) -> Iterator[Row]:
    """Answers a second, beside what Hypothesis draws of the simplest strategy there is."""
    trivial = ("Hypothesis with st.booleans()", Generation(runner.batches_of(st.booleans())))
    cases = load().cases
    kinds = {
        "answers of every case": runner.batches_of(strategies.mixed(cases)),
        "legacy answers": runner.batches_of(strategies.mixed(load().of("legacy"))),
        "v1 answers": runner.batches_of(strategies.mixed(load().of("fcm_v1"))),
        "answers with broken ones": runner.with_poison(cases, malformed.ENVELOPE),
    }
    for name, entries in kinds.items():
        yield paired(f"generation: {name}", "payloads/s", Generation(entries), trivial, rounds)


def some_reports() -> list[Mapping[str, Any]]:
    """Reports of every case, as they go over the wire."""
    batches = check_loop.drawn(0, EXAMPLES)
    answers = [answer for one in batches for answer in one]
    return [entry.payload for entry in payloads.reports(answers, Identities())]


def validation(rounds: int) -> Iterator[Row]:
    """Validations a second, beside jsonschema alone."""
    reports = some_reports()[:200]
    slow = reference_validator.validator(REPORT)
    ours = rate(len(reports), lambda: [schemas.is_valid(report, REPORT) for report in reports])
    theirs = rate(len(reports), lambda: [slow.is_valid(report) for report in reports])
    yield paired("validation of a report", "payloads/s", ours, ("jsonschema alone", theirs), rounds)


def matching(rounds: int) -> Iterator[Row]:
    """Answers a second that are matched with the pact, beside reading them as JSON."""
    of = matcher("subscribers-errors", "answer").of
    results = [
        {"event_id": str(number), "subscriber_id": str(number), "action": "keep"} for number in range(25)
    ]
    text = json.dumps({"results": results})
    answer = Answer(200, json.loads(text), text, "application/json")
    ours = rate(50, lambda: [of(answer) for _ in range(50)])
    read = rate(50, lambda: [json.loads(text) for _ in range(50)])
    yield paired("matching an answer with its pact", "answers/s", ours, ("json.loads of it", read), rounds)


def the_loop(rounds: int) -> Iterator[Row]:
    """Reports a second that are judged, beside a bare httpx loop that posts the same batches."""
    for name, loop in _loops():
        yield paired(
            f"check loop: {name}", "reports/s", loop.judged, loop.bound, QUICK * rounds, CHECK_LOOP_AIM
        )


def raw_client(rounds: int) -> Iterator[Row]:
    """What no client goes beyond: requests written to a socket as they are, beside bare httpx.

    First the batches alone; then all that the check loop asks, as if it took no time of its own.
    """
    for name, loop in _loops():
        for what, ours in (("batches", loop.posted), ("loop", loop.asked)):
            title = f"raw socket, the {what}: {name}"
            yield paired(title, "reports/s", ours, loop.bound, QUICK * rounds)


@dataclass(frozen=True)
class Loop:
    """Reports a second of the same batches at one provider, with ids of their own each time."""

    trial: Trial
    batches: Sequence[check_loop.Answers]
    client: httpx.Client

    @property
    def bound(self) -> tuple[str, Callable[[], float]]:
        """What all is measured beside."""
        return "bare httpx, same batches", self.bare

    def judged(self) -> float:
        """By the check loop."""
        return self._rate(lambda: check_loop.checked(self.trial, self.batches))

    def bare(self) -> float:
        """Posted by httpx and forgotten."""
        bodies = check_loop.bodies(self.trial, self.batches)
        return self._rate(lambda: check_loop.bare(self.client, self.trial.target, bodies))

    def posted(self) -> float:
        """Written to a socket and forgotten."""
        bodies, path = check_loop.bodies(self.trial, self.batches), self.trial.provider.path
        return self._rate(
            lambda: check_loop.raw(self.trial.target, (("POST", path, body) for body in bodies))
        )

    def asked(self) -> float:
        """All that the check loop asks, written to a socket and forgotten."""
        every = check_loop.requests_of(self.trial.provider.name, self.batches)
        return self._rate(lambda: check_loop.raw(self.trial.target, every))

    def _rate(self, work: Callable[[], object]) -> float:
        return sum(map(len, self.batches)) / seconds(work)


def _loops() -> Iterator[tuple[str, Loop]]:
    batches = check_loop.drawn(0, EXAMPLES)
    with embedded(list(PROVIDERS), "after") as targets, httpx.Client() as client:
        for name, target in targets.items():
            yield name, Loop(Trial(target, matcher(name, "answer").of), batches, client)
