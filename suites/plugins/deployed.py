"""Which deployments a run is about, and where its requests to them are counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixtures.targets import config as deployments
from fixtures.targets.config import Deployment


def spent_of(config: pytest.Config) -> Path:
    """Where requests are counted; xdist's workers, which see the command line only, find the same place."""
    option = config.option
    return Path(option.spent) if option.spent else Path(option.ledger).with_suffix(".spent")


def deployed_of(config: pytest.Config) -> dict[str, Deployment]:
    """The deployments that the command line names."""
    option = config.option
    may_test = deployments.owned(option.i_own, os.environ)
    return deployments.chosen(option.target, option.targets, option.environment, may_test)
