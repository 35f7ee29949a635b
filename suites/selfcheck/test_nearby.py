"""Requests to services on this machine: over connections that stay, each made once, none half answered."""

from __future__ import annotations

import contextlib
import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from fixtures.loopback import LoopbackServer
from fixtures.nearby import Nearby, Silent

pytestmark = pytest.mark.aside

LONGEST = 1000
LIMIT_S = 10
BODY = b'{"a": 1}'
Answer = Callable[[BaseHTTPRequestHandler], object]


def told(body: bytes = BODY, status: int = 200, **headers: str) -> Answer:
    """Answer with this, and its length if no other is given."""
    given = {"Content_Length": str(len(body)), **headers}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in given.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def told_and_gone(handler: BaseHTTPRequestHandler) -> None:
    """Answer, and close the connection without having said so."""
    told()(handler)
    handler.close_connection = True


def cut(handler: BaseHTTPRequestHandler) -> None:
    """Promise more than comes."""
    told(Content_Length="100")(handler)
    handler.close_connection = True


def in_pieces(*pieces: bytes) -> Answer:
    """Answer in chunks; the last, which is empty, says that all were there."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.close_connection = not pieces or pieces[-1] != b""

    return answer


class Service:
    """Somebody who answers as told, and counts who came, what was asked, and whether a connection ended."""

    def __init__(self, answer: Answer) -> None:
        """Answer each request so."""
        self.answer, self.connections, self.asked = answer, 0, list[tuple[str, str, bytes]]()
        self.ended = threading.Event()


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[tuple[Service, str]]:
    """A service and its URL."""
    service = Service(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            service.connections += 1
            super().setup()

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            service.asked.append((self.command, self.path, body))
            service.answer(self)

        do_GET = do_POST = do  # noqa: N815  as http.server calls them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(LoopbackServer):
        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            service.ended.set()

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def nearby() -> Iterator[Nearby]:
    """The way to services on this machine."""
    way = Nearby(LIMIT_S, LONGEST)
    yield way
    way.close()


def test_what_was_asked_and_answered_arrives_as_it_was(nearby: Nearby) -> None:
    with serving(told(b"\xff", 404, X_One="a")) as (service, url):
        status, body, headers, expires = nearby.ask("POST", f"{url}/a/b?id=1&id=2", BODY, {"X-Two": "b"})
        assert nearby.ask("GET", f"{url}/a", None, {})[0] == 404
    assert (status, body, headers["x-one"], expires) == (404, b"\xff", "a", None)
    assert service.asked == [("POST", "/a/b?id=1&id=2", BODY), ("GET", "/a", b"")]


def test_a_connection_is_used_again(nearby: Nearby) -> None:
    with serving(told()) as (service, url):
        for _ in range(3):
            nearby.ask("GET", url, None, {})
        assert service.connections == 1


def test_each_thread_has_a_connection_of_its_own(nearby: Nearby) -> None:
    together = threading.Barrier(2, timeout=LIMIT_S)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        together.wait()
        told()(handler)

    with serving(answer) as (service, url):
        asking = [threading.Thread(target=nearby.ask, args=("GET", url, None, {})) for _ in range(2)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        assert (service.connections, len(service.asked)) == (2, 2)


def test_a_connection_closed_meanwhile_is_replaced_and_nothing_is_asked_twice(nearby: Nearby) -> None:
    with serving(told_and_gone) as (service, url):
        nearby.ask("POST", url, b"1", {})
        assert service.ended.wait(LIMIT_S)
        nearby.ask("POST", url, b"2", {})
        assert (service.connections, [body for _, _, body in service.asked]) == (2, [b"1", b"2"])


def test_a_packed_body_is_unpacked(nearby: Nearby) -> None:
    with serving(told(gzip.compress(BODY), Content_Encoding="gzip")) as (_, url):
        assert nearby.ask("GET", url, None, {})[1] == BODY


def test_a_body_in_chunks_is_read_to_its_end(nearby: Nearby) -> None:
    with serving(in_pieces(b"{", b"}", b"")) as (service, url):
        assert nearby.ask("GET", url, None, {})[1] == nearby.ask("GET", url, None, {})[1] == b"{}"
        assert service.connections == 1


HALF_ANSWERS: Mapping[str, tuple[Answer, str]] = {
    "cut": (cut, "IncompleteRead"),
    "cut between chunks": (in_pieces(b"{"), "IncompleteRead"),
    "too long": (told(b"x" * (LONGEST + 1)), "no end"),
    "too long in chunks": (in_pieces(*[b"x" * 100] * 11, b""), "no end"),
    "too long once unpacked": (told(gzip.compress(b"x" * (LONGEST + 1)), Content_Encoding="gzip"), "no end"),
    "not packed": (told(Content_Encoding="gzip"), "packed as gzip, and is not"),
    "packed in an unknown way": (told(Content_Encoding="br"), "packed as 'br'"),
    "elsewhere": (told(status=302, Location="/other"), "redirects to /other"),
    "no HTTP": (lambda handler: handler.wfile.write(b"nonsense\r\n\r\n"), "BadStatusLine"),
}


@pytest.mark.parametrize(("answer", "problem"), HALF_ANSWERS.values(), ids=HALF_ANSWERS)
def test_half_an_answer_is_none_and_the_next_question_is_asked_anew(
    nearby: Nearby, answer: Answer, problem: str
) -> None:
    with serving(answer) as (service, url):
        with pytest.raises(Silent, match=problem):
            nearby.ask("POST", url, BODY, {})
        assert len(service.asked) == 1
        service.answer = told()
        assert nearby.ask("GET", url, None, {})[1] == BODY


def test_who_is_not_there_or_says_nothing_is_silent() -> None:
    released = threading.Event()
    hasty = Nearby(0.1, LONGEST)
    with serving(lambda _: released.wait(LIMIT_S)) as (_, url):
        with pytest.raises(Silent, match="TimeoutError"):
            hasty.ask("GET", url, None, {})
        released.set()
    with pytest.raises(Silent, match="ConnectionRefusedError"):
        hasty.ask("GET", url, None, {})
    hasty.close()
