"""What `./ci/bench` measures of the check loop: it, bare httpx and a raw socket, with the same batches.

All post the same pre-made batches to the same reference services, about subscribers who are there. The check
loop also makes them, observes every report, compares with the pact and judges.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx

from fixtures.contracts import matcher
from fixtures.core.catalogue import load
from fixtures.faults.runtime import responder
from fixtures.generation import runner, strategies
from fixtures.scenarios.provider import Trial
from fixtures.services import load as load_service
from fixtures.services.store import SqliteStore
from fixtures.targets.target import Target, batch, in_memory

Answers = Sequence[Mapping[str, Any]]
Asked: TypeAlias = tuple[str, str, bytes]
"""Method, path with its query, and body of a request."""


def drawn(seed: int, count: int) -> list[Answers]:
    """Batches of answers of all cases."""
    batches: list[Answers] = []
    every_case = runner.batches_of(strategies.mixed(load().cases))
    runner.explore("benchmark", every_case, batches.append, profile=runner.Profile(seed, count))
    return batches


def checked(trial: Trial, batches: Sequence[Answers]) -> None:
    """The check loop, without generation."""
    for answers in batches:
        trial.fresh(trial.entries(answers))


def bodies(trial: Trial, batches: Sequence[Answers]) -> list[bytes]:
    """Each batch as it is posted, with ids of its own; the subscribers are there, as in the check loop.

    Of those that are not, a provider does nothing, which takes it a third less time.
    """
    entries = [trial.entries(answers) for answers in batches]
    for sent in entries:
        trial.subscribe(sent)
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
