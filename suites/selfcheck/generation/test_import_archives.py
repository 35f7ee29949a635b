"""Zip files and YAML are read, within limits, and what of them cannot be read is named."""

import gzip
import io
import json
import zipfile

import pytest

from fixtures.generation.importing import archives
from suites.selfcheck.generation.import_forms import (
    BATCH,
    DEAD,
    GONE,
    KEPT,
    LATER,
    PRETTY,
    SEND,
    SENT,
    TEXT,
    TEXT_BUSY,
    THREE,
    lines,
    read,
)

MANY = lines(*[GONE] * 50)


def damaged_list(archive: bytes) -> bytes:
    """An archive whose list of members is damaged behind the first one."""
    before, last_entry, after = archive.rpartition(b"PK\x01\x02")
    return before + last_entry[:-1] + b"\x00" + after


def pack(*members: str | bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"logs/{number}.log", member)
    return file.getvalue()


def encrypted(data: bytes) -> bytes:
    """A zip file whose only member says that it is encrypted."""
    changed, entry = bytearray(data), data.find(b"PK\x01\x02")
    changed[6] |= 1
    changed[entry + 8] |= 1
    return bytes(changed)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_each_member_of_a_zip_file_is_read(compression: int) -> None:
    members = (lines(GONE), gzip.compress(f"fcm {TEXT_BUSY}\n".encode()), lines(SENT).encode("utf-16"))
    imported, _ = read(pack(*members, compression=compression))
    assert (imported.outcomes, imported.not_taken) == (DEAD | LATER | KEPT, {})


@pytest.mark.parametrize(
    ("data", "slug", "problem"),
    [
        (pack(MANY)[:-40], "compressed", "zip, cut off or in another file"),
        (damaged_list(pack(MANY, MANY)), "archive", "the list of members"),
        (pack(MANY)[:60] + b"\xff\xff\xff" + pack(MANY)[63:], "archive", "damaged"),
        (encrypted(pack(MANY)), "archive", "it is encrypted"),
        (pack(pack(MANY)), "compressed", "logs/0.log, line 1: "),
    ],
    ids=["cut off", "no list", "damaged", "encrypted", "zip in zip"],
)
def test_what_of_a_zip_file_cannot_be_read_is_named(data: bytes, slug: str, problem: str) -> None:
    imported, _ = read(data)
    assert (imported.outcomes, imported.not_taken) == ({}, {slug: 1})
    assert problem in imported.first[slug]


def test_a_zip_bomb_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "SMALL_ARCHIVE", 100)
    bomb = pack(lines(GONE) + "x" * 30_000_000, "y" * 30_000_000, lines(SENT))
    imported, _ = read(bomb)
    assert imported.outcomes == DEAD
    assert imported.not_taken == {"archive": 2 + 1}
    assert "become too large" in imported.first["archive"]
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    imported, _ = read(pack(lines(GONE), lines(SENT), lines(GONE)))
    assert (imported.outcomes, imported.not_taken) == (DEAD | KEPT, {"archive": 1})


CASSETTE = f"""interactions:
- request: {{method: POST, uri: '{SEND}', body: '{{"message": {{}}}}'}}
  response:
    body:
      string: {json.dumps(PRETTY)}
    headers: {{Content-Type: [application/json]}}
    status: {{code: 404, message: Not Found}}
- request: {{method: POST, uri: '{SEND}', body: ''}}
  response:
    body: {{encoding: UTF-8, string: '<html>'}}
    headers:
      Retry-After: ['31']
    status:
      code: 503
      message: Service Unavailable
recorded_at: 2026-11-30 10:00:00
"""


def test_messages_that_vcr_recorded_are_read() -> None:
    for text in (
        CASSETTE,
        f"---\n{CASSETTE}",
        f"# recorded\n---\n{CASSETTE}",
        CASSETTE.replace("\n", "\r\n"),
    ):
        imported, replay = read(text)
        assert (imported.outcomes, imported.not_taken) == (DEAD | LATER, {})
        assert replay[1]["headers"] == {"Retry-After": "31"}


def test_other_yaml_is_read() -> None:
    native = "- error:\n    code: 404\n    message: gone\n    status: NOT_FOUND\n    details:\n"
    native += f"    - '@type': {GONE['error']['details'][0]['@type']}\n      errorCode: UNREGISTERED\n"
    imported, _ = read(native)
    assert (imported.outcomes, imported.not_taken) == (DEAD, {})


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        (f"---\nfcm answered {TEXT}\n: not: yaml: [\n", DEAD),
        (f"error:\n\tat a.B\nfcm {TEXT}\n", DEAD),
        (f"a: \n  - &x [1, 2]\n  - *x\nfcm: {TEXT}\n", DEAD),
        (f"push:\n{BATCH}", THREE),
    ],
    ids=["a line above", "a stack trace", "references", "a batch"],
)
def test_a_log_that_begins_like_yaml_is_read_as_text(text: str, outcomes: dict[str, int]) -> None:
    imported, _ = read(text)
    assert (imported.outcomes, imported.not_taken) == (outcomes, {})
