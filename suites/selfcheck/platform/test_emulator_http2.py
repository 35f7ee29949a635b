"""The emulator over HTTP/2: the same answers, broken streams, GOAWAY, and a limit on concurrent streams."""

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes

from fixtures.platform.fcm.emulator import Emulator
from fixtures.targets.embedded import start_process
from suites.selfcheck.platform.emulator_client import send_v1

pytestmark = pytest.mark.process

FCM = "fcm.googleapis.com"
MAX_STREAMS = 5


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The URLs of an emulator process with few concurrent streams."""
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    options = ("--ca", str(ca), "--max-streams", str(MAX_STREAMS))
    with start_process("fixtures.platform.fcm.server", *options) as [urls]:
        yield urls


def send_messages(urls: dict[str, Any], tokens: list[str], *, patient: bool = True) -> list[Event]:
    """Send a message to each token on streams of one connection, until each has ended or the connection has.

    A patient client first waits for the server's settings.
    """
    context = ssl.create_default_context(cafile=urls["ca"])
    context.set_alpn_protocols(["h2"])
    host, port = urlsplit(urls["https"]).netloc.split(":")
    sock = socket.create_connection((host, int(port)), timeout=10)
    with context.wrap_socket(sock, server_hostname=FCM) as tls:
        client, events = H2Connection(), list[Event]()
        client.initiate_connection()
        tls.sendall(client.data_to_send())
        while patient and not any(isinstance(event, RemoteSettingsChanged) for event in events):
            events += client.receive_data(tls.recv(65_536))
        for number, token in enumerate(tokens):
            body = json.dumps({"message": {"token": token}}).encode()
            path = "/v1/projects/demo/messages:send"
            pseudo = {":method": "POST", ":path": path, ":authority": FCM, ":scheme": "https"}
            client.send_headers(2 * number + 1, [*pseudo.items(), ("authorization", "Bearer any")])
            client.send_data(2 * number + 1, body, end_stream=True)
        tls.sendall(client.data_to_send())
        while sum(isinstance(event, StreamEnded | StreamReset) for event in events) < len(tokens):
            data = tls.recv(65_536)
            if not data:
                break
            events += client.receive_data(data)
    return events


def statuses(events: list[Event]) -> dict[int | None, bytes]:
    """The status of each stream that was answered."""
    responses = [event for event in events if isinstance(event, ResponseReceived)]
    return {event.stream_id: dict(event.headers)[b":status"] for event in responses}


def errors(
    events: list[Event], kind: type[StreamReset | ConnectionTerminated]
) -> list[int | ErrorCodes | None]:
    return [event.error_code for event in events if isinstance(event, kind)]


def test_http2_gets_the_same_answers(emulator: dict[str, Any]) -> None:
    tokens = [
        "x",
        "case/v1-UNREGISTERED/x",
        "case/v1-delivered;fault=reset/x",
        "case/v1-text-404;delay=0.1/x",
    ]
    events = send_messages(emulator, tokens)
    assert statuses(events) == {1: b"200", 3: b"404", 7: b"404"}
    assert errors(events, StreamReset) == [ErrorCodes.INTERNAL_ERROR]


@pytest.mark.parametrize("fault", ["reset", "truncate", "drop-after-headers"])
def test_a_stream_is_reset_with_the_asked_code(emulator: dict[str, Any], fault: str) -> None:
    token = f"case/v1-delivered;fault={fault};h2-error=REFUSED_STREAM/x"
    events = send_messages(emulator, [token, "x"])
    assert statuses(events)[3] == b"200"
    assert (1 in statuses(events)) == (fault != "reset")
    assert errors(events, StreamReset) == [ErrorCodes.REFUSED_STREAM]


@pytest.mark.parametrize("code", [ErrorCodes.NO_ERROR, ErrorCodes.ENHANCE_YOUR_CALM])
def test_a_connection_goes_away_with_the_asked_code(emulator: dict[str, Any], code: ErrorCodes) -> None:
    option = "" if code is ErrorCodes.NO_ERROR else f";h2-error={code.name}"
    events = send_messages(emulator, ["x", f"case/v1-delivered;delay=0.1;fault=goaway{option}/x"])
    (end,) = [event for event in events if isinstance(event, ConnectionTerminated)]
    assert (end.error_code, end.last_stream_id) == (code, 1)
    assert statuses(events) == {1: b"200"}


def test_a_rule_asks_for_a_code(emulator: dict[str, Any]) -> None:
    rule = {
        "match": {"prefix": "away"},
        "fault": "goaway",
        "h2-error": "INADEQUATE_SECURITY",
        "protocol": "fcm_v1",
    }
    assert httpx.post(emulator["url"] + "/_emulator/script", json={"rules": [rule]}).status_code == 200
    assert errors(send_messages(emulator, ["away-1"]), ConnectionTerminated) == [
        ErrorCodes.INADEQUATE_SECURITY
    ]


def test_the_limit_on_streams_is_announced_and_kept(emulator: dict[str, Any]) -> None:
    slow = "case/v1-delivered;delay=1/x"
    events = send_messages(emulator, [slow] * MAX_STREAMS)
    limits = [
        event.changed_settings[SettingCodes.MAX_CONCURRENT_STREAMS].new_value
        for event in events
        if isinstance(event, RemoteSettingsChanged)
        and SettingCodes.MAX_CONCURRENT_STREAMS in event.changed_settings
    ]
    assert limits[-1] == MAX_STREAMS
    assert len(statuses(events)) == MAX_STREAMS


@pytest.mark.parametrize(
    "token", ["fault=goaway;h2-error=NO_SUCH", "h2-error=CANCEL", "fault=html-502;h2-error=CANCEL"]
)
def test_a_wrong_code_is_refused(token: str) -> None:
    answer = send_v1(Emulator(), {"token": f"case/v1-delivered;{token}/x"})
    assert (answer.status, answer.body["slug"]) == (422, "bad-h2-error")
