"""The command as people run it: exit codes, what it prints and writes, and the same answer every time."""

import json
import os
import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fixtures.core import schemas
from fixtures.core.project import ROOT
from fixtures.core.topology import RELEASE_FILE
from suites.rollout.sample_releases import write_release

EXAMPLE = RELEASE_FILE.parent / "examples" / "orders.toml"


def rollout(*options: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(  # noqa: S603  our own, no shell
        [sys.executable, "-m", "ci.commands", "rollout", *map(str, options)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.process
@pytest.mark.parametrize(
    ("plan", "code", "word"),
    [("ledger,billing,shop,clean orders", 0, "GO"), ("shop,billing,ledger,clean orders", 1, "NO GO")],
    ids=["go", "no-go"],
)
def test_the_exit_code_is_the_verdict(plan: str, code: int, word: str, tmp_path: Path) -> None:
    ran = rollout("--release", EXAMPLE, "--plan", plan, "--output", tmp_path)
    assert (ran.returncode, ran.stderr) == (code, "")
    assert f"=== {word} ===" in ran.stdout
    answer = schemas.read_json(tmp_path / "rollout.json")
    schemas.validate(answer, "rollout.schema.json")
    page = (tmp_path / "update-map.md").read_text(encoding="utf-8")
    assert page.startswith(f"# Update map: {answer['verdict'].upper()}\n")
    assert [line.split(" | ")[1] for line in page.splitlines() if re.match(r"\| \d", line)] == plan.split(",")
    for name in ("timeline", "lattice", "constraints"):
        picture = ET.parse(tmp_path / f"{name}.svg").getroot()  # noqa: S314 - we have just written it
        assert picture.tag.endswith("svg")
        assert "http" not in (tmp_path / f"{name}.svg").read_text(encoding="utf-8").replace(
            "http://www.w3.org/", ""
        )


@pytest.mark.process
def test_nothing_verified_exits_2(tmp_path: Path) -> None:
    ran = rollout("--release", write_release(tmp_path), "--output", tmp_path)
    assert ran.returncode == 2
    assert "never verified: one-two: one 1.0 -> two 1.0" in ran.stdout
    assert "\n  next: ./ci/broker publish" in ran.stdout


@pytest.mark.process
@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--release", "none.toml"], "no-release"),
        (["--release", EXAMPLE, "--plan", "shop"], "service-not-planned"),
        (["--release", EXAMPLE, "--results", "/nowhere"], "no-results"),
        (["--speed", "3"], "usage"),
    ],
    ids=["file", "plan", "results", "option"],
)
def test_wrong_usage_exits_64_and_says_what_next(options: list[str | Path], error: str) -> None:
    ran = rollout(*options)
    assert ran.returncode == 64
    assert error in ran.stderr
    assert "next: " in ran.stderr


@pytest.mark.process
@pytest.mark.parametrize(
    "release",
    [
        pytest.param((), id="ours", marks=pytest.mark.nightly),
        pytest.param(("--release", EXAMPLE), id="example"),
    ],
)
def test_the_answer_is_the_same_to_the_byte(tmp_path: Path, release: tuple[str | Path, ...]) -> None:
    for seed in ("1", "2"):
        ran = rollout(*release, "--output", tmp_path / seed, "--processes", seed, PYTHONHASHSEED=seed)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    files = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(files) == 5
    for name in files:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


ROWS = {
    "billing/consumer/shop": [
        ("4.1", "2.8", True),
        ("4.1", "2.9", True),
        ("4.2", "2.8", False),
        ("4.2", "2.9", True),
    ],
    "ledger/consumer/billing": [("2.8", "1.0", True), ("2.8", "1.1", True), ("2.9", "1.0", False)],
}


@pytest.fixture
def broker() -> Iterator[str]:
    """A Pact Broker that knows seven of eight pairs, if asked with the right token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pair = self.path.removeprefix("/pacts/matrix/provider/")
            authorized = self.headers["Authorization"] == "Bearer secret"
            provider, _, consumer = pair.partition("/consumer/")
            rows = [
                {
                    "consumer": {"name": consumer, "version": {"number": first}},
                    "provider": {"name": provider, "version": {"number": other}},
                    "verificationResult": {"success": success},
                }
                for first, other, success in ROWS.get(pair, ())
            ]
            body = json.dumps({"summary": {}, "matrix": rows}).encode()
            self.send_response(200 if authorized and rows else 404 if authorized else 401)
            self.send_header("Content-Type", "application/hal+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/pacts"
        finally:
            server.shutdown()
            thread.join()


def without_results(folder: Path) -> Path:
    """The example with a direct call in place of the queue, and without its results."""
    text = EXAMPLE.read_text(encoding="utf-8").partition("# The verified results")[0]
    text = text.replace('kind = "queue"\nlong_lived = true', 'kind = "http"').replace(', "clean orders"', "")
    path = folder / "release.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.process
def test_a_broker_is_asked_for_each_pair(broker: str, tmp_path: Path) -> None:
    path = without_results(tmp_path)
    ran = rollout("--release", path, "--broker", broker, "--output", tmp_path, PACT_BROKER_TOKEN="secret")  # noqa: S106
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "never verified: entries: billing 2.9 -> ledger 1.1" in ran.stdout
    ran = rollout("--release", path, "--broker", broker, "--output", tmp_path, PACT_BROKER_TOKEN="wrong")  # noqa: S106
    assert (ran.returncode, "broker-refuses" in ran.stderr) == (2, True)


@pytest.mark.process
def test_a_broker_that_is_not_there_is_undecided(tmp_path: Path) -> None:
    ran = rollout(
        "--release", without_results(tmp_path), "--broker", "http://127.0.0.1:9", "--output", tmp_path
    )
    assert ran.returncode == 2
    assert "broker-silent" in ran.stderr
