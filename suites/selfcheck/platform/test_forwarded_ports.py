"""A port of this machine leads to another one, and ends without a trace while connections are open."""

import gc
import socket

import pytest

from fixtures.platform.asgi_server import AsgiServers
from fixtures.platform.fcm.https import forward_port
from fixtures.services.command_line import HOST


def test_a_port_leads_to_another_one_until_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    servers = AsgiServers()
    with socket.create_server((HOST, 0)) as server:
        forwarding = servers.run(forward_port((HOST, 0), server.getsockname()))
        servers.others.append(forwarding)
        with socket.create_connection(forwarding.sockets[0].getsockname(), timeout=20) as connection:
            accepted, _ = server.accept()
            with accepted:
                accepted.sendall(b"here")
                assert connection.recv(4) == b"here"
                servers.close()
    gc.collect()  # what was left open would be told now
    assert caplog.messages == []
