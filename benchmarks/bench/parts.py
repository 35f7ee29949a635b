"""The parts of the check loop, in this process: generation, validation, matching, and the loop itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx
import hypothesis.strategies as st
from hypothesis.strategies import SearchStrategy

from benchmarks import check_loop
from benchmarks.bench.rows import Aim, Row, paired, rate, seconds
from fixtures import exploration, malformed, payloads, schemas, slow_schemas, strategies
from fixtures.catalogue import load
from fixtures.contracts import matcher
from fixtures.outcome import Answer
from fixtures.payloads import Identities
from fixtures.targets import Target, embedded
from fixtures.topology import PROVIDERS
from fixtures.trials import Trial

REPORT = "response-report.schema.json"
EXAMPLES = 40
CHECK_LOOP_AIM = Aim("ratio", 0.6)


def drawn(entries: SearchStrategy[list[Any]], seed: int) -> int:
    """How many entries so many batches have; they are drawn and forgotten."""
    count = 0

    def see(batch: Sequence[Any]) -> None:
        nonlocal count
        count += len(batch)

    exploration.explore("benchmark", entries, see, profile=exploration.Profile(seed, EXAMPLES))
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
    trivial = ("Hypothesis with st.booleans()", Generation(exploration.batches_of(st.booleans())))
    cases = load().cases
    kinds = {
        "answers of every case": exploration.batches_of(strategies.mixed(cases)),
        "legacy answers": exploration.batches_of(strategies.mixed(load().of("legacy"))),
        "v1 answers": exploration.batches_of(strategies.mixed(load().of("fcm_v1"))),
        "answers with broken ones": exploration.with_poison(cases, malformed.ENVELOPE),
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
    slow = slow_schemas.validator(REPORT)
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
    batches = check_loop.drawn(0, EXAMPLES)
    with embedded(list(PROVIDERS), "after") as targets:
        for name, target in targets.items():
            yield _loop_row(name, target, batches, rounds)


def raw_client(rounds: int) -> Iterator[Row]:
    """Reports a second that bare httpx posts, beside a socket that the same requests are written to."""
    batches = check_loop.drawn(0, EXAMPLES)
    reports = sum(map(len, batches))
    name = "directory-responses"
    with embedded([name], "after") as targets, httpx.Client() as client:
        target = targets[name]
        trial = Trial(target, matcher(name, "answer").of)

        def by(post: Callable[[Sequence[bytes]], None]) -> float:
            bodies = check_loop.bodies(trial, batches)
            return reports / seconds(lambda: post(bodies))

        bound = ("a raw socket", lambda: by(lambda bodies: check_loop.raw(target, bodies)))
        ours = lambda: by(lambda bodies: check_loop.bare(client, target, bodies))  # noqa: E731
        yield paired("the bound itself: bare httpx", "reports/s", ours, bound, rounds)


def _loop_row(name: str, target: Target, batches: Sequence[check_loop.Answers], rounds: int) -> Row:
    trial = Trial(target, matcher(name, "answer").of)
    reports = sum(map(len, batches))
    with httpx.Client() as client:

        def bare() -> float:
            bodies = check_loop.bodies(trial, batches)
            return reports / seconds(lambda: check_loop.bare(client, target, bodies))

        ours = rate(reports, lambda: check_loop.checked(trial, batches))
        bound = ("bare httpx, same batches", bare)
        return paired(f"check loop: {name}", "reports/s", ours, bound, rounds, CHECK_LOOP_AIM)
