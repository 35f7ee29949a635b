"""Replay: what FCM really answered, in the project's corpus and in the files of --replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.core.topology import PROVIDERS
from fixtures.generation import recordings
from fixtures.generation.recordings import CORPUS
from suites.plugins.options import get_run_config
from suites.plugins.options import get_run_config
from suites.types import TrialOf

pytestmark = pytest.mark.catches(promise="replay")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each file at each provider, by the file's name."""
    files = [CORPUS, *map(Path, get_run_config(metafunc.config).replay)]
    pairs = [(name, file) for file in files for name in PROVIDERS]
    metafunc.parametrize(("provider", "file"), pairs, ids=[f"{name}-{file.name}" for name, file in pairs])


def test_replay(trial_of: TrialOf, provider: str, file: Path) -> None:
    trial_of(provider).assert_all_handled(recordings.read_shareable_answers(file))
