"""What the suites of the rollout share: the release, judged once for each process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures import catalogue
from fixtures.rollout import answer, endtoend, pairs, pictures, release, words
from fixtures.rollout.answer import Judged
from fixtures.rollout.endtoend import Fates
from fixtures.rollout.pairs import Table
from fixtures.rollout.release import Release


@pytest.fixture(scope="session")
def planned() -> Release:
    """The release of this platform."""
    return release.read()


@pytest.fixture(scope="session")
def table(planned: Release) -> Table:
    """What each version of each service does with what the others write."""
    return pairs.of_references(planned, catalogue.load())


@pytest.fixture(scope="session")
def fates() -> Fates:
    """What becomes of pushes on every way through the services."""
    return endtoend.judge()


@pytest.fixture(scope="session")
def judged(planned: Release, table: Table, fates: Fates) -> Judged:
    """The release, judged in every state by both judges."""
    return answer.judge(planned, table, fates)


@pytest.fixture(scope="session")
def answered(judged: Judged, pytestconfig: pytest.Config) -> Mapping[str, Any]:
    """The answer, which is also written beside the ledger, with its pictures."""
    found = answer.answer(judged)
    folder = Path(pytestconfig.option.ledger).parent / "rollout"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rollout.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (folder / "update-map.md").write_text(words.page(found), encoding="utf-8")
    for name, picture in pictures.all_of(judged, found).items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    return found
