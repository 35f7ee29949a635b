"""Connections to a deployment are renewed, and all of its instances must tell the same version."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from fixtures.core.loopback_server import LoopbackHandler
from fixtures.core.topology import FLOW
from fixtures.targets.client import Unreachable, WrongVersion
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import connect_target, describe_targets
from fixtures.targets.provisioning.inventory import Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.target import Target
from suites.selfcheck.http_double import ServerDouble, serve_responses

NAME = "directory-responses"
NEW, OLD = {"version": "1.66.4.1"}, {"version": "1.64.2.1"}
VERSION, OTHER = "/_pact/version", "/v1/responses/x"


@contextlib.contextmanager
def serve_versions(answers: Iterable[Any]) -> Iterator[ServerDouble]:
    """Answer each question for the version with the next answer, and set a cookie each time."""
    remaining = iter(answers)

    def write_response(request: LoopbackHandler, _body: bytes) -> None:
        body = next(remaining) if request.path == VERSION else {}
        status = 404 if body is None else 200
        request.respond(
            status, {"Content-Type": "application/json", "Set-Cookie": "instance=7"}, encode(body)
        )

    with serve_responses(write_response) as double:
        yield double


def encode(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@contextlib.contextmanager
def connected(double: ServerDouble, **members: Any) -> Iterator[Target]:
    deployment = Deployment(NAME, double.url, requests_per_connection=3, **members)
    with contextlib.closing(connect_target(deployment, RateLimiter())) as target:
        yield target


def test_each_new_connection_begins_with_the_version() -> None:
    with serve_versions([NEW] * 3) as double, connected(double) as target:
        for _ in range(5):
            target.request("GET", OTHER)
    assert [path for _, path, _, _ in double.requests] == [*[VERSION, OTHER, OTHER] * 2, VERSION, OTHER]
    closing = [headers.get("connection") == "close" for _, _, headers, _ in double.requests]
    assert closing == [*[False, False, True] * 2, False, False]
    assert double.connections == 3


def test_a_connection_is_renewed_at_once_if_a_test_asks_for_it() -> None:
    with serve_versions([NEW] * 4) as double, connected(double) as target:
        target.renew_connection()
        target.renew_connection()  # the new one is not open yet
        target.request("GET", OTHER)
    assert [path for _, path, _, _ in double.requests] == [VERSION, VERSION, VERSION, OTHER]
    assert double.connections == 2


def test_no_cookie_leads_back_to_the_same_instance() -> None:
    with serve_versions([NEW] * 3) as double, connected(double) as target:
        target.request("GET", OTHER)
    assert not any("cookie" in headers for _, _, headers, _ in double.requests)


@pytest.mark.parametrize(
    ("answers", "members", "told"),
    [
        ([NEW, {"version": "2"}], {}, "2"),
        ([NEW, None], {}, "unstated"),
        ([None, NEW], {}, "1.66.4.1"),
        ([None], {"version": "1.66.4.1"}, "unstated"),
        ([OLD], {"version": "1.66.4.1"}, "1.64.2.1"),
        ([NEW, {"version": ["1.66.4.1"]}], {}, "unstated"),
        ([NEW, {"version": "9" * 1_000_000}], {}, "unstated"),
    ],
    ids=["another", "no longer", "suddenly", "never", "old", "list", "huge"],
)
def test_another_version_is_refused_by_name(answers: list[Any], members: dict[str, Any], told: str) -> None:
    with (
        serve_versions(answers) as double,
        pytest.raises(WrongVersion, match=rf"wrong-version: {NAME} at .* tells version {told}, and"),
        connected(double, **members) as target,
    ):
        target.check_version()


@pytest.mark.parametrize("body", [b'{"a":' * 900 + b"1" + b"}" * 900, b"<html>"], ids=["deep", "page"])
def test_a_version_that_cannot_be_read_is_refused(body: bytes) -> None:
    with (
        serve_versions([body]) as double,
        pytest.raises(WrongVersion, match=f"{NAME} at .* it tells its version in no JSON"),
        connected(double),
    ):
        pass


def test_after_another_version_every_request_fails() -> None:
    with serve_versions([NEW, OLD]) as double, connected(double) as target:
        target.request("GET", OTHER)
        target.request("GET", OTHER)
        for _ in range(2):
            with pytest.raises(Unreachable, match="wrong-version"):
                target.request("GET", OTHER)
        target.check_version()  # the error is known
        assert len(double.requests) == 4


def test_the_version_before_the_release_is_not_judged() -> None:
    with serve_versions([OLD, NEW]) as double:
        deployed = {NAME: Deployment(NAME, double.url)}
        with pytest.raises(WrongVersion, match="the one before the release"):
            describe_targets(deployed, RateLimiter(), Inventory())
        descriptions = describe_targets(deployed, RateLimiter(), Inventory())
    assert descriptions[NAME]["version"] == "1.66.4.1"
    assert descriptions.keys() == set(FLOW)
