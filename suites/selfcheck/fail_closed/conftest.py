"""A project copy, right services behind the faults, and the gate that runs a fault."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fixtures.targets.embedded import embedded_targets
from suites.selfcheck.fail_closed.sandbox import (
    KEEPER,
    REACTOR,
    GateFault,
    Scene,
    create_project,
    find_mistake,
    run_fault,
)


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project in which nothing is wrong."""
    return create_project(tmp_path_factory.mktemp("project") / "project")


@pytest.fixture(scope="package")
def service_urls() -> Iterator[Mapping[str, str]]:
    with embedded_targets([REACTOR, KEEPER], "after") as targets:
        yield {name: target.url for name, target in targets.items()}


@pytest.fixture
def scene(project: Path, service_urls: Mapping[str, str], tmp_path: Path) -> Scene:
    return Scene(project, tmp_path / "build", service_urls)


@pytest.fixture
def own_scene(project: Path, service_urls: Mapping[str, str], tmp_path: Path) -> Scene:
    """A scene whose project copy a fault may change."""
    shutil.copytree(project, tmp_path / "project", symlinks=True)
    return Scene(tmp_path / "project", tmp_path / "build", service_urls)


@pytest.fixture
def mistake_with() -> Callable[[GateFault, Scene], str]:
    """Runs the gate with a fault, and returns what it did wrong; empty if nothing."""
    return lambda fault, scene: find_mistake(fault, run_fault(fault, scene))
