"""Pact Brokers for tests: stand-ins that hold the pacts of the release, and ./ci/broker as a user runs it."""

from __future__ import annotations

import base64
import contextlib
import copy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fixtures.contracts.broker.config import PASSWORD, TOKEN, URL, USERNAME
from fixtures.contracts.pact.model import read_pact
from fixtures.core.project import ROOT
from fixtures.core.topology import EDGES, EMULATED_SERVICES, get_version_number
from suites.selfcheck.contracts.stub_broker.server import Served, serving
from suites.selfcheck.contracts.stub_broker.storage import Memory, Pact

CANARY = "c4naryBrokerAbcdefghijklmnopqrstuvwxyz0123456789"
SHARED = [edge for edge in EDGES if edge.provider not in EMULATED_SERVICES]


def pact_of(consumer: str, provider: str, version: str) -> Pact:
    """A committed pact, as its consumer publishes it."""
    edge = next(one for one in SHARED if (one.consumer, one.provider) == (consumer, provider))
    return Pact(consumer, get_version_number(consumer, version), provider, read_pact(edge, version))


def release_memory(*, deployed: bool = True, version: str = "before") -> Memory:
    """A broker with the pacts of a version of all services, which are deployed to production."""
    memory = Memory()
    for edge in SHARED:
        pact = pact_of(edge.consumer, edge.provider, version)
        memory.have_version(pact.consumer, pact.version, "main")
        memory.publish(pact)
        if deployed:
            memory.deploy(pact.consumer, pact.version, "production")
    return memory


def broken(pact: Pact, number: str) -> Pact:
    """A pact of another version that nobody can honour: it wants a status that nobody gives."""
    return _changed(pact, number, lambda interaction: interaction["response"].update(status=299))


def in_another_state(pact: Pact, number: str) -> Pact:
    """A pact of another version in a state that the provider does not know."""
    state = {"name": "the moon is full"}
    return _changed(pact, number, lambda interaction: interaction.update(providerStates=[state]))


def _changed(pact: Pact, number: str, change: Callable[[dict[str, Any]], None]) -> Pact:
    content: dict[str, Any] = copy.deepcopy(dict(pact.content))
    for interaction in content["interactions"]:
        change(interaction)
    return Pact(pact.consumer, number, pact.provider, content)


@contextlib.contextmanager
def a_broker(memory: Memory | None = None, **members: Any) -> Iterator[Served]:
    """A stand-in that lets in who has the canary."""
    with serving(Served(memory or Memory(), token=CANARY, **members)) as served:
        yield served


def run(module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with these variables and no others of Pact's."""
    others = {name: text for name, text in os.environ.items() if not name.startswith("PACT_")}
    return subprocess.run(  # noqa: S603  our own, no shell
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**others, "PACT_DO_NOT_TRACK": "true", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def broker(served: Served | str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ./ci/broker against a stand-in, or a URL; nothing of the credentials may come out."""
    url = served if isinstance(served, str) else served.url
    ran = run("ci.commands.broker", *arguments, **variables_of(url, variables))
    assert not leaks(ran.stdout + ran.stderr), "a secret came out"
    return ran


def variables_of(url: str, others: Mapping[str, str]) -> dict[str, str]:
    """What names a broker, and the canary as its token if nobody else is named."""
    who = {TOKEN: CANARY} if not {USERNAME, TOKEN} & others.keys() else {}
    return {URL: url, **who, **others}


def leaks(text: str) -> bool:
    """Whether the canary is in a text, in clear or as basic authentication has it."""
    basic = base64.b64encode(f"me:{CANARY}".encode()).decode()
    return CANARY in text or basic in text


BASIC = {USERNAME: "me", PASSWORD: CANARY}
