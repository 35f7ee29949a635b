"""Requests to services on this machine: over connections that stay, each made once, none half answered."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler

import pytest

from fixtures.targets.nearby import Nearby, Silent
from suites.selfcheck.http_double import Say, speaking

pytestmark = pytest.mark.aside

LONGEST = 1000
LIMIT_S = 10
BODY = b'{"a": 1}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + BODY


def told(body: bytes = BODY, status: int = 200, **headers: str) -> Say:
    """Answer with this, and its length if no other is given."""
    given = {"Content_Length": str(len(body)), **headers}

    def answer(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(status)
        for name, value in given.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def as_it_is(octets: bytes, *, goes: bool = True) -> Say:
    """Write these octets, whatever they are, and end the connection if told so."""

    def answer(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.wfile.write(octets)
        handler.close_connection = goes

    return answer


def told_and_gone(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Answer, and close the connection without having said so."""
    told()(handler, body)
    handler.close_connection = True


def cut(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Promise more than comes."""
    told(Content_Length="100")(handler, body)
    handler.close_connection = True


def in_pieces(*pieces: bytes) -> Say:
    """Answer in chunks; the last, which is empty, says that all were there."""

    def answer(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.close_connection = not pieces or pieces[-1] != b""

    return answer


@pytest.fixture
def nearby() -> Iterator[Nearby]:
    """The way to services on this machine."""
    way = Nearby(LIMIT_S, LONGEST)
    yield way
    way.close()


def test_what_was_asked_and_answered_arrives_as_it_was(nearby: Nearby) -> None:
    with speaking(told(b"\xff", 404, X_One="a")) as somebody:
        status, body, headers, expires = nearby.ask(
            "POST", f"{somebody.url}/a/b?id=1&id=2", BODY, {"X-Two": "b"}
        )
        assert nearby.ask("GET", f"{somebody.url}/a", None, {})[0] == 404
    assert (status, body, headers["x-one"], expires) == (404, b"\xff", "a", None)
    assert [(method, path, body) for method, path, _, body in somebody.asked] == [
        ("POST", "/a/b?id=1&id=2", BODY),
        ("GET", "/a", b""),
    ]
    assert somebody.asked[0][2]["x-two"] == "b"


def test_a_connection_is_used_again(nearby: Nearby) -> None:
    with speaking(told()) as somebody:
        for _ in range(3):
            nearby.ask("GET", somebody.url, None, {})
        assert somebody.connections == 1


def test_each_thread_has_a_connection_of_its_own(nearby: Nearby) -> None:
    together = threading.Barrier(2, timeout=LIMIT_S)

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        together.wait()
        told()(handler, body)

    with speaking(answer) as somebody:
        asking = [threading.Thread(target=nearby.ask, args=("GET", somebody.url, None, {})) for _ in range(2)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        assert (somebody.connections, len(somebody.asked)) == (2, 2)


def test_a_connection_closed_meanwhile_is_replaced_and_nothing_is_asked_twice(nearby: Nearby) -> None:
    with speaking(told_and_gone) as somebody:
        nearby.ask("POST", somebody.url, b"1", {})
        assert somebody.ended.wait(LIMIT_S)
        nearby.ask("POST", somebody.url, b"2", {})
        assert (somebody.connections, [body for *_, body in somebody.asked]) == (2, [b"1", b"2"])


def test_a_packed_body_is_unpacked(nearby: Nearby) -> None:
    with speaking(told(gzip.compress(BODY), Content_Encoding="gzip")) as somebody:
        assert nearby.ask("GET", somebody.url, None, {})[1] == BODY


def test_a_body_in_chunks_is_read_to_its_end(nearby: Nearby) -> None:
    with speaking(in_pieces(b"{", b"}", b"")) as somebody:
        assert (
            nearby.ask("GET", somebody.url, None, {})[1]
            == nearby.ask("GET", somebody.url, None, {})[1]
            == b"{}"
        )
        assert somebody.connections == 1


@pytest.mark.parametrize(
    ("octets", "goes"),
    [
        (WHOLE.replace(b"Length: 8", b"Length: 8\r\nConnection: close"), False),  # it will, in its own time
        (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, True),  # the end of the connection is that of the answer
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + WHOLE, True),
    ],
    ids=["says that it closes", "without a length", "after early hints"],
)
def test_an_answer_is_read_to_its_end_however_that_is_told(
    nearby: Nearby, octets: bytes, *, goes: bool
) -> None:
    with speaking(as_it_is(octets, goes=goes)) as somebody:
        for _ in range(2):
            status, body, headers, _expires = nearby.ask("GET", somebody.url, None, {})
            assert (status, body, headers.get("link")) == (200, BODY, None)
            assert somebody.ended.wait(LIMIT_S)
        assert somebody.connections == 2


HALF_ANSWERS: Mapping[str, tuple[Say, str]] = {
    "cut": (cut, "ended before its answer"),
    "cut between chunks": (in_pieces(b"{"), "ended before its answer"),
    "too long": (told(b"x" * (LONGEST + 1)), "no end"),
    "too long in chunks": (in_pieces(*[b"x" * 100] * 11, b""), "no end"),
    "too long once unpacked": (told(gzip.compress(b"x" * (LONGEST + 1)), Content_Encoding="gzip"), "no end"),
    "not packed": (told(Content_Encoding="gzip"), "packed as gzip, and is not"),
    "packed in an unknown way": (told(Content_Encoding="br"), "packed as 'br'"),
    "elsewhere": (told(status=302, Location="/other"), "redirects to /other"),
    "no HTTP": (as_it_is(b"nonsense\r\n\r\n"), "HttpParserError"),
    "two lengths": (told(Content_length="3"), "HttpParserError: Duplicate"),
    "longer than it says": (told(Content_Length="2"), "more than its answer"),
    "twice": (as_it_is(WHOLE + WHOLE), "more than its answer"),
    "another protocol": (told(b"", 101, Upgrade="h2c", Connection="upgrade"), "HttpParserUpgrade"),
    "announced only": (
        as_it_is(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
        "ended before its answer",
    ),
    "endless headers": (as_it_is(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * LONGEST), "no end"),
}


@pytest.mark.parametrize(("answer", "problem"), HALF_ANSWERS.values(), ids=HALF_ANSWERS)
def test_half_an_answer_is_none_and_the_next_question_is_asked_anew(
    nearby: Nearby, answer: Say, problem: str
) -> None:
    with speaking(answer) as somebody:
        with pytest.raises(Silent, match=problem):
            nearby.ask("POST", somebody.url, BODY, {})
        assert len(somebody.asked) == 1
        somebody.say = told()
        assert nearby.ask("GET", somebody.url, None, {})[1] == BODY


def test_an_answer_is_not_told_for_the_next_question(nearby: Nearby) -> None:
    nothing, silence = as_it_is(b"HTTP/1.1 204 No Content\r\n\r\n", goes=False), as_it_is(b"")
    with speaking(nothing) as somebody:
        assert nearby.ask("GET", somebody.url, None, {})[:2] == (204, b"")
        somebody.say = silence
        with pytest.raises(Silent, match="ended before its answer"):
            nearby.ask("GET", somebody.url, None, {})
        assert somebody.connections == 1


@pytest.mark.parametrize(("method", "length"), [("POST", "0"), ("GET", None)])
def test_nothing_is_said_to_be_nothing_where_something_is_expected(
    nearby: Nearby, method: str, length: str | None
) -> None:
    with speaking(told()) as somebody:
        nearby.ask(method, somebody.url, None, {})
        assert somebody.asked[0][2].get("content-length") == length


@pytest.mark.parametrize("path", ["/a b", "/ü", "/a\u007f"])
def test_a_path_that_cannot_be_asked_is_told(nearby: Nearby, path: str) -> None:
    with speaking(told()) as somebody, pytest.raises(Silent):
        nearby.ask("GET", somebody.url + path, None, {})


def test_who_is_not_there_or_says_nothing_is_silent() -> None:
    released = threading.Event()
    hasty = Nearby(0.1, LONGEST)
    with speaking(lambda *_: released.wait(LIMIT_S)) as somebody:
        with pytest.raises(Silent, match="TimeoutError"):
            hasty.ask("GET", somebody.url, None, {})
        released.set()
    with pytest.raises(Silent, match="ConnectionRefusedError"):
        hasty.ask("GET", somebody.url, None, {})
    hasty.close()
