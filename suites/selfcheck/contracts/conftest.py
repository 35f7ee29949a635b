"""Run ./ci/broker as a user does, against stubs that hold the pacts of the release."""

import base64
import contextlib
import copy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import pytest

from ci.support import broker_question
from fixtures.contracts.broker.can_i_deploy import SHARED_EDGES
from fixtures.contracts.broker.client import PASSWORD, TOKEN, URL, USERNAME
from fixtures.contracts.pact.model import read_pact
from fixtures.core.project import ROOT
from fixtures.core.topology import find_edge, get_version_number
from suites.selfcheck.contracts.stub_broker.server import StubBroker, serve
from suites.selfcheck.contracts.stub_broker.storage import BrokerStore, StoredPact
from suites.types import RunCommand

RunHere: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]

CANARY = "c4naryBrokerAbcdefghijklmnopqrstuvwxyz0123456789"
BASIC = {USERNAME: "me", PASSWORD: CANARY}


def committed_pact(consumer: str, provider: str, version: str) -> StoredPact:
    content = read_pact(find_edge(consumer, provider), version)
    return StoredPact(consumer, get_version_number(consumer, version), provider, content)


def release_store(*, deployed: bool = True, version: str = "before") -> BrokerStore:
    """A store with the pacts of all services in one version, which are deployed to production."""
    store = BrokerStore()
    for edge in SHARED_EDGES:
        pact = committed_pact(edge.consumer, edge.provider, version)
        store.publish(pact, "main")
        if deployed:
            store.deploy(pact.consumer, pact.version, "production")
    return store


def change_pact(pact: StoredPact, number: str, change: Callable[[dict[str, Any]], None]) -> StoredPact:
    """The pact of another version, with each interaction changed."""
    content: dict[str, Any] = copy.deepcopy(dict(pact.content))
    for interaction in content["interactions"]:
        change(interaction)
    return StoredPact(pact.consumer, number, pact.provider, content)


def broken_pact(pact: StoredPact, number: str) -> StoredPact:
    """A pact that no provider honours: it expects the status 299."""
    return change_pact(pact, number, lambda interaction: interaction["response"].update(status=299))


@contextlib.contextmanager
def serve_stub(store: BrokerStore | None = None, **members: Any) -> Iterator[StubBroker]:
    """Serve a stub whose token is the canary."""
    with serve(StubBroker(store or BrokerStore(), token=CANARY, **members)) as stub:
        yield stub


def run_module(module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with these of Pact's variables, and no others of them."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PACT_")}
    return subprocess.run(  # noqa: S603  our own, no shell
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**environment, "PACT_DO_NOT_TRACK": "true", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def run_broker(url: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ./ci/broker in a process. Its output must not contain the canary."""
    result = run_module("ci.commands", "broker", *arguments, **broker_variables(url, variables))
    assert not leaks(result.stdout + result.stderr), "a secret came out"
    return result


def broker_variables(url: str, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a broker; without other credentials, the token is the canary."""
    credentials = {} if {USERNAME, TOKEN} & variables.keys() else {TOKEN: CANARY}
    return {URL: url, **credentials, **variables}


def leaks(text: str) -> bool:
    """Whether a text contains the canary, in clear or as basic authentication encodes it."""
    basic = base64.b64encode(f"me:{CANARY}".encode()).decode()
    return CANARY in text or basic in text


@pytest.fixture(scope="session", autouse=True)
def installed_pact_cli() -> None:
    """Install Pact's command line first: its installation would print a line among those of ./ci/broker."""
    broker_question.install_pact_cli()


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, run_command: RunCommand) -> RunHere:
    """Run ./ci/broker in this process, which is faster. Its output must not contain the canary."""

    def run_in_process(url: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        for name in (URL, TOKEN, *BASIC):
            monkeypatch.delenv(name, raising=False)
        for name, text in broker_variables(url, variables).items():
            monkeypatch.setenv(name, text)
        result = run_command("broker", *arguments)
        assert not leaks(result.stdout + result.stderr), "a secret came out"
        return result

    return run_in_process
