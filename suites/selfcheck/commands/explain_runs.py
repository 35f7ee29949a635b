"""Calls ./ci/explain on files of recorded answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from ci.commands import explain
from fixtures.core import schemas

GO, USAGE, DATA = 0, 64, 65

FCM_ERROR = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
DEAD_V1 = {"id": "dead-v1", "http_status": 404, "body": {"error": {"code": 404, "details": [FCM_ERROR]}}}
DEAD_LEGACY = {"id": "dead-legacy", "http_status": 200, "body": {"results": [{"error": "NotRegistered"}]}}
PAGE = {"id": "page", "http_status": 404, "body": "<HTML></HTML>"}

Capsys = pytest.CaptureFixture[str]


def write_answers(tmp_path: Path, *lines: Any) -> str:
    """Write a file of these lines: texts unchanged, anything else as JSON."""
    file = tmp_path / "answers.ndjson"
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return str(file)


def run_explain(capsys: Capsys, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """The exit code, the objects that --json prints, and the text on stderr."""
    code = explain.main([*arguments, "--json"])
    out, err = capsys.readouterr()
    objects = [json.loads(line) for line in out.splitlines()]
    for row in objects:
        schemas.validate(row, "explanation.schema.json")
    return code, objects, err
