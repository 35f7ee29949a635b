"""Faults of names, ports and certificates are never a go."""

import contextlib
import datetime as dt
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest
import trustme

from suites.selfcheck.fail_closed.behaviours import forward
from suites.selfcheck.fail_closed.fault_proxy import run_proxy
from suites.selfcheck.fail_closed.sandbox import (
    REACTOR,
    GateCall,
    GateFault,
    PutInPlace,
    Scene,
    deploy,
    for_each_fault,
)

NOT_BEFORE, EXPIRED = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2019, 2020))


@contextlib.contextmanager
def no_listener(scene: Scene) -> Iterator[GateCall]:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound, so that no other process takes the port meanwhile
        yield GateCall(deploy(REACTOR, f"http://127.0.0.1:{reserved.getsockname()[1]}", scene))


@contextlib.contextmanager
def unknown_host(scene: Scene) -> Iterator[GateCall]:
    yield GateCall(deploy(REACTOR, "http://subscribers-errors.invalid", scene))


@contextlib.contextmanager
def denied_proxy(scene: Scene) -> Iterator[GateCall]:
    """A deployment elsewhere, and a proxy in the environment that the targets file denies."""
    options = deploy(REACTOR, "http://staging.invalid", scene)
    file = scene.build.parent / f"{scene.build.name}.toml"
    file.write_text('deny = ["*.prod.example"]\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    yield GateCall(options, environment={"http_proxy": "http://proxy.prod.example:3128", "no_proxy": ""})


def certificate(host: str, *, expired: bool = False, trusted: bool = True) -> PutInPlace:
    """A deployment with a certificate for a host, whose authority the gate trusts or not."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        not_after = EXPIRED if expired else None
        authority.issue_cert(host, not_before=NOT_BEFORE, not_after=not_after).configure_cert(tls)
        file = scene.build.parent / f"{scene.build.name}.pem"
        authority.cert_pem.write_to_path(str(file))
        members = {"ca_bundle": str(file)} if trusted else {}
        with run_proxy(scene.service_urls[REACTOR], forward, tls) as url:
            yield GateCall(deploy(REACTOR, url, scene, **members))

    return put_in_place


def wrong_scheme(*, tls: bool) -> PutInPlace:
    """TLS at a http URL, or plain HTTP at a https URL."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        with run_proxy(scene.service_urls[REACTOR], forward, context if tls else None) as url:
            _, _, address = url.partition("://")
            yield GateCall(deploy(REACTOR, f"{'http' if tls else 'https'}://{address}", scene))

    return put_in_place


ROWS: tuple[tuple[str, str, str, PutInPlace], ...] = (
    ("no-listener", "no process listens at its port", "refused", no_listener),
    ("unknown-host", "no name server knows its host", r"ConnectError: .*([Nn]ame|address)", unknown_host),
    ("proxy-denied", "the environment names a proxy that is on the deny list", "denied-proxy", denied_proxy),
    (
        "certificate-expired",
        "its certificate has expired",
        "certificate has expired",
        certificate("127.0.0.1", expired=True),
    ),
    (
        "certificate-of-another-host",
        "its certificate is another host's",
        "certificate is not valid for '127.0.0.1'",
        certificate("elsewhere.example"),
    ),
    (
        "certificate-self-signed",
        "no trusted authority has signed its certificate",
        "unable to get local issuer|self.signed",
        certificate("127.0.0.1", trusted=False),
    ),
    ("tls-at-http", "it speaks TLS where the URL says http", "unreachable-target", wrong_scheme(tls=True)),
    ("http-at-https", "it speaks no TLS where the URL says https", "SSL", wrong_scheme(tls=False)),
)
VERDICTS = {"proxy-denied": "none"}  # the gate does not begin; the others are undecided
FAULTS = [
    GateFault(name, what, VERDICTS.get(name, "undecided"), reason, put) for name, what, reason, put in ROWS
]


@pytest.mark.process
@for_each_fault(FAULTS, by_day={"proxy-denied", "certificate-expired"})
def test_a_network_fault_is_never_go(
    fault: GateFault, scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, scene) == ""


def test_a_tls_handshake_that_looks_like_three_words_is_ended_at_once() -> None:
    with run_proxy("http://127.0.0.1:1", forward) as url:
        host, _, port = url.rpartition("/")[2].partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"\x16\x03\x01\x02 random bytes\n\x00\x08 and no blank line\n")
            assert connection.recv(1) == b""
