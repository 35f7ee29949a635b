"""Which deployments between surroundings of the suite can be judged, and what their surroundings are."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.platform.isolated_service import create_peer
from fixtures.platform.over_http.config import PlatformError
from fixtures.platform.surroundings import Surroundings, run_surroundings, shorten_visibility
from fixtures.platform.wire import Wire
from fixtures.targets.config import Deployment, TargetError, read_targets_file
from fixtures.targets.deployed import describe_targets
from fixtures.targets.provisioning.inventory import Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.start_config import HOST, SURROUNDINGS, StartConfig, list_parts

URL = "http://127.0.0.1:8000"
COMMAND = StartConfig(command=("/home/me/service",))


def describe(*deployments: Deployment) -> dict[str, str]:
    """What each service is judged as."""
    by_name = {deployment.name: deployment for deployment in deployments}
    rows = describe_targets(by_name, RateLimiter(), Inventory())
    return {name: row["target"] for name, row in rows.items()}


def test_all_eight_services_are_described() -> None:
    targets = describe(Deployment("events-proxy", URL, ports={"events_api": 9001}))
    assert len(targets) == 8
    assert {name for name, target in targets.items() if target != "embedded"} == {"events-proxy"}
    assert targets["events-proxy"] == URL


def test_a_service_that_is_told_no_addresses_is_not_judged() -> None:
    deployment = Deployment("events-proxy", URL)
    assert not deployment.is_judged
    assert describe(deployment)["events-proxy"] == "embedded"


@pytest.mark.parametrize(
    ("deployment", "slug"),
    [
        (Deployment("directory-errors-listener", "ports", ports={"queue": 9001}), "no-ports"),
        (Deployment("events-proxy", "ports", ports={"events_api": 9001}), "no-url"),
    ],
)
def test_a_service_must_be_told_all_addresses(deployment: Deployment, slug: str) -> None:
    with pytest.raises(TargetError, match=slug):
        describe(deployment)


def test_a_started_service_is_told_all_addresses() -> None:
    deployment = Deployment("events-proxy", "program:/home/me/service", start=COMMAND)
    assert describe(deployment)["events-proxy"] == "command service"


@pytest.mark.parametrize(
    ("name", "members", "listed"),
    [
        ("events-proxy", 'adapter = "python:ours:Adapter"\nvalues = { active = ["ok"] }', "adapter, values"),
        ("subscribers-postponed", 'adapter = "python:ours:Adapter"', "adapter"),
        ("go-sender", 'judge = { protocols = ["legacy"], promises = ["waits"] }', "judge.promises"),
        ("directory-responses", 'judge = { promises = ["waits"] }', "judge.promises"),
    ],
)
def test_a_wire_of_its_own_is_refused_with_what_to_write(
    tmp_path: Path, name: str, members: str, listed: str
) -> None:
    file = tmp_path / "targets.toml"
    file.write_text(f'[environments.e.services.{name}]\nurl = "{URL}"\n{members}\n', encoding="utf-8")
    with pytest.raises(TargetError) as caught:
        read_targets_file(file, "e")
    assert str(caught.value).startswith(f"no-adapter-there: {name!r}: {listed} cannot be used here; allowed")
    assert f"docs/openapi/{name}.json" in caught.value.next_step


@contextlib.contextmanager
def surround(name: str, ports: dict[str, int]) -> Iterator[Surroundings]:
    names = tuple(SURROUNDINGS[name])
    with run_surroundings(create_peer(name), names, ports, lambda: None, Wire()) as surroundings:
        yield surroundings


@pytest.mark.parametrize(
    "name", ["directory-messages", "events-proxy", "directory-errors-listener", "subscribers-postponed"]
)
def test_the_surroundings_listen_where_the_targets_file_says(name: str) -> None:
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server((HOST, 0))) for _ in list_parts(name)]
        ports = [server.getsockname()[1] for server in servers]
    with surround(name, dict(zip(list_parts(name), ports, strict=True))) as surroundings:
        assert surroundings.addresses.keys() == set(SURROUNDINGS[name])
        assert all(
            any(f":{port}" in address for port in ports) for address in surroundings.addresses.values()
        )


def test_a_port_in_use_is_named() -> None:
    with socket.create_server((HOST, 0)) as server:
        ports = {"events_api": server.getsockname()[1]}
        with (
            pytest.raises(PlatformError, match=r"port-in-use: .*events_api cannot listen"),
            surround("events-proxy", ports),
        ):
            pass


def test_messages_are_hidden_for_a_short_time_only() -> None:
    single = {"QueueUrl": "q", "VisibilityTimeout": 60}
    assert json.loads(shorten_visibility(json.dumps(single).encode())) == {**single, "VisibilityTimeout": 2}
    many = {"Entries": [{"VisibilityTimeout": 60}, {"VisibilityTimeout": 1}]}
    shortened = json.loads(shorten_visibility(json.dumps(many).encode()))
    assert shortened == {"Entries": [{"VisibilityTimeout": 2}, {"VisibilityTimeout": 1}]}
    form = b"Action=ReceiveMessage&VisibilityTimeout=%d&WaitTimeSeconds=1"
    assert [shorten_visibility(form % seconds) for seconds in (60, 1)] == [form % 2, form % 1]
