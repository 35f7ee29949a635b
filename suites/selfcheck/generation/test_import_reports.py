"""FCM answers are found in files of any kind and anonymized. Broken parts cost no other answer."""

import base64
import gzip
import io
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ci.commands import import_reports as command
from fixtures.generation import recordings
from fixtures.generation.importing import readers
from fixtures.generation.importing.deduplicate import ImportedAnswers
from suites.selfcheck.core.canaries import SHAPED

TOKEN = "d8fGh2kQ0x4:APA91bH" + "x7_-" * 30
CANARIES = (
    TOKEN,
    "jane.doe+fcm@customer.example",
    "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
    "ya29.c.Kl6iB-abcdefg",
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln",
    "mega-secret-project-4711",
    "958d25b7-1c1e-4d5a-9d0b-0123456789ab",
    "+4915112345678",
    *(canary for name, canary in SHAPED.items() if name != "private key"),
)
CANARY = " ".join(CANARIES[1:])
DEAD = {
    "error": {
        "code": 404,
        "message": f"Requested entity was not found for {TOKEN} {CANARY}",
        "status": "NOT_FOUND",
        "details": [
            {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
        ],
    }
}
LEGACY = {
    "multicast_id": 1,
    "results": [{"error": "NotRegistered"}, {"message_id": "1:2", "registration_id": TOKEN}],
}
NEW = json.loads(json.dumps(DEAD).replace("UNREGISTERED", "TOKEN_ASLEEP"))
DICE = random.Random(7)  # noqa: S311  noise, no secret
RECORD = {"http_status": 404, "headers": {"Authorization": CANARY, "retry-after": "30"}, "body": DEAD}
URL = "https://fcm.googleapis.com/v1/projects/mega-secret-project-4711/messages:send"


def with_code(code: Any, **members: Any) -> str:
    return json.dumps({"error": {**DEAD["error"], "code": code, **members}})


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (with_code("404"), [404]),
        (with_code("404", status="404"), [404]),
        (with_code("gone", status="404"), [404]),
        (with_code("40"), []),
        (with_code("604"), []),
        (with_code("4040"), []),
        ('{"error": {"code": "404", "message": "no such page"}}', [404]),
        ('{"error": {"status": "404", "message": "no such page"}}', []),
    ],
)
def test_a_status_that_a_logger_made_a_text_is_read(body: str, statuses: list[int]) -> None:
    imported = ImportedAnswers()
    replay = [json.loads(line) for line in imported.read(io.BytesIO(f"fcm {body}\n".encode()), "mine")]
    assert [row["http_status"] for row in replay] == statuses


def har(body: Any, status: int = 404, url: str = URL, **content: Any) -> dict[str, Any]:
    """An entry of a HAR file."""
    text = body if isinstance(body, str) else json.dumps(body)
    headers = [{"name": "Set-Cookie", "value": CANARY}, {"name": "Retry-After", "value": "30"}]
    response = {"status": status, "headers": headers, "content": {"text": text, **content}}
    return {"request": {"method": "POST", "url": url, "headers": headers}, "response": response}


HAR = {"log": {"version": "1.2", "pages": [{"id": "p"}], "entries": [har(DEAD), har("<html>", 502)]}}
DEAD_64 = base64.b64encode(json.dumps(DEAD).encode()).decode()
ELSEWHERE = "https://other.example/x"
UNREGISTERED = ["v1-UNREGISTERED"]
BOTH = ["legacy-NotRegistered", "legacy-canonical-id"]

FORMS: Mapping[str, tuple[str, list[str]]] = {
    "NDJSON": (f"{json.dumps(RECORD)}\n{json.dumps(LEGACY)}\n", UNREGISTERED + BOTH),
    "an array": (json.dumps([RECORD, LEGACY]), UNREGISTERED + BOTH),
    "an array for people": (json.dumps([RECORD, LEGACY], indent=2), UNREGISTERED + BOTH),
    "an array, a line each": (f"[\n{json.dumps(RECORD)},\n{json.dumps(LEGACY)}\n]\n", UNREGISTERED + BOTH),
    "objects for people": (
        json.dumps(RECORD, indent=2) + "\n" + json.dumps(LEGACY, indent=2),
        UNREGISTERED + BOTH,
    ),
    "HAR": (json.dumps(HAR), [*UNREGISTERED, "v1-text-5xx"]),
    "HAR for people": (json.dumps(HAR, indent=1), [*UNREGISTERED, "v1-text-5xx"]),
    "HAR in base64": (json.dumps({"log": {"entries": [har(DEAD_64, encoding="base64")]}}), UNREGISTERED),
    "HAR of others": (json.dumps({"log": {"entries": [har({"ok": 1}, 200, ELSEWHERE)]}}), []),
    "log lines": (
        f"[2026-01-01 12:00] WARN {{id}} got {json.dumps(DEAD)} in 3 ms\nno {{ JSON\n",
        UNREGISTERED,
    ),
    "container logs": (json.dumps({"log": f"got {json.dumps(DEAD)}\n", "stream": "stderr"}), UNREGISTERED),
    "an export": (
        json.dumps({"hits": {"hits": [{"_source": {"status": 404, "body": json.dumps(DEAD)}}]}}),
        UNREGISTERED,
    ),
    "reports": (
        json.dumps({"token": TOKEN, "http_status": 200, "response": {"error": "NotRegistered"}}),
        BOTH[:1],
    ),
    "a byte order mark": (f"\ufeff{json.dumps(RECORD)}\n", UNREGISTERED),
    "other errors": (
        json.dumps({"error": "no such user"}) + json.dumps({"name": "Jane", "results": [1]}),
        [],
    ),
}


def import_file(tmp_path: Path, content: str | bytes) -> tuple[list[str], ImportedAnswers, str]:
    """The cases of the imported answers, the counts, and the text of the replay file."""
    file = tmp_path / "mine"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    imported = ImportedAnswers()
    with file.open("rb") as source:
        lines = list(imported.read(source, "mine"))
    entries = [
        entry for entry in recordings.read_recording(lines) if isinstance(entry, recordings.RecordedAnswer)
    ]
    return [entry.case.id for entry in entries], imported, "\n".join(lines)


@pytest.mark.parametrize(("text", "cases"), FORMS.values(), ids=FORMS)
def test_answers_are_found_and_anonymized(tmp_path: Path, text: str, cases: list[str]) -> None:
    imported_cases, imported, replay = import_file(tmp_path, text)
    assert imported_cases == cases
    assert not imported.not_taken
    assert [canary for canary in CANARIES if canary in replay] == []


def test_a_long_document_is_read_object_by_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_VALUE", 4096)
    many = {"log": {"entries": [har({**DEAD, "n": "x" * n}, 404) for n in range(100)]}}
    for indent in (None, 2):
        cases, imported, _ = import_file(tmp_path, json.dumps(many, indent=indent))
        assert (len(cases), dict(imported.not_taken)) == (100, {})
    huge = [DEAD, {"a": ["{" * 9000]}, DEAD, {"b": "}" * 3000, "c": "x" * 9000}, LEGACY]
    cases, imported, _ = import_file(tmp_path, json.dumps(huge, indent=1))
    assert (cases, set(imported.not_taken)) == (UNREGISTERED + BOTH, {"too-long"})


@pytest.mark.parametrize("indent", [None, 1])
def test_a_syntax_error_in_a_document_costs_one_object(tmp_path: Path, indent: int | None) -> None:
    document = json.dumps([DEAD, {"broken": 1}, NEW, LEGACY], indent=indent)
    assert '"broken": 1' in document
    document = document.replace('"broken": 1', '"broken": x')
    cases, imported, _ = import_file(tmp_path, document)
    assert (len(cases), dict(imported.not_taken)) == (4, {"not-json": 1})


def test_a_document_that_is_cut_off_is_reported(tmp_path: Path) -> None:
    cases, imported, _ = import_file(tmp_path, json.dumps([LEGACY, DEAD], indent=1)[:-20])
    assert (cases, dict(imported.not_taken)) == (BOTH, {"cut-off": 1})


def test_each_shape_is_kept_once_and_all_are_counted(tmp_path: Path) -> None:
    lines = [json.dumps({**RECORD, "headers": {"Retry-After": str(n)}, "n": n}) for n in range(500)]
    other_shape = json.dumps({**RECORD, "http_status": 400})
    cases, imported, _ = import_file(tmp_path, "\n".join([*lines, other_shape]))
    assert (cases, imported.answers) == (UNREGISTERED * 2, 501)
    assert imported.outcomes == {"unsubscribe": 501}


def test_an_unknown_code_is_named(tmp_path: Path) -> None:
    _, imported, _ = import_file(tmp_path, json.dumps([NEW, {"results": [{"error": "Asleep"}]}, NEW]))
    counts = {name.split()[0]: number for name, number in imported.unknown.items()}
    assert counts == {"TOKEN_ASLEEP": 2, "Asleep": 1}


BROKEN: Mapping[str, tuple[bytes, dict[str, int]]] = {
    "a line cut off": (b'{"http_status": 404, "bo\n', {"not-json": 1}),
    "too deep": (b'{"a":' * 100_000 + b"\n", {"not-json": 1}),
    "zeros": (bytes(100_000) + b"\n", {}),
    "not UTF-8": (b'{"a": "\xff\xfe"}\n', {}),
    "noise": (DICE.randbytes(300_000).replace(b"{", b"") + b"\n", {}),
    "brackets": (b"]}]}[[{{}}" * 1000 + b"\n", {}),
}


@pytest.mark.parametrize(("noise", "slugs"), BROKEN.values(), ids=BROKEN)
def test_broken_lines_are_reported_and_the_others_are_read(
    tmp_path: Path, noise: bytes, slugs: dict[str, int]
) -> None:
    valid = json.dumps(RECORD).encode() + b"\n"
    cases, imported, _ = import_file(tmp_path, valid + noise + json.dumps(LEGACY).encode())
    assert (cases, dict(imported.not_taken)) == (UNREGISTERED + BOTH, slugs)
    assert all("mine, line 2: " in line for line in imported.first.values())


def test_a_compressed_body_that_is_damaged_costs_no_other(tmp_path: Path) -> None:
    damaged = gzip.compress(json.dumps(DEAD).encode())[:12] + b"\xff" * 40
    record = {"url": URL, "status": 404, "body": base64.b64encode(damaged).decode()}
    cases, _, _ = import_file(tmp_path, f"{json.dumps(record)}\n{json.dumps(LEGACY)}\n")
    assert cases[1:] == BOTH


def test_noise_raises_no_error(tmp_path: Path) -> None:
    for seed in range(20):
        noise = DICE.choices(b'{}[]":,\\\n 0aerr\xff', k=20_000)
        cases, _, _ = import_file(tmp_path, b"[{" * (seed % 2) + bytes(noise))
        assert cases == []


# --- the command


def test_the_output_can_be_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, output = tmp_path / "a.har", tmp_path / "out.ndjson"
    file.write_text(json.dumps(HAR), encoding="utf-8")
    assert command.main([str(file), "--output", str(output)]) == 0
    assert f"next: ./ci/gate --replay {output}" in capsys.readouterr().out
    assert len(recordings.read_answers(output)) == 2


def test_a_broken_line_is_reported_and_the_rest_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, output = tmp_path / "a", tmp_path / "out.ndjson"
    file.write_text(json.dumps(RECORD) + "\n{\n", encoding="utf-8")
    assert command.main([str(file), "--output", str(output)]) == 65
    assert f"not-json: {file}, line 2" in capsys.readouterr().err
    assert len(output.read_text().splitlines()) == 1
    file.write_text("nothing\n", encoding="utf-8")
    assert command.main([str(file), "--output", str(output)]) == 65
    assert "no-answers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "slug"), [(["none"], "unreadable-file"), (["mine", "--output", "mine"], "output")]
)
def test_wrong_usage_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], slug: str
) -> None:
    (tmp_path / "mine").write_text("{}", encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        command.main(["--from", str(tmp_path), *arguments])
    assert stopped.value.code == 64
    assert slug in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "{}"


def test_the_account_is_printed_as_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, output = tmp_path / "a", tmp_path / "out.ndjson"
    file.write_text(f"{json.dumps(RECORD)}\nWARN token 7: NotRegistered\n", encoding="utf-8")
    assert command.main([str(file), "--json", "--output", str(output)]) == 65
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {
        "answers": 1,
        "outcomes": {"unsubscribe": 1},
        "not_taken": {"unreadable": 1},
        "shapes": 1,
        "output": str(output),
    }
    reason = f"unreadable: {file}, line 2: words of FCM, but no body: WARN token 7: NotRegistered"
    assert f"1 not taken, first {reason}" in printed.err
    assert "next: log the response body as JSON" in printed.err
