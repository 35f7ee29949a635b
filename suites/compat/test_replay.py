"""Recorded answers of FCM, in the project's corpus and in --replay files, end as the catalogue says."""

from pathlib import Path

import pytest

from fixtures.core.topology import PROVIDERS
from fixtures.generation import recordings
from fixtures.generation.recordings import CORPUS
from suites.plugins.options import get_run_config
from suites.types import ScenarioOf

pytestmark = pytest.mark.catches(promise="replay")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    files = [CORPUS, *map(Path, get_run_config(metafunc.config).replay)]
    pairs = [(name, file) for file in files for name in PROVIDERS]
    metafunc.parametrize(("provider", "file"), pairs, ids=[f"{name}-{file.name}" for name, file in pairs])


def test_replay(scenario_of: ScenarioOf, provider: str, file: Path) -> None:
    scenario_of(provider).assert_all_handled(recordings.read_shareable_answers(file))
