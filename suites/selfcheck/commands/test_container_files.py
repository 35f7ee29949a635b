"""The container files build, and what they build runs and ends as it is told."""

import json
import os
import re
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from fixtures.core.project import ROOT

pytestmark = [pytest.mark.process, pytest.mark.nightly]

EMULATOR, GATE = "emulator/Containerfile", "ci/templates/Containerfile"


def run(*command: str, source: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=ROOT, input=source, capture_output=True, check=False, timeout=1800)  # noqa: S603


@pytest.fixture(scope="module")
def builder() -> str:
    """A program that builds images here."""
    for name in ("docker", "podman", "buildah"):
        if shutil.which(name) and run(name, "info").returncode == 0:
            return name
    pytest.skip("there is no docker with a daemon, no podman and no buildah")


@pytest.fixture
def image(builder: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An image that is built from a commit, as the container files say, without a download of its base."""
    file: str = request.param
    (base,) = set(re.findall(r"^FROM (\S+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE))
    if run(builder, "inspect", "--type", "image", base).returncode:
        pytest.skip(f"{builder} has no image {base}; next: {builder} pull {base}")
    tag = f"localhost/fcm-compat-{uuid.uuid4().hex[:8]}"
    source = run("git", "archive", "HEAD").stdout
    built = run(builder, "build", "--file", file, "--tag", tag, "-", source=source)
    assert built.returncode == 0, built.stderr.decode()[-2000:]
    yield tag
    run(builder, "rmi", "--force", tag)


def start(builder: str, image: str, *arguments: str) -> subprocess.Popen[str]:
    """Run the image on the network of this machine."""
    command = [builder, "run", "--rm", "--network", "host", image]
    if builder == "buildah":  # it ignores entry points
        container = run(builder, "from", image).stdout.decode().strip()
        config = json.loads(run(builder, "inspect", container).stdout)["OCIv1"]["config"]
        command = [
            builder,
            "run",
            "--network",
            "host",
            "--pid",
            "host",
            container,
            "--",
            *config["Entrypoint"],
        ]
    return subprocess.Popen(  # noqa: S603
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.parametrize("image", [EMULATOR], indirect=True)
def test_the_emulator_serves_in_a_container_until_it_is_stopped(builder: str, image: str) -> None:
    options = ["--host", "127.0.0.1", "--port", "0", "--https-port", "0", "--proxy-port", "0"]
    with start(builder, image, *options) as process:
        assert process.stdout is not None
        served = json.loads(process.stdout.readline())
        connection = HTTPConnection(urlsplit(served["url"]).netloc, timeout=10)
        connection.request("GET", "/health")
        assert json.loads(connection.getresponse().read()) == {"status": "ok"}
        message, headers = '{"message": {"token": "any"}}', {"Authorization": "Bearer any"}
        connection.request("POST", "/v1/projects/demo/messages:send", message, headers)
        assert "name" in json.loads(connection.getresponse().read())
        connection.close()
        # Buildah hands no signal on. There, the number of the process is that on this machine.
        os.kill(served["pid"] if builder == "buildah" else process.pid, signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize("image", [GATE], indirect=True)
def test_the_gate_decides_in_a_container(builder: str, image: str) -> None:
    with start(builder, image, "--seed", "1") as process:
        output, _ = process.communicate(timeout=1800)
    assert process.returncode == 0, output[-2000:]
    assert "=== GO" in output
