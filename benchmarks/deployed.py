"""`python -m benchmarks.deployed`: a gate run on eight deployments behind a slow network that breaks off.

Each service is a process of its own, reached by URL through a proxy that lets every message wait and resets
some connections. What is printed last is the verdict, its reasons, and how long it took.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from fixtures.core.project import ROOT
from fixtures.platform.base import FLOW
from fixtures.targets.target import served

CHUNK = 65_536
ENVIRONMENT = "far-away"
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing resets the connection."""


@dataclass
class Network:
    """How long a message takes there and back, and which share of connections is reset."""

    delay_s: float
    resets: float
    chance: random.Random
    seen: Counter[str] = field(default_factory=Counter)

    async def passed(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        """Pass one connection on, until one side ends it or its turn to break comes."""
        self.seen["connections"] += 1
        breaks_at = self.chance.randint(1, 20) if self.chance.random() < self.resets else 0
        there, back = await asyncio.open_connection(host, port)
        broken = asyncio.Event()
        try:
            ways = [
                asyncio.create_task(self._carry(reader, back, breaks_at, broken)),
                asyncio.create_task(self._carry(there, writer, 0, broken)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        finally:
            if broken.is_set():
                self.seen["resets"] += 1
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            for end in (writer, back):
                end.close()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        breaks_at: int,
        broken: asyncio.Event,
    ) -> None:
        """Carry what comes, each piece late; the request at which it breaks still arrives, its answer not."""
        clock = asyncio.get_running_loop().time
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            piece = b"-"
            while piece:
                with contextlib.suppress(ConnectionError):
                    piece = b""
                    piece = await reader.read(CHUNK)
                pieces.put_nowait((clock() + self.delay_s / 2, piece))

        reading = asyncio.create_task(read())
        number = 0
        try:
            while True:
                due, piece = await pieces.get()
                await asyncio.sleep(due - clock())
                if not piece:
                    return
                number += 1
                self.seen["pieces"] += 1
                writer.write(piece)
                await writer.drain()
                if number == breaks_at:
                    await asyncio.sleep(self.delay_s / 4)
                    broken.set()
                    return
        except ConnectionError:
            return  # whoever waited is gone
        finally:
            reading.cancel()


@contextlib.contextmanager
def proxied(network: Network, urls: dict[str, str]) -> Iterator[dict[str, str]]:
    """The URL of each service on the far side of the network, until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers: list[asyncio.Server] = []

    async def opened() -> dict[str, str]:
        found = {}
        for name, url in urls.items():
            host, _, port = url.removeprefix("http://").partition(":")

            async def carry(
                reader: asyncio.StreamReader,
                writer: asyncio.StreamWriter,
                host: str = host,
                port: int = int(port),
            ) -> None:
                await network.passed(reader, writer, host, port)

            servers.append(await asyncio.start_server(carry, "127.0.0.1", 0))
            found[name] = f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"
        return found

    async def ended() -> None:
        for server in servers:
            server.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    try:
        yield asyncio.run_coroutine_threadsafe(opened(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(ended(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def main() -> int:
    """Run the gate there, print what it says, and exit as it does."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deployed", description=__doc__)
    parser.add_argument(
        "--delay-ms", type=float, default=50, help="of a request with its answer (default 50)"
    )
    parser.add_argument("--resets", type=float, default=0.01, help="share of connections (default 0.01)")
    parser.add_argument("--seed", type=int, default=0, help="which connections break (default 0)")
    parser.add_argument("gate", nargs="*", help="more options of ./ci/gate, after --")
    options = parser.parse_args()
    network = Network(options.delay_ms / 1000, options.resets, random.Random(options.seed))  # noqa: S311
    with ExitStack() as opened, tempfile.TemporaryDirectory(prefix="fcm-compat-far-") as folder:
        urls = {}
        for name in FLOW:
            arguments = (f"--service={name}", "--version=after", f"--store={folder}/{name}.sqlite")
            (line,) = opened.enter_context(served("fixtures.services.server", *arguments))
            urls[name] = line["url"]
        far = opened.enter_context(proxied(network, urls))
        return judged(Path(folder), far, network, options.gate)


def judged(folder: Path, urls: dict[str, str], network: Network, more: list[str]) -> int:
    """What the gate says of deployments."""
    rows = [f'[environments.{ENVIRONMENT}.services.{name}]\nurl = "{url}"\n' for name, url in urls.items()]
    file = folder / "targets.toml"
    file.write_text("".join(rows), encoding="utf-8")
    named = [f"--targets={file}", f"--environment={ENVIRONMENT}", f"--build={folder}/build"]
    began = time.monotonic()
    exited = subprocess.run([sys.executable, "-m", "ci.commands.gate", *named, *more], cwd=ROOT, check=False)  # noqa: S603
    took = time.monotonic() - began
    verdict = json.loads((folder / "build" / "verdict.json").read_text(encoding="utf-8"))
    share = f"{network.resets:.1%} of connections reset"
    print(f"\n{len(urls)} services by URL, {1000 * network.delay_s:g} ms, {share}: {dict(network.seen)}")
    counts = f"{len(verdict['findings'])} findings, {verdict['reports']} reports"
    print(f"  {verdict['verdict']} in {took:.0f} s: {counts}")
    for reason in verdict["reasons"]:
        print(f"  {reason}")
    return exited.returncode


if __name__ == "__main__":
    sys.exit(main())
