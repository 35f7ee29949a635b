"""What `./ci/bench` measures: parts of the check loop in this process, and whole commands in their own."""

import functools
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import hypothesis.strategies as st
from hypothesis.strategies import SearchStrategy

from benchmarks.measurement import SECONDS, Aim, Measurement, measure_pairs, rate, time_seconds
from fixtures.contracts.pact.matcher import load_matcher
from fixtures.core import payloads, reference_validator, schemas
from fixtures.core.catalogue import load_catalogue
from fixtures.core.outcome import ProviderAnswer
from fixtures.core.payloads import IdFactory
from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS
from fixtures.generation import malformed, runner, strategies
from fixtures.scenarios.provider import ProviderScenario
from fixtures.targets.embedded import embedded_targets
from fixtures.targets.target import build_batch

REPORT = "response-report.schema.json"
BATCHES = 40
COLLECT = ("-m", "pytest", "suites/compat", "--collect-only", "-q")
LIBRARIES = ("-c", "import pytest, hypothesis, httpx, jsonschema, pact")
SEEDED_FAULTS = 6
WORKERS = 2

Answers = Sequence[Mapping[str, Any]]
Measured = Iterator[Measurement]


def draw_batches(seed: int, count: int) -> list[Answers]:
    """Batches of answers of all cases."""
    batches: list[Answers] = []
    every_case = runner.batches_of(strategies.answers_for_any(load_catalogue().cases))
    runner.explore("benchmark", every_case, batches.append, profile=runner.Profile(seed, count))
    return batches


def entries_per_second(strategy: SearchStrategy[list[Any]]) -> Callable[[], float]:
    """A measure of the entries a second that Hypothesis draws for batches; each call has a new seed."""
    seeds = iter(range(1, 1_000_000))

    def measure() -> float:
        sizes: list[int] = []
        profile = runner.Profile(next(seeds), BATCHES)
        seconds = time_seconds(
            lambda: runner.explore("benchmark", strategy, lambda b: sizes.append(len(b)), profile=profile)
        )
        return sum(sizes) / seconds

    return measure


def measure_generation(rounds: int) -> Measured:
    """Answers a second, beside the simplest strategy of Hypothesis."""
    catalogue = load_catalogue()
    bound = ("Hypothesis with st.booleans()", entries_per_second(runner.batches_of(st.booleans())))
    strategies_by_name = {
        "answers of every case": runner.batches_of(strategies.answers_for_any(catalogue.cases)),
        "legacy answers": runner.batches_of(strategies.answers_for_any(catalogue.of_protocol("legacy"))),
        "v1 answers": runner.batches_of(strategies.answers_for_any(catalogue.of_protocol("fcm_v1"))),
        "answers with broken ones": runner.batches_with_malformed(catalogue.cases, malformed.ENVELOPE),
    }
    for name, strategy in strategies_by_name.items():
        ours = entries_per_second(strategy)
        yield measure_pairs(f"generation: {name}", unit="payloads/s", ours=ours, bound=bound, rounds=rounds)


def measure_validation(rounds: int) -> Measured:
    """Validations a second, beside jsonschema alone."""
    answers = [answer for batch in draw_batches(0, BATCHES) for answer in batch]
    reports = [entry.payload for entry in payloads.address_all(answers, IdFactory())][:200]
    jsonschema = reference_validator.build_validator(REPORT)
    ours = rate(len(reports), lambda: [schemas.is_valid(report, REPORT) for report in reports])
    bound = ("jsonschema alone", rate(len(reports), lambda: [jsonschema.is_valid(r) for r in reports]))
    yield measure_pairs("validation of a report", unit="payloads/s", ours=ours, bound=bound, rounds=rounds)


def measure_matching(rounds: int) -> Measured:
    """Answers a second that are matched with a pact, beside reading them as JSON."""
    check_answer = load_matcher("subscribers-errors", "answer").check_answer
    results = [{"event_id": str(n), "subscriber_id": str(n), "action": "keep"} for n in range(25)]
    text = json.dumps({"results": results})
    answer = ProviderAnswer(200, json.loads(text), text, "application/json")
    ours = rate(50, lambda: [check_answer(answer) for _ in range(50)])
    bound = ("json.loads of it", rate(50, lambda: [json.loads(text) for _ in range(50)]))
    name = "matching an answer with its pact"
    yield measure_pairs(name, unit="answers/s", ours=ours, bound=bound, rounds=rounds)


def measure_check_loop(rounds: int) -> Measured:
    """Reports a second that are judged, beside bare httpx that posts the same batches and forgets them."""
    batches = draw_batches(0, BATCHES)
    reports = sum(map(len, batches))
    with embedded_targets(list(PROVIDERS), "after") as targets, httpx.Client() as client:
        for name, target in targets.items():
            scenario = ProviderScenario(target, load_matcher(name, "answer").check_answer)
            judge = functools.partial(judge_batches, scenario, batches)
            post = functools.partial(time_posts, client, scenario, batches)
            yield measure_pairs(
                f"check loop: {name}",
                unit="reports/s",
                ours=rate(reports, judge),
                bound=("bare httpx, same batches", functools.partial(per_second, reports, post)),
                rounds=5 * rounds,  # a pair takes a tenth of a second, which is less than the machine's noise
                aim=Aim("ratio", 0.6),
            )


def per_second(count: int, measure_seconds: Callable[[], float]) -> float:
    return count / measure_seconds()


def judge_batches(scenario: ProviderScenario, batches: Sequence[Answers]) -> None:
    """The check loop, without generation."""
    for answers in batches:
        scenario.assert_handled(scenario.entries(answers))


def time_posts(client: httpx.Client, scenario: ProviderScenario, batches: Sequence[Answers]) -> float:
    """Seconds that bare httpx takes to post these batches, about subscribers that exist."""
    entries = [scenario.entries(answers) for answers in batches]
    # A provider does nothing about an unknown subscriber, which takes it a third less time.
    for batch in entries:
        scenario.subscribe(batch)
    bodies = [
        json.dumps(build_batch(scenario.provider, [entry.payload for entry in batch])).encode()
        for batch in entries
    ]
    url, headers = scenario.target.url + scenario.provider.path, {"Content-Type": "application/json"}
    return time_seconds(lambda: [client.post(url, content=body, headers=headers) for body in bodies])


def time_command(*arguments: str) -> float:
    """Seconds that a command of ours takes in a process of its own. Raises RuntimeError if it fails."""

    def run() -> None:
        command = [sys.executable, *arguments]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
        if result.returncode:
            problem = f"ended with {result.returncode}: {result.stderr[-500:]}"
            raise RuntimeError(f"{' '.join(arguments)} {problem}")

    return time_seconds(run)


def measure_start(rounds: int) -> Measured:
    """Until pytest has collected the compat suite, beside the imports that it needs."""
    bound = ("importing the libraries", lambda: time_command(*LIBRARIES))
    aim = Aim("value", 1.5, at_least=False)
    ours = lambda: time_command(*COLLECT)  # noqa: E731
    yield measure_pairs("cold start", unit=SECONDS, ours=ours, bound=bound, rounds=rounds, aim=aim)


def measure_rollout(rounds: int) -> Measured:
    """./ci/rollout, beside itself on one process."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-bench-") as folder:
        command = ("-m", "ci.commands", "rollout", "--output", folder)
        bound = ("on one process", lambda: time_command(*command, "--processes", "1"))
        aim = Aim("value", 20, at_least=False)
        ours = lambda: time_command(*command)  # noqa: E731
        yield measure_pairs("rollout", unit=SECONDS, ours=ours, bound=bound, rounds=rounds, aim=aim)


def measure_selfcheck(rounds: int) -> Measured:
    """Seconds from the first request to the first finding of a seeded fault, beside a cold start."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-bench-") as build:
        options = ("--sample", str(SEEDED_FAULTS), "--quick", "--build", build)
        command = ("-m", "ci.commands", "selfcheck", *options)

        def time_first_finding() -> float:
            time_command(*command)
            result = json.loads(Path(build, "selfcheck.json").read_text(encoding="utf-8"))
            return float(statistics.median(fault["seconds"] for fault in result["faults"]))

        name = f"first finding of a fault, median of {SEEDED_FAULTS}"
        bound = ("a cold start", lambda: time_command(*COLLECT))
        aim = Aim("value", 3, at_least=False)
        yield measure_pairs(name, unit=SECONDS, ours=time_first_finding, bound=bound, rounds=rounds, aim=aim)


def measure_gate(rounds: int) -> Measured:
    """The whole gate, beside bare httpx that posts as many reports."""
    batches = draw_batches(0, BATCHES)
    drawn_reports = sum(map(len, batches))
    with tempfile.TemporaryDirectory(prefix="fcm-compat-bench-") as build:

        def time_bare_posts() -> float:
            judged_reports = int(
                json.loads(Path(build, "verdict.json").read_text(encoding="utf-8"))["reports"]
            )
            with embedded_targets(["directory-responses"], "after") as targets, httpx.Client() as client:
                scenario = ProviderScenario(targets["directory-responses"], lambda _: ())
                return judged_reports / drawn_reports * time_posts(client, scenario, batches)

        command = ("-m", "ci.commands", "gate", "--build", build, "-n", str(WORKERS))
        bound = ("bare httpx, as many reports", time_bare_posts)
        aim = Aim("value", 30, at_least=False)
        ours = lambda: time_command(*command)  # noqa: E731
        yield measure_pairs("gate", unit=SECONDS, ours=ours, bound=bound, rounds=rounds, aim=aim)
