"""./ci/explain shows what the catalogue decides for each answer, and names wrong usage."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ci.commands import explain
from fixtures.core.catalogue import load_catalogue
from fixtures.core.project import ROOT
from fixtures.generation.recordings import CORPUS, IMPOSSIBLE
from suites.selfcheck.commands.explain_runs import (
    DATA,
    DEAD_LEGACY,
    DEAD_V1,
    FCM_ERROR,
    GO,
    PAGE,
    USAGE,
    Capsys,
    run_explain,
    write_answers,
)
from suites.selfcheck.sample_answers import read_corpus, read_corpus_lines


def test_the_corpus_is_explained(capsys: Capsys) -> None:
    code, objects, err = run_explain(capsys, str(CORPUS))
    assert (code, err) == (GO, "")
    assert [row["case"] for row in objects] == [
        case for line in read_corpus_lines() for case in line["expect"]
    ]
    assert objects == [entry.explain() for entry in read_corpus()]


def test_the_members_are_those_of_the_case(capsys: Capsys, tmp_path: Path) -> None:
    busy = {
        "http_status": 503,
        "headers": {"Retry-After": "120"},
        "body": {"error": {"status": "UNAVAILABLE"}},
    }
    _, objects, _ = run_explain(capsys, write_answers(tmp_path, DEAD_V1, busy))
    case = load_catalogue()["v1-UNREGISTERED"]
    assert objects[0] == {
        "id": "dead-v1",
        "protocol": "fcm_v1",
        "case": case.id,
        "code": "UNREGISTERED",
        "class": "plausible",
        "outcome": "unsubscribe",
        "wait_s": None,
        "why": case.why,
    }
    assert (objects[1]["id"], objects[1]["outcome"], objects[1]["wait_s"]) == ("line-2", "postpone", 120)


def test_the_table_shows_each_answer(capsys: Capsys, tmp_path: Path) -> None:
    busy = {"id": "[bold]", "http_status": 429, "body": {"error": {"status": "RESOURCE_EXHAUSTED"}}}
    assert explain.main([write_answers(tmp_path, DEAD_LEGACY, DEAD_V1, busy)]) == GO
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["answer", "case", "class", "outcome", "wait", "why"]
    assert [row[:4] for row in rows[1:3]] == [
        ["dead-legacy", "legacy-NotRegistered", "documented", "unsubscribe"],
        ["dead-v1", "v1-UNREGISTERED", "plausible", "unsubscribe"],
    ]
    assert rows[3][:6] == ["[bold]", "v1-bare-429", "plausible", "postpone", "60", "s"]
    assert load_catalogue()["v1-UNREGISTERED"].why in out
    assert err == ""


BOTH = {"message_id": "1:0408", "error": "NotRegistered"}
CONTRADICTION = {"id": "both", "http_status": 200, "body": {"results": [BOTH]}}
TEAPOT = {
    "id": "teapot",
    "http_status": 418,
    "body": {"error": {"code": 418, "message": "m", "status": "NOT_FOUND", "details": [FCM_ERROR]}},
}


def test_an_answer_that_no_document_decides_shows_what_is_allowed(capsys: Capsys, tmp_path: Path) -> None:
    file = write_answers(tmp_path, CONTRADICTION, TEAPOT, DEAD_LEGACY)
    _, (unspecified, impossible, decided), _ = run_explain(capsys, file)
    rule = load_catalogue().find_unspecified({**CONTRADICTION, "response": BOTH})
    assert rule is not None
    assert (unspecified["unspecified"], unspecified["why"]) == (rule.id, rule.why)
    assert unspecified["allowed"] == ["alert", "keep", "unsubscribe"]
    assert (impossible["class"], impossible["allowed"]) == ("impossible", ["alert", "unsubscribe"])
    assert impossible["why"] == IMPOSSIBLE
    assert not {"unspecified", "allowed"} & decided.keys()
    explain.main([file])
    assert "alert or keep or unsubscribe" in capsys.readouterr().out


def test_the_table_shows_the_position_of_a_result(capsys: Capsys, tmp_path: Path) -> None:
    body = {"results": [{"message_id": "1"}, {"error": "NotRegistered"}]}
    explain.main([write_answers(tmp_path, {"id": "two", "http_status": 200, "body": body})])
    out = capsys.readouterr().out
    assert "two [0]" in out
    assert "two [1]" in out


def test_a_multicast_gives_one_object_for_each_result(capsys: Capsys, tmp_path: Path) -> None:
    body = {"results": [{"message_id": "1"}, {"error": "NotRegistered"}, {"registration_id": "new"}]}
    _, objects, _ = run_explain(
        capsys, write_answers(tmp_path, {"id": "many", "http_status": 200, "body": body})
    )
    assert [(row["id"], row["result"], row["outcome"]) for row in objects] == [
        ("many", 0, "keep"),
        ("many", 1, "unsubscribe"),
        ("many", 2, "replace_token"),
    ]


def test_a_single_answer_has_no_position(capsys: Capsys, tmp_path: Path) -> None:
    lines = [DEAD_V1, DEAD_LEGACY, {**PAGE, "protocol": "legacy"}]
    _, objects, _ = run_explain(capsys, write_answers(tmp_path, *lines))
    assert [row["id"] for row in objects] == [line["id"] for line in lines]
    assert not [row for row in objects if "result" in row]


def test_standard_input_is_read(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({**DEAD_V1, "id": "ключ"}, ensure_ascii=False)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="latin-1"))
    code, objects, err = run_explain(capsys, "-")
    assert (code, [row["id"] for row in objects], err) == (GO, ["ключ"], "")


# --- wrong usage


def refuse(capsys: Capsys, *arguments: str) -> str:
    """Run a wrong usage, and return the text on stderr."""
    with pytest.raises(SystemExit) as caught:
        explain.main(list(arguments))
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (USAGE, "")
    return err


def test_a_missing_file_is_named(capsys: Capsys, tmp_path: Path) -> None:
    message = refuse(capsys, str(tmp_path / "none.ndjson"))
    assert f"unreadable-file: '{tmp_path / 'none.ndjson'}': No such file" in message
    assert "allowed: a file of NDJSON, or -\n  next: ./ci/explain --help" in message


def test_a_folder_is_no_file(capsys: Capsys, tmp_path: Path) -> None:
    assert f"unreadable-file: '{tmp_path}': " in refuse(capsys, str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(["x", "--jsn"], "unknown-option: '--jsn': nearest: --json", id="unknown option"),
        pytest.param([], "the following arguments are required: FILE|-", id="no file"),
        pytest.param(
            ["x", "--protocol", "v1"],
            "argument --protocol: 'v1': allowed: fcm_v1, legacy",
            id="unknown protocol",
        ),
        pytest.param(["x", "y"], "unrecognized arguments: y", id="two files"),
    ],
)
def test_wrong_usage_exits_64(capsys: Capsys, arguments: list[str], problem: str) -> None:
    err = refuse(capsys, *arguments)
    assert err.startswith("usage: ./ci/explain")
    assert problem in err
    assert err.endswith("  next: ./ci/explain --help\n")


def test_an_empty_file_explains_nothing(capsys: Capsys, tmp_path: Path) -> None:
    for lines in ([], ["", "  "]):
        file = write_answers(tmp_path, *lines)
        code, objects, err = run_explain(capsys, file)
        assert (code, objects) == (DATA, [])
        assert err.startswith(
            f"empty-file: {file}: no line, so nothing to explain\n  next: put one answer into "
        )


# --- in a process


def test_the_command_runs() -> None:
    text = json.dumps(DEAD_V1) + "\nnot json\n"
    done = subprocess.run(  # our own command
        [sys.executable, "-m", "ci.commands", "explain", "-", "--json"],
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
