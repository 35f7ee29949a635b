"""A reference service says which service and which version of it it is, as the release names it."""

import pytest

from fixtures.core.topology import get_version_number
from fixtures.services import NAMES, VERSIONS, load


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", NAMES)
def test_a_service_names_itself_as_the_release_does(name: str, version: str) -> None:
    service = load(name, version)
    assert (service.name, service.version, service.number) == (
        name,
        version,
        get_version_number(name, version),
    )
