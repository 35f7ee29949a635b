"""A command line names the catalogue and the pacts of deployments, and the release file of a run."""

import argparse
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci.support.deployments import select_deployments, use_release
from ci.support.provenance import describe_provenance
from fixtures.contracts.pact.model import PACTS
from fixtures.core import topology
from fixtures.core.catalogue import CATALOGUE_FILE
from fixtures.core.errors import UserError
from fixtures.core.run_config import RunConfig
from fixtures.core.topology import RELEASE_FILE, RELEASE_VARIABLE, get_version_number
from fixtures.targets.selection import resolve_deployments

SERVICE, CONSUMER = "subscribers-errors", "directory-errors-listener"
TARGET = f"{SERVICE}=http://127.0.0.1:1"
PACT = PACTS / "after" / f"{CONSUMER}-{SERVICE}.json"
OTHER = PACTS / "after" / "events-proxy-directory-events-api.json"


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """A folder with a pact of the service, and one of another."""
    (tmp_path / "contracts" / "listener").mkdir(parents=True)
    shutil.copy(PACT, tmp_path / "contracts" / "listener")
    shutil.copy(OTHER, tmp_path / "contracts")
    return tmp_path / "contracts"


@pytest.fixture
def own_release() -> Iterator[None]:
    """The release file of the process as it is, again at the end."""
    before = os.environ.get(RELEASE_VARIABLE, "")
    yield
    topology.use_release(before)


def test_a_deployment_is_judged_by_the_catalogue_of_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    shutil.copy(CATALOGUE_FILE, file)
    deployments = resolve_deployments([TARGET], None, None, [], catalogue=str(file))
    assert deployments[SERVICE].catalogue == file
    data = json.loads(file.read_text(encoding="utf-8"))
    file = tmp_path / "fewer.json"
    file.write_text(json.dumps({**data, "cases": data["cases"][:-1]}), encoding="utf-8")
    with pytest.raises(UserError, match="catalogue-other-case"):
        resolve_deployments([TARGET], None, None, [], catalogue=str(file))


def test_a_deployment_must_keep_the_pacts_of_a_folder_that_are_its_own(contracts: Path) -> None:
    deployments = resolve_deployments([TARGET], None, None, [], pacts=str(contracts))
    own_pacts = deployments[SERVICE].own_pacts
    assert own_pacts
    assert [(pact.consumer, pact.source) for pact in own_pacts.files] == [(CONSUMER, f"listener/{PACT.name}")]
    assert deployments[SERVICE].suite_pacts is False


def test_a_folder_takes_the_place_of_the_pacts_of_the_targets_file(tmp_path: Path, contracts: Path) -> None:
    shutil.copy(PACT, tmp_path / "old.json")
    row = f'[environments.e.services.{SERVICE}]\nurl = "http://127.0.0.1:1"\npacts = ["old.json"]\n'
    (tmp_path / "targets.toml").write_text(row, encoding="utf-8")
    file = str(tmp_path / "targets.toml")
    sources = [
        [pact.source for pact in own_pacts.files]
        for pacts in ("", str(contracts))
        if (own_pacts := resolve_deployments([], file, None, [], pacts=pacts)[SERVICE].own_pacts)
    ]
    assert sources == [["old.json"], [f"listener/{PACT.name}"]]


@pytest.mark.parametrize(("text", "slug"), [("", "no-pact-file"), ("{", "not-a-pact"), ("{}", "not-a-pact")])
def test_a_folder_without_a_pact_of_a_deployment_is_refused(tmp_path: Path, text: str, slug: str) -> None:
    if text:
        (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=slug):
        resolve_deployments([TARGET], None, None, [], pacts=str(tmp_path))


@pytest.mark.parametrize("name", ["catalogue", "pacts"])
def test_a_file_about_deployments_without_one_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="no-deployment"):
        select_deployments(argparse.Namespace(**{name: "x"}))


@pytest.mark.usefixtures("own_release")
def test_the_release_file_of_a_run_says_the_versions(tmp_path: Path) -> None:
    file, number = tmp_path / "release.toml", get_version_number(SERVICE, "after")
    text = RELEASE_FILE.read_text(encoding="utf-8")
    file.write_text(text.replace(f'"{number}"', '"9.9"'), encoding="utf-8")
    use_release(argparse.Namespace(release=str(file)))
    assert get_version_number(SERVICE, "after") == "9.9"
    topology.use_release("")
    assert get_version_number(SERVICE, "after") == number


@pytest.mark.usefixtures("own_release")
def test_a_release_of_other_services_is_refused() -> None:
    file = RELEASE_FILE.parent / "examples" / "orders.toml"
    with pytest.raises(UserError, match=r"release-without-service: .*: it lacks directory-errors-listener"):
        use_release(argparse.Namespace(release=str(file)))


def test_provenance_names_the_files_of_the_user(contracts: Path) -> None:
    file = contracts / OTHER.name
    config = RunConfig(policy=str(file), release=str(file), catalogue=str(file), pacts=str(contracts))
    about = describe_provenance(config, file)
    shipped = describe_provenance(RunConfig())
    for name in ("policy", "release", "own catalogue", "settings"):
        assert about[name].endswith(f" {OTHER.name}"), name
    assert about["own pacts"].endswith(" contracts")
    assert (about["catalogue"], about["pacts"]) == (shipped["catalogue"], shipped["pacts"])
