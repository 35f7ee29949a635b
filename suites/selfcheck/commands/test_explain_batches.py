"""./ci/explain takes a batch apart, as the import does, and shows the recorded body when asked."""

import json
from pathlib import Path

import pytest

from ci.commands import explain
from suites.selfcheck.commands.explain_runs import (
    DATA,
    DEAD_LEGACY,
    GO,
    PAGE,
    Capsys,
    run_explain,
    write_answers,
)
from suites.selfcheck.generation.import_forms import B64, BATCH, BUSY, SENT, THREE, batch, lines, read

ENVELOPE = {"id": "all", "http_status": 200, "headers": {"Content-Type": "multipart/mixed"}}


@pytest.mark.parametrize(
    "text", [BATCH, BATCH.replace("\r\n", "\n"), f"\r\n{BATCH}"], ids=["CRLF", "LF", "preamble"]
)
def test_each_part_of_a_batch_is_explained(capsys: Capsys, tmp_path: Path, text: str) -> None:
    record = {**ENVELOPE, "body": text}
    code, rows, err = run_explain(capsys, write_answers(tmp_path, record))
    assert (code, err) == (GO, "")
    assert [(row["id"], row["result"], row["outcome"]) for row in rows] == [
        ("all", 0, "unsubscribe"),
        ("all", 1, "keep"),
        ("all", 2, "postpone"),
    ]
    imported, _ = read(lines(record))
    assert imported.outcomes == THREE


def test_a_part_has_its_own_wait(capsys: Capsys, tmp_path: Path) -> None:
    text = batch("b", ("503 Service Unavailable", BUSY)).replace("Vary: Origin", "Retry-After: 77")
    _, rows, _ = run_explain(capsys, write_answers(tmp_path, {**ENVELOPE, "body": text}))
    assert [row["wait_s"] for row in rows] == [77]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BATCH.partition("--frontier_1--")[0], "part 2 is cut off: the batch has no closing boundary"),
        (BATCH.replace("HTTP/1.1 503", "HTTP 503"), "part 2 has no HTTP status line"),
    ],
    ids=["cut off", "no status line"],
)
def test_a_broken_part_costs_no_other(capsys: Capsys, tmp_path: Path, text: str, problem: str) -> None:
    code, rows, err = run_explain(capsys, write_answers(tmp_path, {**ENVELOPE, "body": text}))
    assert (code, [row["outcome"] for row in rows]) == (DATA, ["unsubscribe", "keep"])
    assert problem in err


def test_a_page_that_names_the_form_is_no_batch(capsys: Capsys, tmp_path: Path) -> None:
    page = {**PAGE, "protocol": "fcm_v1", "body": "<p>send application/http parts</p>"}
    _, rows, _ = run_explain(capsys, write_answers(tmp_path, page))
    assert [row["case"] for row in rows] == ["v1-text-404"]


def test_the_recorded_body_is_shown_when_asked(capsys: Capsys, tmp_path: Path) -> None:
    wrapped = {"id": "wrapped", "http_status": 404, "body": B64}
    file = write_answers(tmp_path, DEAD_LEGACY, wrapped, {**ENVELOPE, "body": batch("b", ("200 OK", SENT))})
    _, rows, _ = run_explain(capsys, file, "--raw")
    assert [row["body"] for row in rows[:2]] == [DEAD_LEGACY["body"], B64]
    assert rows[2]["body"].startswith("HTTP/1.1 200 OK")
    assert explain.main([file, "--raw"]) == GO
    table = "".join(capsys.readouterr().out.split())
    assert "".join(json.dumps(DEAD_LEGACY["body"]).split()) in table
    assert "body" not in run_explain(capsys, file)[1][0]


def test_a_hostile_body_is_shown_in_one_line(capsys: Capsys, tmp_path: Path) -> None:
    file = write_answers(tmp_path, {**PAGE, "protocol": "fcm_v1", "body": "[bold]\n::error::x\x1b[31m"})
    assert explain.main([file, "--raw"]) == GO
    out = capsys.readouterr().out
    assert "[bold]" in out
    assert not any(line.startswith("::") for line in out.splitlines())
    assert "\x1b" not in out
