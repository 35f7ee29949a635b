"""What the suites of the rollout share: the release, judged once and then forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import catalogue
from fixtures.release.order import (
    analysis as answer,
)
from fixtures.release.order import (
    end_to_end_runs as endtoend,
)
from fixtures.release.order import (
    files,
)
from fixtures.release.order import (
    pairwise as pairs,
)
from fixtures.release.order import (
    release_file as release,
)
from fixtures.release.order.analysis import Judged
from fixtures.release.order.end_to_end_runs import Fates
from fixtures.release.order.pairwise import Table
from fixtures.release.order.release_file import Release
from suites.plugins.options import get_run_config


@pytest.fixture(scope="package")
def planned() -> Release:
    """The release of this platform."""
    return release.read()


@pytest.fixture(scope="package")
def table(planned: Release) -> Table:
    """What each version of each service does with what the others write."""
    return pairs.of_references(planned, catalogue.load_catalogue())


@pytest.fixture(scope="package")
def fates() -> Fates:
    """What becomes of pushes on every way through the services."""
    return endtoend.judge()


@pytest.fixture(scope="package")
def judged(planned: Release, table: Table, fates: Fates) -> Judged:
    """The release, judged in every state by both judges."""
    return answer.judge(planned, table, fates)


@pytest.fixture(scope="package")
def answered(judged: Judged, pytestconfig: pytest.Config) -> Mapping[str, Any]:
    """The answer, which is also written beside the ledger, with its pictures."""
    found = answer.answer(judged)
    files.write(Path(get_run_config(pytestconfig).ledger).parent / "rollout", judged, found)
    return found
