"""`python -m benchmarks.chain`: pushes a second through the whole chain, and the share of HTTP in their time.

The same pushes go through the system in memory and through the chain; FCM is the emulator in both. The client
posts one message after the other and does not wait for its end; the time ends when everything is drained.

Since threads wait for each other, the shares are those of the processor: HTTP is what its clients spend in
their exchanges, and what the servers' thread spends outside the services. The rest is SQS, Redis, the drain.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID

from fixtures.core.catalogue import load
from fixtures.platform import over_http
from fixtures.platform.base import Observed, all_of
from fixtures.platform.fcm import asgi as emulated
from fixtures.platform.fcm import emulator as core
from fixtures.platform.fcm.messages import Call as Asked
from fixtures.platform.in_memory import Fcm, System
from fixtures.services import asgi, http_environment, runner
from fixtures.services.events import Answer, Call
from fixtures.services.http_messages import write_json

MESSAGE = {"notification": {"title": "Hello"}, "data": {"count": 3}}
SINCE = "2020-01-01T00:00:00Z"
MIXES = {
    "delivered": ("v1-delivered",),
    "1 in 10 dead": ("v1-UNREGISTERED", *("v1-delivered",) * 9),
    "every case": tuple(case.id for case in load().of("fcm_v1")),
}
NUMBERS = itertools.count(1)
Work = Callable[..., Any]


class Processor:
    """The time of the processor, by what it was spent on."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._server = 0
        self._before_s = 0.0

    def begin(self) -> None:
        """Begin to count; something must have been answered already."""
        self.spent.clear()
        self._before_s = self._server_s()

    def timed(self, what: str, work: Work) -> Work:
        """The same work, with its time noted."""

        @functools.wraps(work)
        def noted(*arguments: Any) -> Any:
            began = time.thread_time()
            if what == "answering":
                self._server = threading.get_ident()
            try:
                return work(*arguments)
            finally:
                with self._lock:
                    self.spent[what] += time.thread_time() - began

        return noted

    def http_s(self) -> float:
        """What HTTP took: its clients, and the thread of its servers without the services."""
        return self.spent["calling"] + self._server_s() - self._before_s - self.spent["answering"]

    def services_s(self) -> float:
        """What the services took, and what they remember."""
        return self.spent["answering"] + self.spent["hearing"]

    def _server_s(self) -> float:
        return time.clock_gettime(time.pthread_getcpuclockid(self._server))


@contextmanager
def watched() -> Iterator[Processor]:
    """Note what the parts of a chain spend."""
    processor = Processor()
    parts = {
        (http_environment, "exchange"): "calling",
        (asgi, "safely_answer"): "answering",
        (emulated, "handle"): "answering",
        (runner, "hear"): "hearing",
    }
    with ExitStack() as patched:
        for (module, name), what in parts.items():
            patched.enter_context(patch.object(module, name, processor.timed(what, getattr(module, name))))
        yield processor


def emulator() -> Fcm:
    """The emulator by function calls."""
    known = core.Emulator()

    def fcm(call: Call) -> Answer:
        headers = {name.lower(): value for name, value in call.headers.items()}
        asked = Asked(call.method, call.path, headers, write_json(call.body).encode())
        answer = core.handle(known, asked, time.time())
        return Answer(answer.status, emulated.written(answer)[1], answer.headers)

    return fcm


def subscribed(system: Observed, cases: Sequence[str], pushes: int) -> list[dict[str, str]]:
    """So many new subscribers, whose tokens ask for the cases in turn."""
    numbered = zip(itertools.cycle(cases), itertools.islice(NUMBERS, pushes), strict=False)
    devices = [{"subscriber_id": str(UUID(int=n)), "token": f"case/{case}/{n}"} for case, n in numbered]
    since = {"token_since": SINCE, "firebase_app": system.firebase_apps[0]}
    system.subscribe([device | since for device in devices])
    return devices


def seconds(system: Any, devices: Sequence[dict[str, str]], each: int) -> float:
    """How long it takes to push to all, so many with each message, until all have ended."""
    began = time.perf_counter()
    for start in range(0, len(devices), each):
        system.push(MESSAGE, devices[start : start + each])
    system.drain()
    took = time.perf_counter() - began
    assert system.stored == len(devices), system.stored
    return took


def one_row(cases: Sequence[str], pushes: int, each: int) -> str:
    """Pushes a second in memory and through the chain, and what the processor did in the second."""
    memory = System(emulator(), all_of("after"))
    memory_s = seconds(memory, subscribed(memory, cases, pushes), each)
    with watched() as processor, over_http.running(all_of("after")) as system:
        devices = subscribed(system, cases, pushes)
        processor.begin()
        began = time.process_time()
        chain_s = seconds(system, devices, each)
        cpu_s = time.process_time() - began
        http_s, services_s = processor.http_s(), processor.services_s()
    rest = 1 - (http_s + services_s) / cpu_s
    rates = f"{pushes / memory_s:9.0f} {pushes / chain_s:9.0f} {1000 * cpu_s / pushes:9.1f}"
    return f"{rates} {http_s / cpu_s:6.0%} {services_s / cpu_s:9.0%} {rest:6.0%}"


def main() -> None:
    """Print a row for each mix of answers and number of subscribers a message."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chain", description=__doc__)
    parser.add_argument("--pushes", type=int, default=1000)
    parser.add_argument(
        "--each", type=int, action="append", help="subscribers a message; 1 and 100 by default"
    )
    options = parser.parse_args()
    head = f"{'answers':13} {'a message':>9} {'memory/s':>9} {'chain/s':>9} {'ms CPU':>9}"
    print(f"{options.pushes} pushes\n{head} {'HTTP':>6} {'services':>9} {'rest':>6}")
    for each, mix in itertools.product(options.each or [1, 100], MIXES):
        print(f"{mix:13} {each:9} {one_row(MIXES[mix], options.pushes, each)}", flush=True)


if __name__ == "__main__":
    main()
