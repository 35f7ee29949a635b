"""Code of the user and drivers of databases connect to no denied host."""

import contextlib
import socket
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fixtures.targets.adapters.code import CodeAdapter, handle_each
from fixtures.targets.adapters.config import AdapterConfig
from fixtures.targets.config import Deployment, TargetError
from fixtures.targets.host_policy import HostDenyList
from fixtures.targets.provisioning import sql
from fixtures.targets.provisioning.provisioners import function_backend
from fixtures.targets.socket_guard import guard_sockets

DENY = HostDenyList(("127.0.0.0/8", "*.prod.example"))
REFUSED = r"(?s)denied-target: .*connects to {}: .*deny list.*next: "
VARIABLE = "FCM_COMPAT_TEST_DATABASE"

# From the port of a server on this machine to a use of a socket.
Use = Callable[[int], object]


def connect(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"x")


def connect_in_thread(port: int) -> None:
    with ThreadPoolExecutor() as executor:
        executor.submit(connect, port).result()


def connect_and_hide(port: int) -> None:
    with contextlib.suppress(Exception):
        connect(port)


def send_datagram(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("127.0.0.1", port))


USES: dict[str, tuple[Use, str]] = {
    "connect": (connect, "127.0.0.1"),
    "connect in a thread": (connect_in_thread, "127.0.0.1"),
    "hide the refusal": (connect_and_hide, "127.0.0.1"),
    "send a datagram": (send_datagram, "127.0.0.1"),
    "look up": (lambda _: socket.getaddrinfo("db.prod.example", 1), "db.prod.example"),
    "look up by the older function": (lambda _: socket.gethostbyname("DB.prod.example"), "DB.prod.example"),
}


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield listener


def find_port(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def was_reached(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize(("use", "host"), USES.values(), ids=USES)
def test_a_denied_host_is_refused_before_the_connection(server: socket.socket, use: Use, host: str) -> None:
    with pytest.raises(TargetError, match=REFUSED.format(host)), guard_sockets(DENY, "python:states:change"):
        use(find_port(server))
    assert not was_reached(server)


def test_other_hosts_and_later_connections_are_left_alone(server: socket.socket) -> None:
    with guard_sockets(HostDenyList(("192.0.2.0/24",)), "python:states:change"):
        connect(find_port(server))
    assert was_reached(server)
    with pytest.raises(TargetError), guard_sockets(DENY, "python:states:change"):
        connect(find_port(server))
    connect(find_port(server))
    assert was_reached(server)


def test_a_function_that_makes_subscribers_reaches_no_denied_host(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    module: Any = types.ModuleType("my_states")
    module.change = lambda *_: connect(find_port(server))
    monkeypatch.setitem(sys.modules, "my_states", module)
    with pytest.raises(TargetError, match="denied-target: 'python:my_states:change'"):
        function_backend("python:my_states:change", DENY).change_subscribers("setup", [])
    assert not was_reached(server)


def test_an_adapter_reaches_no_denied_host_even_if_it_hides_the_error(server: socket.socket) -> None:
    handler = handle_each(lambda *_: connect(find_port(server)))
    handler.subscribe([{"subscriber_id": "s", "token": "t", "token_since": "2026-01-01T00:00:00Z"}])
    adapter = CodeAdapter(
        AdapterConfig(), "python:own:Adapter", handler, timeout_s=10, judged_members=(), deny=DENY
    )
    report = {"subscriber_id": "s", "token": "t", "event_id": "e", "sent_at": "2026-01-02T00:00:00Z"}
    report |= {"report_id": "r", "http_status": "200", "response": "", "retry_after": ""}
    with pytest.raises(TargetError, match="denied-target: 'python:own:Adapter'"):
        adapter.deliver([report])
    assert not was_reached(server)


def test_a_database_that_moves_to_a_denied_address_gets_no_login(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, answers = socket.getaddrinfo, iter(["192.0.2.1"])

    def change_address(host: str, *arguments: Any, **options: Any) -> Any:
        address = next(answers, "127.0.0.1") if host == "moved.example" else host
        return look_up(address, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", change_address)
    url = f"postgresql+pg8000://me:any@moved.example:{find_port(server)}/x"
    monkeypatch.setenv(VARIABLE, url)
    deployment = Deployment("subscribers-errors", "http://127.0.0.1:9", owned=True, deny=DENY)
    engine = sql.connect_database(deployment, VARIABLE)
    with pytest.raises(TargetError, match=f"denied-target: '{VARIABLE}'"):
        sql.run_statements(engine, [], [])
    engine.dispose()
    assert not was_reached(server)


def test_a_thread_that_outlives_its_call_reaches_no_denied_host(server: socket.socket) -> None:
    go_on = threading.Event()

    def connect_later() -> None:
        go_on.wait(10)
        with contextlib.suppress(TargetError):
            connect(find_port(server))

    with guard_sockets(DENY, "python:own:Adapter"):
        thread = threading.Thread(target=connect_later)
        thread.start()
    go_on.set()
    thread.join()
    assert not was_reached(server)
    with (
        pytest.raises(TargetError, match="denied-target: 'python:own:Adapter'"),
        guard_sockets(DENY, "python:own:Adapter"),
    ):
        pass
    connect(find_port(server))
    assert was_reached(server), "the guard ends with its threads"
