"""What only the contract suites need: the consumers, with connections that last for a module."""

import contextlib
import fcntl
import functools
import subprocess
from collections.abc import Callable, Iterator

import pytest

from fixtures.contracts import Interaction
from fixtures.contracts.consumer import consumer_of
from fixtures.outcome import Answer
from fixtures.targets import ROOT
from fixtures.topology import PROVIDERS

Read = Callable[[Interaction], Answer]


@pytest.fixture(scope="module")
def reading_from() -> Iterator[Callable[[str], Read]]:
    """The consumer of a provider, as a function that makes a declared request of Pact's mock provider."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def of(provider: str) -> Read:
            return stack.enter_context(consumer_of(PROVIDERS[provider]))

        yield of


@pytest.fixture(scope="session")
def clients() -> None:
    """The programs of others, set up on demand; only once, though several workers may want them."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "clients.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(  # noqa: S603  our own script
            [str(ROOT / "ci" / "setup-clients.sh")], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr[-2000:]
