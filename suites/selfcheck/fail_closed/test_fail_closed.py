"""The gate fails closed: whatever goes wrong around a run, it is never a *go*, and the reason is told."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fixtures.core.project import ROOT
from fixtures.targets.embedded import embedded_targets
from suites.selfcheck.fail_closed import broken_from_start, network_faults
from suites.selfcheck.fail_closed.fault_proxy import spoiled
from suites.selfcheck.fail_closed.model import KEEPER, REACTOR, Fault, Scene, Setting
from suites.selfcheck.fail_closed.sandbox import amiss, built, gate, ran
from suites.selfcheck.fail_closed.table import FAULTS, OWN_HOUSE

WRITTEN = ROOT / "docs" / "fail-closed.md"
BEFORE_ANY_TEST = {
    fault.name
    for fault in (*network_faults.FAULTS, *broken_from_start.FAULTS)
    if fault.name not in ("html-200", "empty-200", "nothing-204", "refuses-401", "broken-503")
}
"""Those that are known at the first question: they cost a second each."""
SAMPLE = (
    "batches-bad-utf8",
    "batches-twin-keys",
    "batches-deep",
    "looks-empty",
    "dies-later",
    "worker-killed",
    "ledger-truncated",
    "disk-full-half-way",
    "clock-set",
    "filter-matches-nothing",
    "catalogue-empty",
    "pacts-gone",
    "overlooked-from-outside",
)
"""The others run whole gates: one of each kind now, all at night."""
NOW = [name for name in FAULTS if name in BEFORE_ANY_TEST or name in SAMPLE]
AT_NIGHT = [name for name in FAULTS if name not in NOW]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small house in which nothing is wrong."""
    return built(tmp_path_factory.mktemp("house") / "house")


@pytest.fixture(scope="module")
def behind() -> Iterator[Mapping[str, str]]:
    """The reference services that are spoiled."""
    with embedded_targets([REACTOR, KEEPER], "after") as found:
        yield {name: target.url for name, target in found.items()}


@pytest.fixture
def scene(house: Path, behind: Mapping[str, str], tmp_path: Path) -> Callable[[str], Scene]:
    """Where a fault takes place."""

    def of(name: str) -> Scene:
        place = house
        if name in OWN_HOUSE:
            place = tmp_path / "house"
            shutil.copytree(house, place)
        return Scene(place, tmp_path / "build", behind)

    return of


@pytest.mark.aside
def test_the_table_is_written_down() -> None:
    rows = re.findall(
        r"^\| `([\w-]+)` \| (.*?) \| (\S+) \|", WRITTEN.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert rows == [(fault.name, fault.what, fault.verdict) for fault in FAULTS.values()]


@pytest.mark.process
def test_where_nothing_is_wrong_it_is_go(scene: Callable[[str], Scene]) -> None:
    told = gate(scene(""), Setting(), re.compile("GO"))
    assert (told.exit_status, told.reasons) == (0, ""), told.text


@pytest.mark.process
@pytest.mark.parametrize("fault", [FAULTS[name] for name in NOW], ids=NOW)
def test_it_is_never_go(fault: Fault, scene: Callable[[str], Scene]) -> None:
    assert amiss(fault, ran(fault, scene(fault.name))) == ""


@pytest.mark.aside
def test_a_tls_handshake_that_looks_like_three_words_is_ended_at_once() -> None:
    with spoiled("http://127.0.0.1:1", network_faults.passes) as url:
        _, _, place = url.rpartition("/")
        host, _, port = place.partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"\x16\x03\x01\x02 random bytes\n\x00\x08 and no blank line\n")
            assert connection.recv(1) == b""


@pytest.mark.nightly
@pytest.mark.process
@pytest.mark.parametrize("fault", [FAULTS[name] for name in AT_NIGHT], ids=AT_NIGHT)
def test_at_night_it_is_never_go_either(fault: Fault, scene: Callable[[str], Scene]) -> None:
    assert amiss(fault, ran(fault, scene(fault.name))) == ""
