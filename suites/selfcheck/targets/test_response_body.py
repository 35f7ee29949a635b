"""Response bodies are decompressed within a limit, and no JSON is read that can mean two things."""

import gzip
import zlib

import pytest

from fixtures.targets.http import RawResponse, UnreadableBody, decompress, parse_json

MAX_SIZE = 1000


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
    parsed = parse_json(content)
    assert value is None or parsed == value


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
        (b"[" * 10_000 + b"]" * 10_000, "nested deeper than 100"),
        (b"[" * 200_000 + b"]" * 200_000, "nested deeper than 100"),
        (b"[" * 101 + b"]" * 101, "nested deeper than 100"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "nested deeper than 100"),
        (b"[" + b"1," * 50_000 + b"1]", "over 50000 values"),
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
        "too deep for any parser",
        "deeper than anything that is read",
        "objects too deep",
        "too many",
    ],
)
def test_json_without_one_meaning_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(UnreadableBody, match=problem):
        parse_json(content)
    headers = {"content-type": "application/json"}
    answer = RawResponse(status=200, headers=headers, content=content).answer
    assert problem in answer.problem
    assert isinstance(answer.body, str)


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("", b"text"),
        ("identity", b"text"),
        ("GZIP", gzip.compress(b"text")),
        ("deflate", zlib.compress(b"text")),
    ],
    ids=["plain", "identity", "gzip", "deflate"],
)
def test_a_compressed_body_is_decompressed(encoding: str, content: bytes) -> None:
    assert b"".join(decompress([content[:5], content[5:]], encoding, MAX_SIZE)) == b"text"


def test_no_chunk_becomes_longer_than_the_limit() -> None:
    bomb = gzip.compress(bytes(1 << 24))
    assert len(next(decompress([bomb], "gzip", MAX_SIZE))) == MAX_SIZE + 1


@pytest.mark.parametrize(
    ("encoding", "content", "problem"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(b"text")), "not requested"),
        ("br", b"text", "not requested"),
        ("gzip", b"text", "is not compressed so"),
        ("gzip", gzip.compress(b"text" * 100)[:-12], "ends in the middle"),
    ],
    ids=["twice", "otherwise", "not at all", "half"],
)
def test_a_wrongly_compressed_body_is_refused(encoding: str, content: bytes, problem: str) -> None:
    with pytest.raises(UnreadableBody, match=problem):
        list(decompress([content], encoding, MAX_SIZE))
