"""What only the contract suites need: the consumers, with connections that last for a module."""

import contextlib
import functools
from collections.abc import Callable, Iterator

import pytest

from fixtures.contracts import Interaction
from fixtures.contracts.consumer import consumer_of
from fixtures.outcome import Answer
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
