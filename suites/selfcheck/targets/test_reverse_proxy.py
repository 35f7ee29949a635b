"""The URL that Pact's Verifier gets serves the Verifier alone, and leads to no subscriber of others."""

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixtures.contracts.pact.verification import VerifierProcess, verify_pact
from fixtures.core.foreign_subscribers import list_foreign_subscribers
from fixtures.core.payloads import IdFactory
from fixtures.targets.client import TargetClient, Unreachable
from fixtures.targets.config import Credentials, Deployment
from fixtures.targets.deployed import connect_deployment
from fixtures.targets.embedded import embedded_client
from fixtures.targets.provisioning.provisioners import PROVIDER_STATES_PATH
from fixtures.targets.reverse_proxy import reverse_proxy
from suites.selfcheck.http_double import ServerDouble, serve_answers

FOREIGN_ID = "2f1c5e0a-7b9d-4c3e-8f6a-1d2b3c4d5e6f"
HEX = FOREIGN_ID.replace("-", "")
ESCAPED_ID = "".join(f"\\u{ord(character):04x}" for character in FOREIGN_ID)
PACT = {
    "consumer": {"name": "shop"},
    "provider": {"name": "ledger"},
    "interactions": [
        {
            "description": "a look",
            "providerStates": [{"name": "reachable"}],
            "request": {"method": "GET", "path": "/v1/things", "query": {"id": ["1"]}},
            "response": {"status": 200},
        }
    ],
    "metadata": {"pactSpecification": {"version": "3.0.0"}},
}


@contextlib.contextmanager
def deployment_with_bearer(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ServerDouble, TargetClient]]:
    monkeypatch.setenv("TOKEN_OF_TEST", "bearer-of-the-run-1f3a")
    with serve_answers() as double:
        credentials = Credentials(bearer_env="TOKEN_OF_TEST")
        client = connect_deployment(Deployment("subscribers-errors", double.url, credentials=credentials))
        with contextlib.closing(client):
            yield double, client


STRANGERS = {
    "no secret": lambda _: "/v1/subscribers",
    "states": lambda _: "/_pact/provider-states",
    "another secret": lambda secret: f"/{'x' * (len(secret) - 1)}/v1/subscribers",
    "half the secret": lambda secret: f"{secret[:20]}/v1/subscribers",
    "the secret alone": lambda secret: secret,
    "an authority behind the secret": lambda secret: f"{secret}@127.0.0.1:1/v1/subscribers",
    "no text of ASCII": lambda secret: f"/{'é' * len(secret)}/v1",
}


@pytest.mark.parametrize("make_path", STRANGERS.values(), ids=STRANGERS)
def test_a_stranger_on_this_machine_gets_nothing(make_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with deployment_with_bearer(monkeypatch) as (double, client), reverse_proxy(client) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            request = f"POST {make_path(parts.path)} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(request.encode())
            assert connection.recv(12) == b"HTTP/1.1 404"
    assert double.requests == []


@pytest.mark.process
def test_the_verifier_alone_knows_the_secret_and_takes_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    process = VerifierProcess(plain_http=True)
    with serve_answers() as proxy, contextlib.closing(process):
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        monkeypatch.setenv("NO_PROXY", "elsewhere.example")
        with deployment_with_bearer(monkeypatch) as (double, client), reverse_proxy(client) as url:
            verification = verify_pact(process, json.dumps(PACT), url, states=True)
    assert (verification.verified, verification.problems) == (("a look",), ())
    paths = [path for _, path, _, _ in double.requests]
    assert paths == ["/_pact/provider-states", "/v1/things?id=1", "/_pact/provider-states"]
    assert proxy.requests == []


BODIES: Mapping[str, str] = {
    "plain": f'{{"errors": [{{"subscriber_id": "{FOREIGN_ID}"}}]}}',
    "escaped underscore": f'{{"subscriber\\u005fid": "{FOREIGN_ID}"}}',
    "escaped letters": f'{{"\\u0073ubscriber_i\\u0064": "{FOREIGN_ID}"}}',
    "escaped value": f'{{"subscriber_id": "{ESCAPED_ID}"}}',
    "upper case": f'{{"SUBSCRIBER_ID": "{FOREIGN_ID.upper()}"}}',
    "as Go folds it": f'{{"\u017fubscriber_id": "{FOREIGN_ID}"}}',
    "no hyphens": f'{{"subscriber_id": "{HEX}"}}',
    "braces": f'{{"subscriber_id": "{{{FOREIGN_ID}}}"}}',
    "urn": f'{{"subscriber_id": "urn:uuid:{FOREIGN_ID}"}}',
    "spaces": f'{{"subscriber_id"\n:\t" {FOREIGN_ID} "}}',
    "in a list": f'{{"subscriber_id": ["{FOREIGN_ID}"]}}',
    "hidden by a twin": f'{{"subscriber_id": "{FOREIGN_ID}", "subscriber_id": "x"}}',
    "a second twin": f'{{"subscriber_id": "x", "subscriber_id": "{FOREIGN_ID}"}}',
    "cut": f'{{"errors": [{{"subscriber_id": "{FOREIGN_ID}"}}, {{',
    "cut and escaped": f'{{"errors": [{{"subscriber\\u005fid": "{ESCAPED_ID}"}}, {{',
    "cut, upper case, no hyphens": f'[{{"Subscriber_Id" : "{HEX.upper()}"',
    "nested too deep": f'{"[" * 100_000}{{"subscriber_id": "{FOREIGN_ID}"}}',
    "a form": f"subscriber_id={FOREIGN_ID}",
    "a percent-encoded form": f"a=1&subscriber%5Fid={FOREIGN_ID}",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_foreign_subscriber_is_found_in_any_spelling(body: str) -> None:
    own_id = IdFactory().next()[2]
    assert list_foreign_subscribers("POST", "/v1/errors", body.encode())
    for foreign, own in ((FOREIGN_ID, own_id), (HEX, own_id.replace("-", ""))):
        body = body.replace(foreign, own).replace(foreign.upper(), own.upper())
    body = body.replace(ESCAPED_ID, own_id)
    assert list_foreign_subscribers("POST", "/v1/errors", body.encode()) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_foreign_subscriber_is_found_in_any_encoding_of_json(encoding: str) -> None:
    assert list_foreign_subscribers("POST", "/", BODIES["plain"].encode(encoding)) == [FOREIGN_ID]


def test_the_path_of_a_change_names_no_foreign_subscriber() -> None:
    own_id = IdFactory().next()[2]
    for path in (FOREIGN_ID, FOREIGN_ID.upper(), HEX, FOREIGN_ID.replace("-", "%2D")):
        assert list_foreign_subscribers("PUT", f"/v1/postponed/{path}", b"")
    assert list_foreign_subscribers("PUT", f"/v1/postponed/{own_id}", b"") == []
    assert list_foreign_subscribers("GET", f"/v1/postponed/{FOREIGN_ID}", b"") == []


@contextlib.contextmanager
def connect_through_proxy(
    status: int, body: bytes, failures: list[Exception] | None = None
) -> Iterator[TargetClient]:
    """A client of the proxy of a deployment that answers each request so."""
    with (
        serve_answers(lambda *_: (status, {"Content-Type": "application/json"}, body)) as double,
        contextlib.closing(connect_deployment(Deployment("subscribers-errors", double.url))) as client,
        reverse_proxy(client, failures=failures) as url,
        contextlib.closing(embedded_client("reader", url)) as reader,
    ):
        yield reader


@pytest.mark.parametrize(
    "body", [b"[" * 900 + b"]" * 900, b'{"a":' * 300 + b"1" + b"}" * 300, b"[" + b"1," * 60_000 + b"1]"]
)
def test_an_answer_that_is_too_large_is_no_answer(body: bytes) -> None:
    failures: list[Exception] = []
    with (
        connect_through_proxy(200, body, failures) as reader,
        pytest.raises(Unreachable),
    ):
        reader.send("GET", "/v1/subscribers?id=a")
    (failure,) = failures
    assert "unreachable-target: subscribers-errors" in str(failure)
    assert "nested" in str(failure)


def test_an_unreadable_answer_is_passed_on() -> None:
    with connect_through_proxy(200, b"[1,") as reader:
        assert reader.send("GET", "/v1/subscribers?id=a").content == b"[1,"


def test_a_state_change_that_ends_in_a_server_error_is_not_repeated_by_the_verifier() -> None:
    """It repeats 5xx for minutes, and takes 4xx as it is."""
    with connect_through_proxy(500, b"{}") as reader:
        change = b'{"state": "subscribers exist", "params": {"subscribers": []}}'
        assert reader.send("POST", PROVIDER_STATES_PATH, change).status == 422
