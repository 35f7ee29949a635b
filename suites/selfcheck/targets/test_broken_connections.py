"""A broken connection is never a finding: the request is repeated, or the test is undecided."""

import asyncio
import contextlib
import random
import socket
import struct
import subprocess
import sys
import threading
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixtures.core.project import ROOT
from fixtures.results import ledger
from fixtures.targets.client import Unreachable
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import connect_deployment
from fixtures.targets.embedded import start_process

pytestmark = pytest.mark.process

CHUNK = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER without any time
SERVICES = ("directory-responses", "subscribers-errors")
TESTS = {
    "providers": ("suites/compat/test_redelivery.py", "-k", " or ".join(SERVICES)),
    "pacts": ("suites/contracts/test_providers_honour_pacts.py", "-k", "the_provider_honours"),
    "end to end": ("suites/compat/test_end_to_end.py", "-k", "all-after-v1 and test_end_to_end"),
}


@dataclass
class SlowNetwork:
    """Delays every piece of data by `delay_s` there and back, and resets a share of the connections.

    `counts` holds how many `connections`, `pieces` and `resets` there were.
    """

    delay_s: float
    resets: float
    random: random.Random
    counts: Counter[str] = field(default_factory=Counter)

    async def relay(self, reader: StreamReader, writer: StreamWriter, host: str, port: int) -> None:
        """Relay one connection until one side closes it or its turn to break comes."""
        self.counts["connections"] += 1
        breaks_at = self.random.randint(1, 20) if self.random.random() < self.resets else 0
        service_reader, service_writer = await asyncio.open_connection(host, port)
        broken = asyncio.Event()
        tasks = [
            asyncio.create_task(self._copy(reader, service_writer, breaks_at, broken)),
            asyncio.create_task(self._copy(service_reader, writer, 0, broken)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        finally:
            if broken.is_set():
                self.counts["resets"] += 1
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE
                )
            writer.close()
            service_writer.close()

    async def _copy(
        self, reader: StreamReader, writer: StreamWriter, breaks_at: int, broken: asyncio.Event
    ) -> None:
        """Copy each piece late. The piece number `breaks_at` still arrives; its answer does not."""
        clock = asyncio.get_running_loop().time
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read_pieces() -> None:
            piece = b"-"
            while piece:
                piece = b""
                with contextlib.suppress(ConnectionError):
                    piece = await reader.read(CHUNK)
                pieces.put_nowait((clock() + self.delay_s / 2, piece))

        reading = asyncio.create_task(read_pieces())
        number = 0
        try:
            while True:
                due, piece = await pieces.get()
                await asyncio.sleep(due - clock())
                if not piece:
                    return
                number += 1
                self.counts["pieces"] += 1
                writer.write(piece)
                await writer.drain()
                if number == breaks_at:
                    await asyncio.sleep(self.delay_s / 4)
                    broken.set()
                    return
        except ConnectionError:
            return  # the other side has closed the connection
        finally:
            reading.cancel()


@contextlib.contextmanager
def behind_network(network: SlowNetwork, urls: dict[str, str]) -> Iterator[dict[str, str]]:
    """The URL of each service behind the network, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    servers: list[asyncio.Server] = []

    async def start_proxy(url: str) -> str:
        service = urlsplit(url)

        async def relay(reader: StreamReader, writer: StreamWriter) -> None:
            await network.relay(reader, writer, str(service.hostname), int(service.port or 80))

        servers.append(await asyncio.start_server(relay, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    async def stop() -> None:
        for server in servers:
            server.close()
        while other_tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in other_tasks:
                task.cancel()
            await asyncio.gather(*other_tasks, return_exceptions=True)

    try:
        yield {name: run(start_proxy(url)) for name, url in urls.items()}
    finally:
        run(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "tests",
    TESTS.values(),
    ids=TESTS,
)
def test_a_broken_connection_is_no_finding(tmp_path: Path, tests: tuple[str, ...], seed: int) -> None:
    network = SlowNetwork(delay_s=0.002, resets=1.0, random=random.Random(seed))  # noqa: S311
    options = [part for name in SERVICES for part in ("--service", name)]
    store = f"--store={tmp_path / 'store.sqlite'}"
    with (
        start_process("fixtures.services.server", *options, "--version=after", store, services=2) as lines,
        behind_network(network, {line["service"]: line["url"] for line in lines}) as urls,
    ):
        targets = [f"--target={name}={url}" for name, url in urls.items()]
        command = [sys.executable, "-m", "pytest", *tests, *targets, f"--ledger={tmp_path}/ledger.jsonl"]
        result = subprocess.run(  # noqa: S603
            [*command, "--examples=1"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
        )
    record = ledger.read_ledger(tmp_path / "ledger.jsonl")
    assert network.counts["resets"] > 0
    assert record.tests, result.stdout
    assert [line["test"] for line in record.tests if line["result"] == "failed"] == [], result.stdout
    reasons = {line["message"].split(":")[0] for line in record.tests if line["result"] == "broken"}
    assert reasons <= {"unreachable-target", "unobservable-target"}, result.stdout


def test_an_observation_is_repeated_and_a_delivery_is_not() -> None:
    options = ("--service=subscribers-errors", "--version=after")
    with start_process("fixtures.services.server", *options) as (line,):
        for method, connections in (("GET", 3), ("POST", 1)):
            network = SlowNetwork(delay_s=0, resets=1.0, random=BreakAtFirstRequest())
            with behind_network(network, {"subscribers-errors": line["url"]}) as urls:
                client = connect_deployment(Deployment("subscribers-errors", urls["subscribers-errors"]))
                with pytest.raises(Unreachable):
                    client.send(method, "/v1/errors", None if method == "GET" else b'{"errors": []}')
                client.close()
            assert network.counts["connections"] == connections


class BreakAtFirstRequest(random.Random):
    def randint(self, a: int, _b: int) -> int:
        return a
