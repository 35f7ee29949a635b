"""The release of this platform, analysed once for all tests of the rollout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.release.order import analysis, end_to_end_runs, presentation, release_file, service_probe
from fixtures.release.order.analysis import Analysis
from fixtures.release.order.end_to_end_runs import PathRuns
from fixtures.release.order.pairwise_model import PairTable
from fixtures.release.order.release_file import Release
from suites.plugins.options import get_run_config


@pytest.fixture(scope="package")
def planned() -> Release:
    return release_file.read_release()


@pytest.fixture(scope="package")
def table(planned: Release) -> PairTable:
    return service_probe.judge_reference_pairs(planned, load_catalogue())


@pytest.fixture(scope="package")
def path_runs() -> PathRuns:
    return end_to_end_runs.run_all_paths()


@pytest.fixture(scope="package")
def analysed(planned: Release, table: PairTable, path_runs: PathRuns) -> Analysis:
    """The release, judged in every state by both models."""
    return analysis.analyse_release(planned, table, path_runs)


@pytest.fixture(scope="package")
def answer(analysed: Analysis, pytestconfig: pytest.Config) -> Mapping[str, Any]:
    """The answer, which is also written beside the ledger, with its pictures."""
    result = analysis.build_answer(analysed)
    presentation.write_files(Path(get_run_config(pytestconfig).ledger).parent / "rollout", analysed, result)
    return result
