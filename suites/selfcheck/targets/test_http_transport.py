"""The transport reuses connections, sends nothing twice, and never takes half a response for a whole one."""

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from fixtures.core.loopback_server import LoopbackHandler
from fixtures.targets.http import (
    HttpxTransport,
    NoResponse,
    call_with_timeout,
    loopback_transport,
)
from suites.selfcheck.http_double import WriteResponse, serve_responses

MAX_BODY = 1000
TIMEOUT_S = 10
BODY = b'{"a": 1}'
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + BODY


def respond(body: bytes = BODY, status: int = 200, **headers: str) -> WriteResponse:
    """Write a response; its length is that of the body unless the headers say otherwise."""
    headers = {"Content_Length": str(len(body)), **headers}

    def write(handler: LoopbackHandler, _body: bytes) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return write


def respond_raw(data: bytes, *, close: bool = True) -> WriteResponse:
    """Write these bytes, and close the connection or leave it open."""

    def write(handler: LoopbackHandler, _body: bytes) -> None:
        handler.wfile.write(data)
        handler.close_connection = close

    return write


def respond_and_close(handler: LoopbackHandler, body: bytes) -> None:
    """Respond, and close the connection without having announced it."""
    respond()(handler, body)
    handler.close_connection = True


def respond_partly(handler: LoopbackHandler, body: bytes) -> None:
    respond(Content_Length="100")(handler, body)
    handler.close_connection = True


def respond_in_chunks(*chunks: bytes) -> WriteResponse:
    """Write chunks. An empty chunk at the end completes the response."""

    def write(handler: LoopbackHandler, _body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for chunk in chunks:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        handler.close_connection = not chunks or chunks[-1] != b""

    return write


@pytest.fixture(params=["parsed URL", "raw target", "loopback"])
def transport(request: pytest.FixtureRequest) -> Iterator[HttpxTransport]:
    if request.param == "loopback":
        transport = replace(loopback_transport(TIMEOUT_S), max_body=MAX_BODY)
    else:
        client = httpx.Client(timeout=TIMEOUT_S, verify=False, trust_env=False)  # noqa: S501  plain HTTP
        raw_target = request.param == "raw target"
        transport = HttpxTransport(client, TIMEOUT_S, max_body=MAX_BODY, raw_target=raw_target)
    yield transport
    transport.close()


def test_request_and_response_arrive_unchanged(transport: HttpxTransport) -> None:
    with serve_responses(respond(b"\xff", 404, X_One="a")) as double:
        response = transport.send("POST", f"{double.url}/a/b?id=1&id=2", BODY, {"X-Two": "b"})
        assert transport.send("GET", f"{double.url}/a").status == 404
    assert (response.status, response.content, response.headers["x-one"]) == (404, b"\xff", "a")
    assert response.certificate_expires is None
    assert [(method, path, body) for method, path, _, body in double.requests] == [
        ("POST", "/a/b?id=1&id=2", BODY),
        ("GET", "/a", b""),
    ]
    assert double.requests[0][2]["x-two"] == "b"


def test_a_connection_is_used_again(transport: HttpxTransport) -> None:
    with serve_responses(respond()) as double:
        for _ in range(3):
            transport.send("GET", double.url)
        assert double.connections == 1


def test_each_thread_has_a_connection_of_its_own(transport: HttpxTransport) -> None:
    both_arrived = threading.Barrier(2, timeout=TIMEOUT_S)

    def write(handler: LoopbackHandler, body: bytes) -> None:
        both_arrived.wait()
        respond()(handler, body)

    with serve_responses(write) as double:
        threads = [threading.Thread(target=transport.send, args=("GET", double.url)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (double.connections, len(double.requests)) == (2, 2)


def test_a_closed_connection_is_replaced_and_nothing_is_sent_twice(transport: HttpxTransport) -> None:
    with serve_responses(respond_and_close) as double:
        transport.send("POST", double.url, b"1")
        assert double.connection_ended.wait(TIMEOUT_S)
        transport.send("POST", double.url, b"2")
        assert (double.connections, [body for *_, body in double.requests]) == (2, [b"1", b"2"])


def test_a_compressed_body_is_decompressed(transport: HttpxTransport) -> None:
    with serve_responses(respond(gzip.compress(BODY), Content_Encoding="gzip")) as double:
        assert transport.send("GET", double.url).content == BODY


def test_a_body_in_chunks_is_read_to_its_end(transport: HttpxTransport) -> None:
    with serve_responses(respond_in_chunks(b"{", b"}", b"")) as double:
        for _ in range(2):
            assert transport.send("GET", double.url).content == b"{}"
        assert double.connections == 1


@pytest.mark.parametrize(
    ("data", "close"),
    [
        (RESPONSE.replace(b"Length: 8", b"Length: 8\r\nConnection: close"), False),
        (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, True),
    ],
    ids=["announces that it closes", "ends with the connection"],
)
def test_a_response_is_read_to_its_end(transport: HttpxTransport, data: bytes, *, close: bool) -> None:
    with serve_responses(respond_raw(data, close=close)) as double:
        for _ in range(2):
            response = transport.send("GET", double.url)
            assert (response.status, response.content) == (200, BODY)
            assert double.connection_ended.wait(TIMEOUT_S)
        assert double.connections == 2


EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@pytest.mark.parametrize("transport", ["parsed URL", "raw target"], indirect=True)
def test_early_hints_precede_the_response(transport: HttpxTransport) -> None:
    with serve_responses(respond_raw(EARLY_HINTS + RESPONSE)) as double:
        response = transport.send("GET", double.url)
    assert (response.status, response.content, response.headers.get("link")) == (200, BODY, None)


@pytest.mark.parametrize("transport", ["loopback"], indirect=True)
def test_early_hints_of_a_reference_service_are_no_response(transport: HttpxTransport) -> None:
    with (
        serve_responses(respond_raw(EARLY_HINTS + RESPONSE)) as double,
        pytest.raises(NoResponse, match="interim answer"),
    ):
        transport.send("GET", double.url)


BAD_RESPONSES: Mapping[str, tuple[WriteResponse, str]] = {
    "cut": (respond_partly, "RemoteProtocolError"),
    "cut between chunks": (respond_in_chunks(b"{"), "RemoteProtocolError"),
    "too long": (respond(b"x" * (MAX_BODY + 1)), "no end"),
    "too long in chunks": (respond_in_chunks(*[b"x" * 100] * 11, b""), "no end"),
    "too long once decompressed": (
        respond(gzip.compress(b"x" * (MAX_BODY + 1)), Content_Encoding="gzip"),
        "no end",
    ),
    "not compressed": (respond(Content_Encoding="gzip"), "declared as gzip, but is not"),
    "compressed in an unknown way": (respond(Content_Encoding="br"), "compressed as 'br'"),
    "elsewhere": (respond(status=302, Location="/other"), "redirects to /other"),
    "no HTTP": (respond_raw(b"nonsense\r\n\r\n"), "RemoteProtocolError"),
    "two lengths": (respond(Content_length="3"), "RemoteProtocolError"),
    "announced only": (respond_raw(EARLY_HINTS), "RemoteProtocolError"),
    "endless headers": (respond_raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50_000), "RemoteProtocolError"),
}


@pytest.mark.parametrize(("write", "problem"), BAD_RESPONSES.values(), ids=BAD_RESPONSES)
def test_a_bad_response_is_no_response_and_the_next_request_is_sent_anew(
    transport: HttpxTransport, write: WriteResponse, problem: str
) -> None:
    with serve_responses(write) as double:
        with pytest.raises(NoResponse, match=problem):
            transport.send("POST", double.url, BODY)
        assert len(double.requests) == 1
        double.write_response = respond()
        assert transport.send("GET", double.url).content == BODY


def test_bytes_after_a_response_are_never_the_next_response(transport: HttpxTransport) -> None:
    with serve_responses(respond_raw(RESPONSE + b"more", close=False)) as double:
        assert transport.send("GET", double.url).content == BODY
        double.write_response = respond(b"another")
        with suppress(NoResponse):
            assert transport.send("GET", double.url).content == b"another"


def test_an_earlier_response_is_never_the_next_response(transport: HttpxTransport) -> None:
    no_content = respond_raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False)
    with serve_responses(no_content) as double:
        response = transport.send("GET", double.url)
        assert (response.status, response.content) == (204, b"")
        double.write_response = respond_raw(b"")
        with pytest.raises(NoResponse, match="RemoteProtocolError"):
            transport.send("GET", double.url)
        assert double.connections == 1


@pytest.mark.parametrize(("method", "length"), [("POST", "0"), ("GET", None)])
def test_an_empty_body_is_declared_where_a_body_is_expected(
    transport: HttpxTransport, method: str, length: str | None
) -> None:
    with serve_responses(respond()) as double:
        transport.send(method, double.url)
        assert double.requests[0][2].get("content-length") == length


def test_a_control_character_in_a_path_is_no_request(transport: HttpxTransport) -> None:
    with (
        serve_responses(respond()) as double,
        pytest.raises(NoResponse, match=r"InvalidURL|LocalProtocolError"),
    ):
        transport.send("GET", f"{double.url}/a\u007f")
    assert double.requests == []


def test_a_silent_and_an_absent_server_give_no_response() -> None:
    released = threading.Event()
    transport = loopback_transport(0.1)
    with serve_responses(lambda *_: released.wait(TIMEOUT_S)) as double:
        with pytest.raises(NoResponse, match="ReadTimeout"):
            transport.send("GET", double.url)
        released.set()
    with pytest.raises(NoResponse, match="ConnectError"):
        transport.send("GET", double.url)
    transport.close()


def test_a_call_in_time_returns_or_raises() -> None:
    assert call_with_timeout(60, lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        call_with_timeout(60, lambda: 1 / 0)


def test_a_call_that_never_ends_is_abandoned() -> None:
    never = threading.Event()
    try:
        with pytest.raises(TimeoutError, match=r"within 0\.05 s"):
            call_with_timeout(0.05, never.wait)
    finally:
        never.set()
