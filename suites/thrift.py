"""What the end of a run is spared."""

from __future__ import annotations

import gc

import pytest


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Let the interpreter end without a look at every object: pytest has just looked what nobody closed."""
    gc.freeze()
