"""A slow network that resets some connections: a TCP proxy in front of each service."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

CHUNK = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER without any time


@dataclass
class SlowNetwork:
    """Delays every piece of data by `delay_s` there and back, and resets a share of the connections.

    `counts` holds how many `connections`, `pieces` and `resets` there were.
    """

    delay_s: float
    resets: float
    random: random.Random
    counts: Counter[str] = field(default_factory=Counter)

    async def relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
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
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        breaks_at: int,
        broken: asyncio.Event,
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

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await network.relay(reader, writer, str(service.hostname), int(service.port or 80))

        servers.append(await asyncio.start_server(relay, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    async def stop() -> None:
        for server in servers:
            server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    try:
        yield {name: run(start_proxy(url)) for name, url in urls.items()}
    finally:
        run(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
