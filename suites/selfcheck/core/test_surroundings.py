"""What is around a run neither reaches the suites nor leads their requests elsewhere."""

import os
import socket
import urllib.request
from collections.abc import Callable, Mapping

import httpx
import pytest

from fixtures.core import surroundings
from fixtures.core.errors import UserError
from fixtures.platform.sqs import LOCAL_CREDENTIALS, connect
from suites.selfcheck.http_double import serve_answers

PROXIES = ("HTTP_PROXY", "http_proxy", "Http_Proxy", "ALL_PROXY", "all_proxy")
CLIENTS: Mapping[str, Callable[[str], object]] = {
    "urllib": lambda url: urllib.request.urlopen(url).read(),  # noqa: S310  our own server
    "httpx": httpx.get,
    "botocore": lambda url: connect(url, **LOCAL_CREDENTIALS).list_queues(),
}


@pytest.mark.parametrize("exceptions", ["", "corp.example", "*"])
@pytest.mark.parametrize("client", CLIENTS)
def test_no_library_reaches_this_machine_by_a_proxy(
    client: str, exceptions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("No_Proxy", exceptions)
    for name, value in surroundings.bypass_proxies(os.environ).items():
        monkeypatch.setenv(name, value)
    with serve_answers() as double:
        CLIENTS[client](double.url)
    assert len(double.requests) == 1


def test_hosts_that_need_no_proxy_stay_so() -> None:
    variables = surroundings.bypass_proxies({"NO_PROXY": "corp.example"})
    assert variables["no_proxy"] == variables["NO_PROXY"] == "corp.example,localhost,127.0.0.1,::1"


def test_no_variable_of_python_or_pytest_reaches_the_suites(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        monkeypatch.setenv(name, "elsewhere")
    environment = surroundings.suite_environment()
    assert "elsewhere" not in environment.values()
    assert environment["PATH"] == os.environ["PATH"]


def test_a_machine_without_loopback_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(UserError, match="no-loopback") as caught:
        surroundings.try_loopback()
    assert caught.value.next_step
