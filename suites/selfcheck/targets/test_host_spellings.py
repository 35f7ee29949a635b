"""A denied host is denied, and this machine is this machine, however they are spelled."""

import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.hosts import is_loopback
from fixtures.targets import host_policy
from fixtures.targets.host_policy import HostDenyList, is_host_pattern

SPELLINGS = tomllib.loads(Path(__file__).with_name("host_spellings.toml").read_text(encoding="utf-8"))


def list_rows(kind: str) -> list[Any]:
    rows = [(entry, host) for entry, hosts in SPELLINGS[kind].items() for host in hosts]
    return [pytest.param(*row, id=ascii(" ".join(row))) for row in rows]


@pytest.fixture(autouse=True)
def no_name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only this machine has a name, so that spellings alone decide."""
    look_up = socket.getaddrinfo

    def look_up_here(host: str, *arguments: Any, **options: Any) -> Any:
        if host != "localhost":
            raise socket.gaierror(socket.EAI_NONAME, "there is no name server")
        return look_up("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
    for function in (host_policy.resolve_host, host_policy.resolve_hosts):
        function.cache_clear()
    yield
    for function in (host_policy.resolve_host, host_policy.resolve_hosts):
        function.cache_clear()


@pytest.mark.parametrize(("entry", "host"), list_rows("denied"))
def test_a_denied_host_is_refused_in_any_spelling(entry: str, host: str) -> None:
    assert is_host_pattern(entry)
    assert "deny list" in str(HostDenyList((entry,)).denial_reason(host))


@pytest.mark.parametrize(("entry", "host"), list_rows("allowed"))
def test_a_host_beside_a_denied_one_is_allowed(entry: str, host: str) -> None:
    assert HostDenyList((entry,)).denial_reason(host) is None


@pytest.mark.parametrize(("answer", "host"), list_rows("this_machine"))
def test_this_machine_is_known_in_any_spelling(answer: str, host: str) -> None:
    assert is_loopback(host) is (answer == "yes")
