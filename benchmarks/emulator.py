"""`python -m benchmarks.emulator`: requests a second that the emulator answers, at 1 and 16 connections.

The emulator runs in a process of its own. `wrk` asks where it is installed; otherwise a small client of ours
does, whose own speed is then the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from fixtures.targets.target import served

CONNECTIONS = (1, 16)
TOKENS = range(1000)
REQUESTS = {
    "v1": (
        "/v1/projects/demo/messages:send",
        "Bearer any",
        {"message": {"token": "device", "notification": {"title": "Hello"}}},
    ),
    "v1, dead device": (
        "/v1/projects/demo/messages:send",
        "Bearer any",
        {"message": {"token": "case/v1-UNREGISTERED/device"}},
    ),
    "legacy, 1 token": ("/fcm/send", "key=any", {"to": "device"}),
    "legacy, 1000 tokens": (
        "/fcm/send",
        "key=any",
        {"registration_ids": [f"device-{n}" for n in range(1000)]},
    ),
}
SCRIPT = """
wrk.method = "POST"
wrk.path = {path}
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = {authorization}
wrk.body = {body}
"""


def by_wrk(url: str, name: str, connections: int, seconds: int) -> float:
    """Requests a second, as wrk counts them."""
    path, authorization, body = REQUESTS[name]
    quoted = {"path": path, "authorization": authorization, "body": json.dumps(body)}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "ask.lua"
        script.write_text(SCRIPT.format(**{key: json.dumps(text) for key, text in quoted.items()}), "utf-8")
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  our own
    return float(re.findall(r"Requests/sec:\s*([\d.]+)", said)[0])


def by_ourselves(url: str, name: str, connections: int, seconds: int) -> float:
    """Requests a second of our own client."""
    path, authorization, body = REQUESTS[name]
    content = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    until = time.monotonic() + seconds

    async def ask() -> int:
        place = urlsplit(url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        answers = 0
        while time.monotonic() < until:
            writer.write((head + content).encode())
            headers = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.findall(rb"content-length: (\d+)", headers)[0]))
            answers += 1
        writer.close()
        return answers

    async def ask_all() -> int:
        return sum(await asyncio.gather(*(ask() for _ in range(connections))))

    return asyncio.run(ask_all()) / seconds


def main() -> None:
    """Print a row for each request."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.emulator", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    asked = by_wrk if shutil.which("wrk") else by_ourselves
    print(f"requests/s by {'wrk' if asked is by_wrk else 'a client of ours'}, {options.seconds} s each")
    print(f"{'request':22}" + "".join(f"{f'{count} conn.':>10}" for count in CONNECTIONS))
    with served("fixtures.platform.fcm.server") as [where]:
        for name in REQUESTS:
            rates = (asked(where["url"], name, count, options.seconds) for count in CONNECTIONS)
            print(f"{name:22}" + "".join(f"{rate:10.0f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
