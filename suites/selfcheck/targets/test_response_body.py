"""Bodies of answers: nothing is unpacked without bounds, and no JSON is read that can mean two things."""

from __future__ import annotations

import gzip
import threading
import zlib

import pytest

from fixtures.targets.client import Exchange
from fixtures.targets.patience import within
from fixtures.targets.response_body import Unreadable, unpacked, value_of

LONGEST = 1000


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": 1, "b": {"a": 2}}', {"a": 1, "b": {"a": 2}}),
        (b' [1.5, -0, "\\ud800", "\xc3\xa9"] ', [1.5, 0, "\ud800", "é"]),
        (b"null", None),
        (b"[" * 100 + b"]" * 100, None),
    ],
    ids=["objects", "values", "null", "nested"],
)
def test_json_is_read(content: bytes, value: object) -> None:
    read = value_of(content)
    assert value is None or read == value


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no JSON: Expecting value"),
        (b"<html>", "no JSON: Expecting value"),
        (b'{"a": 1', "no JSON: Expecting"),
        (b"{} {}", "no JSON: Extra data"),
        (b"\xef\xbb\xbf{}", "no JSON: Unexpected UTF-8 BOM"),
        ("{}".encode("utf-16"), "no UTF-8"),
        (b'{"a": "\xff"}', "no UTF-8"),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' stands twice"),
        (b'[{"deep": {"a": 1, "a": 1}}]', "'a' stands twice"),
        (b"NaN", "no NaN"),
        (b"[-Infinity]", "no -Infinity"),
        (b"[1e999]", "1e999 is no finite number"),
        (b"1" * 5000, "a number is too long"),
        (b"[" * 10_000 + b"]" * 10_000, "nested too deep"),
    ],
    ids=[
        "nothing",
        "page",
        "cut",
        "two",
        "mark",
        "UTF-16",
        "no UTF-8",
        "twins",
        "twins deep inside",
        "NaN",
        "infinite",
        "too great",
        "too long",
        "too deep",
    ],
)
def test_what_has_no_one_meaning_is_no_json(content: bytes, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        value_of(content)
    answer = Exchange(200, content, {"content-type": "application/json"}).answer
    assert problem in answer.problem
    assert isinstance(answer.body, str)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", b"text"),
        ("identity", b"text"),
        ("GZIP", gzip.compress(b"text")),
        ("deflate", zlib.compress(b"text")),
    ],
    ids=["plain", "identity", "gzip", "deflate"],
)
def test_a_packed_body_is_unpacked(encoding: str, packed: bytes) -> None:
    assert b"".join(unpacked([packed[:5], packed[5:]], encoding, LONGEST)) == b"text"


def test_no_piece_becomes_longer_than_a_body_may_be() -> None:
    bomb = gzip.compress(bytes(1 << 24))
    assert len(next(unpacked([bomb], "gzip", LONGEST))) == LONGEST + 1


@pytest.mark.parametrize(
    ("encoding", "packed", "problem"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(b"text")), "nobody asked"),
        ("br", b"text", "nobody asked"),
        ("gzip", b"text", "is not"),
        ("gzip", gzip.compress(b"text" * 100)[:-12], "ends in the middle"),
    ],
    ids=["twice", "otherwise", "not at all", "half"],
)
def test_what_cannot_be_unpacked_is_refused(encoding: str, packed: bytes, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        list(unpacked([packed], encoding, LONGEST))


def test_what_comes_in_time_is_returned_or_raised() -> None:
    assert within(60, lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 / 0)


def test_what_never_comes_is_not_waited_for() -> None:
    never = threading.Event()
    try:
        with pytest.raises(TimeoutError, match=r"within 0\.05 s"):
            within(0.05, never.wait)
    finally:
        never.set()
