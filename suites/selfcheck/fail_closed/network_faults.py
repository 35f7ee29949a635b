"""Faults of names, ports and certificates: nobody is there, or it is somebody else."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
from collections.abc import Callable, Iterator

import trustme

from suites.selfcheck.fail_closed.fault_proxy import Asked, Said, Wire, spoiled
from suites.selfcheck.fail_closed.model import REACTOR, Fault, Made, Scene, Setting
from suites.selfcheck.fail_closed.responses import deployed

BEFORE, LONG_AGO = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2019, 2020))


def passes(wire: Wire, _asked: Asked, behind: Callable[[], Said]) -> None:
    """Nothing is wrong with it."""
    wire.say(behind())


@contextlib.contextmanager
def nobody(scene: Scene) -> Iterator[Setting]:
    """A port at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # held, so that nobody else can take it meanwhile
        yield Setting(deployed(REACTOR, f"http://127.0.0.1:{held.getsockname()[1]}", scene))


@contextlib.contextmanager
def nameless(scene: Scene) -> Iterator[Setting]:
    """A host that no name server knows."""
    yield Setting(deployed(REACTOR, "http://subscribers-errors.invalid", scene))


def certified(host: str, *, expired: bool = False, known: bool = True) -> Made:
    """A deployment with a certificate, whose authority the gate knows or not."""

    @contextlib.contextmanager
    def made(scene: Scene) -> Iterator[Setting]:
        authority = trustme.CA()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ends = LONG_AGO if expired else None
        authority.issue_cert(host, not_before=BEFORE, not_after=ends).configure_cert(tls)
        file = scene.build.parent / f"{scene.build.name}.pem"
        authority.cert_pem.write_to_path(str(file))
        members = {"ca_bundle": str(file)} if known else {}
        with spoiled(scene.behind[REACTOR], passes, tls) as url:
            yield Setting(deployed(REACTOR, url, scene, **members))

    return made


def other_scheme(*, tls: bool) -> Made:
    """TLS where the URL says http, or none where it says https."""

    @contextlib.contextmanager
    def made(scene: Scene) -> Iterator[Setting]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        with spoiled(scene.behind[REACTOR], passes, context if tls else None) as url:
            _, _, rest = url.partition("://")
            yield Setting(deployed(REACTOR, f"{'http' if tls else 'https'}://{rest}", scene))

    return made


FAULTS = (
    Fault("nobody-listens", "nobody listens at its port", "undecided", "refused", nobody),
    Fault(
        "unknown-host",
        "no name server knows its host",
        "undecided",
        r"ConnectError: .*([Nn]ame|address)",
        nameless,
    ),
    Fault(
        "certificate-expired",
        "its certificate has expired",
        "undecided",
        "certificate has expired",
        certified("127.0.0.1", expired=True),
    ),
    Fault(
        "certificate-of-another-host",
        "its certificate is another host's",
        "undecided",
        "certificate is not valid for '127.0.0.1'",
        certified("elsewhere.example"),
    ),
    Fault(
        "certificate-self-signed",
        "nobody known has signed its certificate",
        "undecided",
        "unable to get local issuer|self.signed",
        certified("127.0.0.1", known=False),
    ),
    Fault(
        "tls-at-http",
        "it speaks TLS where the URL says http",
        "undecided",
        "unreachable-target",
        other_scheme(tls=True),
    ),
    Fault(
        "http-at-https",
        "it speaks no TLS where the URL says https",
        "undecided",
        "SSL",
        other_scheme(tls=False),
    ),
)
