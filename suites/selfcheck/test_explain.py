"""`./ci/explain` answers every line that holds an answer, and names every line that does not."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures import schemas
from fixtures.catalogue import load
from fixtures.recordings import CORPUS
from suites.selfcheck.samples import corpus, corpus_lines

explain = importlib.import_module("ci.explain")  # a command under test, by name: suites build on no command
GO, USAGE, DATA = 0, 64, 65

ROOT = Path(__file__).resolve().parents[2]
RECORDED = sorted((ROOT.parent / "shared" / "data").glob("responses_*.ndjson"))
COUNTS = {"responses_fcm_v1.ndjson": 152, "responses_legacy.ndjson": 118}

DEAD_V1 = {
    "id": "dead-v1",
    "http_status": 404,
    "body": {
        "error": {
            "code": 404,
            "details": [
                {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
            ],
        }
    },
}
DEAD_LEGACY = {"id": "dead-legacy", "http_status": 200, "body": {"results": [{"error": "NotRegistered"}]}}
PAGE = {"id": "page", "http_status": 404, "body": "<HTML></HTML>"}

Capsys = pytest.CaptureFixture[str]


def written(tmp_path: Path, *lines: Any) -> str:
    """A file of these lines: texts as they stand, anything else as JSON."""
    file = tmp_path / "answers.ndjson"
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return str(file)


def explained(capsys: Capsys, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """The exit code, the objects that --json prints, and what is said on stderr."""
    code = explain.main([*arguments, "--json"])
    out, err = capsys.readouterr()
    objects = [json.loads(line) for line in out.splitlines()]
    for found in objects:
        schemas.validate(found, "explanation.schema.json")
    return code, objects, err


def refused(capsys: Capsys, *arguments: str) -> str:
    """What is said on stderr when a command exits as wrongly used."""
    with pytest.raises(SystemExit) as caught:
        explain.main(list(arguments))
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (USAGE, "")
    return err


def test_the_corpus_is_explained(capsys: Capsys) -> None:
    code, objects, err = explained(capsys, str(CORPUS))
    assert (code, err) == (GO, "")
    assert [found["case"] for found in objects] == [
        case for line in corpus_lines() for case in line["expect"]
    ]
    assert objects == [entry.explain() for entry in corpus()]


def test_the_members_are_those_of_the_case(capsys: Capsys, tmp_path: Path) -> None:
    busy = {
        "http_status": 503,
        "headers": {"Retry-After": "120"},
        "body": {"error": {"status": "UNAVAILABLE"}},
    }
    _, objects, _ = explained(capsys, written(tmp_path, DEAD_V1, busy))
    case = load()["v1-UNREGISTERED"]
    assert objects[0] == {
        "id": "dead-v1",
        "protocol": "fcm_v1",
        "case": case.id,
        "code": "UNREGISTERED",
        "outcome": "unsubscribe",
        "wait_s": None,
        "why": case.why,
    }
    assert (objects[1]["id"], objects[1]["outcome"], objects[1]["wait_s"]) == ("line-2", "postpone", 120)


def test_the_table_shows_each_answer(capsys: Capsys, tmp_path: Path) -> None:
    busy = {"id": "[bold]", "http_status": 429, "body": {"error": {"status": "RESOURCE_EXHAUSTED"}}}
    assert explain.main([written(tmp_path, DEAD_LEGACY, DEAD_V1, busy)]) == GO
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["answer", "case", "outcome", "wait", "why"]
    assert [row[:3] for row in rows[1:3]] == [
        ["dead-legacy", "legacy-NotRegistered", "unsubscribe"],
        ["dead-v1", "v1-UNREGISTERED", "unsubscribe"],
    ]
    assert rows[3][:5] == ["[bold]", "v1-bare-429", "postpone", "60", "s"]
    assert load()["v1-UNREGISTERED"].why in out
    assert err == ""


def test_the_table_shows_the_position_of_a_result(capsys: Capsys, tmp_path: Path) -> None:
    body = {"results": [{"message_id": "1"}, {"error": "NotRegistered"}]}
    explain.main([written(tmp_path, {"id": "two", "http_status": 200, "body": body})])
    out = capsys.readouterr().out
    assert "two [0]" in out
    assert "two [1]" in out


def test_a_multicast_gives_one_object_for_each_result(capsys: Capsys, tmp_path: Path) -> None:
    body = {"results": [{"message_id": "1"}, {"error": "NotRegistered"}, {"registration_id": "new"}]}
    _, objects, _ = explained(capsys, written(tmp_path, {"id": "many", "http_status": 200, "body": body}))
    assert [(found["id"], found["result"], found["outcome"]) for found in objects] == [
        ("many", 0, "keep"),
        ("many", 1, "unsubscribe"),
        ("many", 2, "replace_token"),
    ]


@pytest.mark.parametrize(
    "line", [DEAD_V1, DEAD_LEGACY, {**PAGE, "protocol": "legacy"}], ids=lambda line: line["id"]
)
def test_a_single_answer_has_no_position(capsys: Capsys, tmp_path: Path, line: Any) -> None:
    _, objects, _ = explained(capsys, written(tmp_path, line))
    assert [found["id"] for found in objects] == [line["id"]]
    assert "result" not in objects[0]


def test_standard_input_is_read(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({**DEAD_V1, "id": "ключ"}, ensure_ascii=False)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="latin-1"))
    code, objects, err = explained(capsys, "-")
    assert (code, [found["id"] for found in objects], err) == (GO, ["ключ"], "")


BROKEN: Mapping[str, tuple[Any, str, str]] = {
    "text": ("soon", "not-json", "Expecting value at column 1"),
    "truncated": ('{"http_status": 404, "body"', "not-json", "Expecting ':' delimiter"),
    "too deep": ("[" * 100_000, "not-json", ""),
    "a list": ([], "not-an-answer", "is not of type 'object'"),
    "no status": ({"body": {}}, "not-an-answer", "'http_status' is a required property"),
    "no body": ({"http_status": 404}, "not-an-answer", "'body' is a required property"),
    "status as text": (
        {"http_status": "404", "body": {}},
        "not-an-answer",
        "/http_status: '404' is not of type",
    ),
    "impossible status": ({"http_status": 99, "body": {}}, "not-an-answer", "/http_status: 99 is less than"),
    "unknown protocol": (
        {"protocol": "v1", "http_status": 404, "body": {}},
        "not-an-answer",
        "/protocol: 'v1' is not one of ['legacy', 'fcm_v1']",
    ),
    "status that nobody tells": (
        {"protocol": "fcm_v1", "http_status": None, "body": "<HTML></HTML>"},
        "status-unknown",
        "http_status is null, and the body does not tell it",
    ),
}


@pytest.mark.parametrize(("line", "slug", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_named_and_costs_nobody_else(
    capsys: Capsys, tmp_path: Path, line: Any, slug: str, problem: str
) -> None:
    file = written(tmp_path, DEAD_V1, line, "", DEAD_LEGACY)
    code, objects, err = explained(capsys, file)
    assert code == DATA
    assert [found["id"] for found in objects] == ["dead-v1", "dead-legacy"]
    assert err.startswith(f"{slug}: {file}, line 2: ")
    assert problem in err
    assert len(err.splitlines()) == 1


def test_broken_lines_are_named_beside_the_table(capsys: Capsys, tmp_path: Path) -> None:
    assert explain.main([written(tmp_path, "{", DEAD_V1, "[]")]) == DATA
    out, err = capsys.readouterr()
    assert "v1-UNREGISTERED" in out
    assert ["line 1" in err, "line 2" in err, "line 3" in err] == [True, False, True], err


# --- which protocol

TOLD: Mapping[str, tuple[list[Any], tuple[str, ...], list[str]]] = {
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


@pytest.mark.parametrize(("lines", "options", "protocols"), TOLD.values(), ids=TOLD)
def test_the_protocol(
    capsys: Capsys, tmp_path: Path, lines: list[Any], options: tuple[str, ...], protocols: list[str]
) -> None:
    _, objects, _ = explained(capsys, written(tmp_path, *lines), *options)
    assert [found["protocol"] for found in objects] == protocols


def test_a_protocol_that_nobody_tells(capsys: Capsys, tmp_path: Path) -> None:
    code, objects, err = explained(capsys, written(tmp_path, PAGE, {**PAGE, "body": {}}))
    assert (code, objects) == (DATA, [])
    said = err.splitlines()
    assert [line.partition(": ")[0] for line in said] == ["protocol-unknown"] * 2
    assert ["line 1" in said[0], "line 2" in said[1]] == [True, True]
    assert 'add "protocol" or give --protocol' in said[0]


NULL_STATUS: Mapping[str, tuple[dict[str, Any], str]] = {
    "v1 error": ({"error": {"code": 503, "status": "UNAVAILABLE"}}, "v1-bare-5xx"),
    "legacy results": ({"results": [{"error": "NotRegistered"}]}, "legacy-NotRegistered"),
    "v1 success": ({"name": "projects/p/messages/1"}, "v1-delivered"),
}


@pytest.mark.parametrize(("body", "case"), NULL_STATUS.values(), ids=NULL_STATUS)
def test_a_null_status_is_read_from_the_body(
    capsys: Capsys, tmp_path: Path, body: dict[str, Any], case: str
) -> None:
    code, objects, _ = explained(capsys, written(tmp_path, {"http_status": None, "body": body}))
    assert (code, [found["case"] for found in objects]) == (GO, [case])


def test_a_body_recorded_as_text_is_parsed(capsys: Capsys, tmp_path: Path) -> None:
    line = {**DEAD_V1, "body": json.dumps(DEAD_V1["body"])}
    assert explained(capsys, written(tmp_path, line))[1][0]["case"] == "v1-UNREGISTERED"


# --- wrong usage


def test_a_missing_file_is_named(capsys: Capsys, tmp_path: Path) -> None:
    said = refused(capsys, str(tmp_path / "none.ndjson"))
    assert f"unreadable-file: '{tmp_path / 'none.ndjson'}': No such file" in said
    assert "allowed: a file of NDJSON, or -\n  next: ./ci/explain --help" in said


def test_a_folder_is_no_file(capsys: Capsys, tmp_path: Path) -> None:
    assert f"unreadable-file: '{tmp_path}': " in refused(capsys, str(tmp_path))


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["as it is", "byte order mark"])
def test_bytes_that_are_not_utf_8_cost_no_answer(capsys: Capsys, tmp_path: Path, start: bytes) -> None:
    answer = json.dumps({**DEAD_V1, "id": "?"}).encode().replace(b"?", b"\xe9")
    (tmp_path / "latin.ndjson").write_bytes(start + answer)
    code, objects, err = explained(capsys, str(tmp_path / "latin.ndjson"))
    assert (code, err) == (GO, "")
    assert [(found["id"], found["case"]) for found in objects] == [("\ufffd", "v1-UNREGISTERED")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["x", "--jsn"], "unrecognized arguments: --jsn", id="unknown option"),
        pytest.param([], "the following arguments are required: FILE|-", id="no file"),
        pytest.param(
            ["x", "--protocol", "v1"],
            "argument --protocol: invalid choice: 'v1' (choose from",
            id="unknown protocol",
        ),
        pytest.param(["x", "y"], "unrecognized arguments: y", id="two files"),
    ],
)
def test_wrong_usage_exits_64(capsys: Capsys, arguments: list[str], said: str) -> None:
    err = refused(capsys, *arguments)
    assert err.startswith("usage: ./ci/explain")
    assert said in err
    assert err.endswith("  next: ./ci/explain --help\n")


@pytest.mark.parametrize("lines", [[], ["", "  "]], ids=["nothing", "blank lines"])
def test_an_empty_file_explains_nothing(capsys: Capsys, tmp_path: Path, lines: list[str]) -> None:
    file = written(tmp_path, *lines)
    code, objects, err = explained(capsys, file)
    assert (code, objects, err) == (DATA, [], f"empty-file: {file}: no line, so nothing to explain\n")


# --- in a process, and on what FCM really answered


def test_the_command_runs() -> None:
    text = json.dumps(DEAD_V1) + "\nnot json\n"
    done = subprocess.run(  # our own command
        [sys.executable, "-m", "ci.explain", "-", "--json"],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == DATA
    assert json.loads(done.stdout)["case"] == "v1-UNREGISTERED"
    assert done.stderr.startswith("not-json: standard input, line 2: ")


if RECORDED:  # an empty parametrization would be a skip, and a skip is undecided

    @pytest.mark.parametrize("recording", RECORDED, ids=lambda file: file.name)
    def test_real_answers_are_explained(capsys: Capsys, recording: Path) -> None:
        code, objects, err = explained(capsys, str(recording))
        assert (code, err) == (GO, "")
        ids = {json.loads(line)["id"] for line in recording.read_text(encoding="utf-8").splitlines()}
        assert {found["id"] for found in objects} == ids
        assert len(ids) == COUNTS.get(recording.name, len(ids))
