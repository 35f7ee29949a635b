"""Every recorded line with an answer is read, whatever its protocol. Every other line is reported."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ci.commands import explain
from fixtures.generation.recordings import CORPUS
from suites.selfcheck.commands.explain_runs import (
    DATA,
    DEAD_LEGACY,
    DEAD_V1,
    GO,
    PAGE,
    Capsys,
    run_explain,
    write_answers,
)
from suites.selfcheck.sample_answers import read_corpus_lines

BROKEN: Mapping[str, tuple[Any, str, str]] = {
    "text": ("soon", "not-json", "Expecting value at column 1"),
    "truncated": ('{"http_status": 404, "body"', "not-json", "Expecting ':' delimiter"),
    "too deep": ("[" * 100_000, "not-json", "it is nested too deeply"),
    "a list": ([], "not-an-answer", 'is not of type "object"'),
    "no status": ({"body": {}}, "not-an-answer", '"http_status" is a required property'),
    "no body": ({"http_status": 404}, "not-an-answer", '"body" is a required property'),
    "status as text": (
        {"http_status": "404", "body": {}},
        "not-an-answer",
        '/http_status: "404" is not of type',
    ),
    "impossible status": ({"http_status": 99, "body": {}}, "not-an-answer", "/http_status: 99 is less than"),
    "unknown protocol": (
        {"protocol": "v1", "http_status": 404, "body": {}},
        "not-an-answer",
        '/protocol: "v1" is not one of "legacy" or "fcm_v1"',
    ),
    "a topic that has the subscriber": (
        {"http_status": 409, "body": {"error": {"code": 409, "message": "m", "status": "ALREADY_EXISTS"}}},
        "not-a-send",
        "ALREADY_EXISTS answers the subscription of a topic",
    ),
    "Web Push": (
        {"http_status": 410, "body": "push subscription has unsubscribed or expired.\n"},
        "not-a-send",
        "an answer of Web Push, which is another protocol on the same host",
    ),
    "an unknown status": (
        {"protocol": "fcm_v1", "http_status": None, "body": "<HTML></HTML>"},
        "status-unknown",
        "http_status is null, and the body does not tell it",
    ),
}


@pytest.mark.parametrize(("line", "slug", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_reported_and_the_others_are_read(
    capsys: Capsys, tmp_path: Path, line: Any, slug: str, problem: str
) -> None:
    file = write_answers(tmp_path, DEAD_V1, line, "", DEAD_LEGACY)
    code, objects, err = run_explain(capsys, file)
    assert code == DATA
    assert [row["id"] for row in objects] == ["dead-v1", "dead-legacy"]
    assert err.startswith(f"{slug}: {file}, line 2: ")
    assert problem in err
    _, step = err.splitlines()
    assert step.startswith("  next: ")


def test_broken_lines_are_reported_beside_the_table(capsys: Capsys, tmp_path: Path) -> None:
    assert explain.main([write_answers(tmp_path, "{", DEAD_V1, "[]")]) == DATA
    out, err = capsys.readouterr()
    assert "v1-UNREGISTERED" in out
    assert ["line 1" in err, "line 2" in err, "line 3" in err] == [True, False, True], err


# --- which protocol

PROTOCOLS: Mapping[str, tuple[list[Any], tuple[str, ...], list[str]]] = {
    "inferred": ([DEAD_V1, DEAD_LEGACY], (), ["fcm_v1", "legacy"]),
    "carried over from v1": ([DEAD_V1, PAGE], (), ["fcm_v1", "fcm_v1"]),
    "carried over from legacy": ([DEAD_LEGACY, PAGE], (), ["legacy", "legacy"]),
    "from the first that tells": ([PAGE, PAGE, DEAD_LEGACY], (), ["legacy"] * 3),
    "over a broken line": ([DEAD_LEGACY, {"http_status": 404}, PAGE], (), ["legacy", "legacy"]),
    "by --protocol legacy": ([PAGE], ("--protocol", "legacy"), ["legacy"]),
    "by --protocol fcm_v1": ([PAGE], ("--protocol", "fcm_v1"), ["fcm_v1"]),
    "by the line, not --protocol": ([{**PAGE, "protocol": "legacy"}], ("--protocol", "fcm_v1"), ["legacy"]),
    "by the line, not the body": ([{**DEAD_V1, "protocol": "legacy"}], (), ["legacy"]),
}


@pytest.mark.parametrize(("lines", "options", "protocols"), PROTOCOLS.values(), ids=PROTOCOLS)
def test_the_protocol(
    capsys: Capsys, tmp_path: Path, lines: list[Any], options: tuple[str, ...], protocols: list[str]
) -> None:
    _, objects, _ = run_explain(capsys, write_answers(tmp_path, *lines), *options)
    assert [row["protocol"] for row in objects] == protocols


def test_an_unknown_protocol(capsys: Capsys, tmp_path: Path) -> None:
    code, objects, err = run_explain(capsys, write_answers(tmp_path, PAGE, {**PAGE, "body": {}}))
    assert (code, objects) == (DATA, [])
    *messages, step = err.splitlines()
    assert step.startswith("  next: ")
    assert [line.partition(": ")[0] for line in messages] == ["protocol-unknown"] * 2
    assert ["line 1" in messages[0], "line 2" in messages[1]] == [True, True]
    assert 'add "protocol" or give --protocol' in messages[0]


NULL_STATUS: Mapping[str, tuple[dict[str, Any], str]] = {
    "v1 error": ({"error": {"code": 503, "status": "UNAVAILABLE"}}, "v1-bare-5xx"),
    "v1 error with its code as text": ({"error": {"code": "503", "status": "UNAVAILABLE"}}, "v1-bare-5xx"),
    "legacy results": ({"results": [{"error": "NotRegistered"}]}, "legacy-NotRegistered"),
    "v1 success": ({"name": "projects/p/messages/1"}, "v1-delivered"),
}


@pytest.mark.parametrize(("body", "case"), NULL_STATUS.values(), ids=NULL_STATUS)
def test_a_null_status_is_read_from_the_body(
    capsys: Capsys, tmp_path: Path, body: dict[str, Any], case: str
) -> None:
    code, objects, _ = run_explain(capsys, write_answers(tmp_path, {"http_status": None, "body": body}))
    assert (code, [row["case"] for row in objects]) == (GO, [case])


UNTOLD: Mapping[str, Any] = {
    "an object that says nothing": {"other": 1},
    "an error of an SDK": {"errorInfo": {"code": "messaging/registration-token-not-registered"}},
    "an error of OAuth": {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
    "a status of gRPC": {"code": 5, "message": "Requested entity was not found.", "details": []},
}


@pytest.mark.parametrize("body", UNTOLD.values(), ids=UNTOLD)
def test_a_null_status_is_never_taken_for_200(capsys: Capsys, tmp_path: Path, body: Any) -> None:
    line = {"protocol": "fcm_v1", "http_status": None, "body": body}
    code, objects, err = run_explain(capsys, write_answers(tmp_path, line))
    assert (code, objects, err.partition(":")[0]) == (DATA, [], "status-unknown")


BODY = json.dumps(DEAD_V1["body"])
UNWRAPPED = {"message": "m", "status": "NOT_FOUND", **json.loads(BODY)["error"]}
WRAPPED: Mapping[str, Any] = {
    "text": BODY,
    "text with a byte order mark": f"\ufeff{BODY}",
    "base64": base64.b64encode(BODY.encode()).decode(),
    "repr of a Python dict": repr(DEAD_V1["body"]),
    "a list of one": [DEAD_V1["body"]],
    "text of a list of one": f"[{BODY}]",
    "without its wrapper": UNWRAPPED,
}


@pytest.mark.parametrize("body", WRAPPED.values(), ids=WRAPPED)
def test_a_wrapped_body_is_unwrapped(capsys: Capsys, tmp_path: Path, body: Any) -> None:
    file = write_answers(tmp_path, {"protocol": "fcm_v1", "http_status": 404, "body": body})
    assert [row["case"] for row in run_explain(capsys, file)[1]] == ["v1-UNREGISTERED"]


@pytest.mark.parametrize("body", [BODY[:-9], f"{BODY} and more", f"x{BODY}"], ids=["cut", "longer", "prefix"])
def test_a_body_that_is_not_whole_stays_text(capsys: Capsys, tmp_path: Path, body: str) -> None:
    file = write_answers(tmp_path, {"protocol": "fcm_v1", "http_status": 404, "body": body})
    (row,) = run_explain(capsys, file)[1]
    assert (row["case"], row["outcome"]) == ("v1-text-404", "alert")
    assert "cut off" in row["why"]


@pytest.mark.parametrize(("value", "wait_s"), [(["3600"], 3600), ([3600], 3600), (["120", "3600"], 60)])
def test_a_header_may_be_a_list(capsys: Capsys, tmp_path: Path, value: list[Any], wait_s: int) -> None:
    line = {"protocol": "fcm_v1", "http_status": 429, "headers": {"Retry-After": value}, "body": ""}
    assert run_explain(capsys, write_answers(tmp_path, line))[1][0]["wait_s"] == wait_s


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["as it is", "byte order mark"])
def test_bytes_that_are_not_utf_8_cost_no_answer(capsys: Capsys, tmp_path: Path, start: bytes) -> None:
    answer = json.dumps({**DEAD_V1, "id": "?"}).encode().replace(b"?", b"\xe9")
    (tmp_path / "latin.ndjson").write_bytes(start + answer)
    code, objects, err = run_explain(capsys, str(tmp_path / "latin.ndjson"))
    assert (code, err) == (GO, "")
    assert [(row["id"], row["case"]) for row in objects] == [("\ufffd", "v1-UNREGISTERED")]


# --- what FCM really answered


def test_every_documented_answer_is_explained(capsys: Capsys) -> None:
    code, rows, err = run_explain(capsys, str(CORPUS))
    assert (code, err) == (GO, "")
    cases: dict[str, list[str]] = {}
    for row in rows:
        cases.setdefault(row["id"], []).append(row["case"])
    expected = {line["id"]: line["expect"] for line in read_corpus_lines()}
    assert cases == {id_: case if isinstance(case, list) else [case] for id_, case in expected.items()}
    assert len(cases) > 80
