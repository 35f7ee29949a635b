"""`python -m benchmarks.check_loop`: reports a second in the check loop, and of bare httpx beside it.

Both post the same pre-made batches to the same reference services. The check loop also subscribes, observes
every report, compares with the pact and judges; `with generation` draws its batches as well. Medians.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx

from benchmarks.bench.rows import seconds
from fixtures import exploration, strategies
from fixtures.catalogue import load
from fixtures.contracts import matcher
from fixtures.services import load as load_service
from fixtures.services.store import SqliteStore
from fixtures.targets import Target, batch, embedded, in_memory
from fixtures.topology import PROVIDERS
from fixtures.trials import Trial
from fixtures.variants import responder

Answers = Sequence[Mapping[str, Any]]
Asked: TypeAlias = tuple[str, str, bytes]
"""Method, path with its query, and body of a request."""


def drawn(seed: int, count: int) -> list[Answers]:
    """Batches of answers of all cases."""
    batches: list[Answers] = []
    every_case = exploration.batches_of(strategies.mixed(load().cases))
    exploration.explore("benchmark", every_case, batches.append, profile=exploration.Profile(seed, count))
    return batches


def checked(trial: Trial, batches: Sequence[Answers]) -> None:
    """The check loop, without generation."""
    for answers in batches:
        trial.fresh(trial.entries(answers))


def bodies(trial: Trial, batches: Sequence[Answers]) -> list[bytes]:
    """Each batch as it is posted, with ids of its own."""
    entries = [trial.entries(answers) for answers in batches]
    return [json.dumps(batch(trial.provider, [e.payload for e in sent])).encode() for sent in entries]


def bare(client: httpx.Client, target: Target, posted: Sequence[bytes]) -> None:
    """The same batches, posted and forgotten."""
    headers = {"Content-Type": "application/json"}
    for body in posted:
        client.post(target.url + target.provider.path, content=body, headers=headers)


def requests_of(name: str, batches: Sequence[Answers]) -> list[Asked]:
    """What the check loop asks of a provider for these batches, found out at one in memory."""
    store, asked = SqliteStore(), list[Asked]()
    answer = responder(load_service(name, "after"), store)

    def respond(method: str, path: str, query: str, body: bytes) -> tuple[int, str, bytes]:
        asked.append((method, f"{path}?{query}" if query else path, body))
        return answer(method, path, query, body)

    with contextlib.closing(store), contextlib.closing(in_memory(name, "after", respond)) as target:
        checked(Trial(target, matcher(name, "answer").of), batches)
    return asked


def raw(target: Target, asked: Iterable[Asked]) -> None:
    """Requests written to one socket as they are, as load generators do it; a refusal is raised."""
    place = urlsplit(target.url)
    heading = f"Host: {place.netloc}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((str(place.hostname), place.port)) as connection:
        lines = connection.makefile("rb")
        for method, path, body in asked:
            head = f"{method} {path} HTTP/1.1\r\n{heading}Content-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            status = lines.readline()
            if not status.startswith(b"HTTP/1.1 2"):
                raise RuntimeError(f"{target.provider.name} says {status!r}")
            length = 0
            while (line := lines.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            lines.read(length)


def generated(trial: Trial, seed: int, count: int) -> float:
    """Reports a second of the check loop that draws its batches as well."""
    reports = 0

    def judge(answers: Answers) -> None:
        nonlocal reports
        reports += len(answers)
        trial.fresh(trial.entries(answers))

    every_case = exploration.batches_of(strategies.mixed(load().cases))
    took = seconds(
        lambda: exploration.explore("benchmark", every_case, judge, profile=exploration.Profile(seed, count))
    )
    return reports / took


def one_round(trial: Trial, batches: Sequence[Answers], seed: int) -> dict[str, float]:
    """Reports a second of each loop, and their ratio."""
    reports = sum(map(len, batches))
    posted = bodies(trial, batches)
    with httpx.Client() as client:
        plain = seconds(lambda: bare(client, trial.target, posted))
    judged = seconds(lambda: checked(trial, batches))
    return {
        "bare": reports / plain,
        "checked": reports / judged,
        "ratio": plain / judged,
        "with generation": generated(trial, seed, len(batches)),
    }


def measured(target: Target, batches: Sequence[Answers], rounds: int, seed: int) -> dict[str, float]:
    """Medians for one provider."""
    trial = Trial(target, matcher(target.provider.name, "answer").of)
    rows = [one_round(trial, batches, seed + number) for number in range(rounds)]
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def main() -> None:
    """Print a row for each provider."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check_loop", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    batches = drawn(options.seed, options.batches)
    print(f"{len(batches)} batches, {sum(map(len, batches))} reports, median of {options.rounds} rounds")
    print(f"{'provider':22} {'bare/s':>9} {'checked/s':>10} {'ratio':>6} {'with generation/s':>18}")
    with embedded(list(PROVIDERS), "after") as targets:
        for name, target in targets.items():
            row = measured(target, batches, options.rounds, options.seed)
            print(
                f"{name:22} {row['bare']:9.0f} {row['checked']:10.0f} {row['ratio']:6.2f}"
                f" {row['with generation']:18.0f}"
            )


if __name__ == "__main__":
    main()
