"""The doctor drafts `deliver` from the examples of a pact, whatever words and shapes a platform has."""

import base64
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ci.commands import doctor
from fixtures.core.errors import UserError
from fixtures.targets.adapters.config import read_adapter
from fixtures.targets.adapters.suggestion import suggest_delivery, write_draft
from suites.selfcheck.targets.own_wire import run_platform

UUID, OTHER_UUID = "5f0c8a52-7a06-4a5e-9d55-0b1d6c1a2e11", "0d1e2f3a-4b5c-4d6e-8f70-8192a3b4c5d6"
TOKEN, OPAQUE = "dQw4w9:APA91bHun4MxP5egoKMwt2KZFBaFUH", "k3J9xQ2mVb7LpRt5WcYdN8sE"
SECONDS, MILLISECONDS, JSON = 1_767_614_400, 1_767_614_400_123, "application/json"
V1 = {"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}}
RESULT = {"error": "NotRegistered"}
MULTICAST = {"multicast_id": 7, "success": 0, "failure": 1, "results": [RESULT]}


def encode(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def post(body: Any, path: str = "/hook", **members: Any) -> dict[str, Any]:
    request = {"method": "POST", "path": path, "body": body, **members}
    return {"description": "a dead device", "request": request, "response": {"status": 202}}


# By platform: a request of its pact, the placeholders that must stand in the draft, and what is unknown.
PLATFORMS: Mapping[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an answer as JSON, and a token by its name": (
        post({"eventId": UUID, "deviceToken": "short-1", "httpStatus": 404, "fcm": V1, "retryAfter": None}),
        {
            "eventId": "{report.report_id}", "deviceToken": "{report.token}", "httpStatus": "{answer.status}",
            "fcm": "{answer.body}", "retryAfter": "{answer.retry_after}",
        },
        "",
    ),
    "JSON in a text, a status as a text, and seconds": (
        post({"who": {"user_uuid": UUID}, "google": {"code": "404", "raw": json.dumps(V1)}, "ts": SECONDS}),
        {
            "who": {"user_uuid": "{report.subscriber_id}"}, "ts": "{report.sent_at|epoch}",
            "google": {"code": "{answer.status|json}", "raw": "{answer.body|json}"},
        },
        "",
    ),
    "base64, milliseconds, and a token by its shape": (
        post({"blob": encode(V1), "pushedAt": MILLISECONDS, "status": 404, "handle": TOKEN, "isSpam": False}),
        {
            "blob": "{answer.body|base64}", "pushedAt": "{report.sent_at|epoch_ms}",
            "handle": "{report.token}", "status": "{answer.status}", "isSpam": "{report.spam}",
        },
        "",
    ),
    "a list of results of legacy FCM": (
        post([{"regId": TOKEN, "result": RESULT, "http": 200, "sent": "2026-01-05T12:00:00Z"}]),
        {
            "regId": "{report.token}", "result": "{answer.body}", "http": "{answer.status}",
            "sent": "{report.sent_at}",
        },
        "rejected",
    ),
    "a list in an object, and a whole legacy answer": (
        post({"feedback": [{"subscriber": UUID, "app_id": OTHER_UUID, "gcm": MULTICAST, "status": 200}]}),
        {
            "subscriber": "{report.subscriber_id}", "app_id": "{report.firebase_app}",
            "status": "{answer.status}",
            "gcm": {"multicast_id": 7, "success": 0, "failure": 1, "results": ["{answer.body}"]},
        },
        "rejected",
    ),
    "a whole legacy answer as JSON in a text, and the token in the path": (
        post({"body": json.dumps(MULTICAST), "status": 200, "msgId": OTHER_UUID}, f"/tokens/{TOKEN}/ack"),
        {
            "body": '{{"multicast_id": 7, "success": 0, "failure": 1, "results": [{answer.body|json}]}}',
            "status": "{answer.status}", "msgId": "{report.message_id}",
        },
        "",
    ),
    "a code alone, and an id in the path": (
        post({"reason": "UNREGISTERED", "source": "fcm"}, f"/members/{UUID}/failures", method="PUT"),
        {"reason": "{event.code}", "source": "fcm"},
        "",
    ),
    "opaque letters, braces, an answer that is a success, and a header": (
        post(
            {"k": OPAQUE, "answer": {"name": "projects/p/messages/1"}, "status_code": 200, "note": "{x}"},
            headers={"Content-Type": JSON, "X-Api-Key": "secret"},
        ),
        {"k": "{report.token}", "answer": "{answer.body}", "status_code": "{answer.status}", "note": "{{x}}"},
        "the header x-api-key",
    ),
    "the body of version 4, a number for a user, and null": (
        post({"content": {"account_id": 4711, "error": V1["error"], "hint": None}, "contentType": JSON}),
        {"account_id": 4711, "error": "{answer.body}"},
        "where FCM's answer goes",
    ),
    "words of its own that nothing fits": (
        post({"api": "v1", "device": "d-1", "customer_secret_ref": "Zx9Yw8Vu7Ts6Rq5P"}),
        {"api": "v1", "device": "{report.token}", "customer_secret_ref": "{report.subscriber_id}"},
        "where the HTTP status of FCM's answer goes",
    ),
}  # fmt: skip


def draft(row: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The table `deliver` of the draft, and its text."""
    pact = {"consumer": {"name": "c"}, "provider": {"name": "p"}, "interactions": [row]}
    text = write_draft(suggest_delivery(pact, "c.json"), "c.json", "t")
    return tomllib.loads(text)["t"]["deliver"], text


@pytest.mark.parametrize("platform", PLATFORMS)
def test_values_are_found_by_their_shape_and_name(platform: str) -> None:
    row, body, unknown = PLATFORMS[platform]
    deliver, text = draft(row)
    assert deliver["body"] == body
    assert deliver["status"] == [202]
    assert f"# unknown: {unknown}" in text if unknown else "unknown" not in text
    assert not {TOKEN, OPAQUE, UUID, OTHER_UUID} & {word.strip('",') for word in text.split()}


def test_a_path_names_what_the_segment_before_it_says() -> None:
    assert draft(PLATFORMS["a code alone, and an id in the path"][0])[0]["path"] == (
        "/members/{report.subscriber_id}/failures"
    )
    row = post({"fcm": V1}, "/hook", query={"token": [TOKEN], "v": ["2"]})
    assert draft(row)[0]["path"] == "/hook?token={report.token}&v=2"


def test_one_request_for_a_list_is_a_batch() -> None:
    assert "member" not in draft(PLATFORMS["a list of results of legacy FCM"][0])[0]
    deliver, _ = draft(PLATFORMS["a list in an object, and a whole legacy answer"][0])
    assert (deliver["batch"], deliver["member"]) == (100, "feedback")


def test_the_interaction_that_looks_most_like_a_delivery_is_taken() -> None:
    other = {"description": "a look", "request": {"method": "GET", "path": "/u"}, "response": {}}
    rows = [other, post({"user": UUID}), post({"user": UUID, "fcm": V1}, "/best"), post("<html>")]
    pact = {"interactions": rows}
    assert suggest_delivery(pact, "c.json").path == "/best"
    with pytest.raises(UserError, match=r"no-delivery-in-pact: 'c\.json'"):
        suggest_delivery({"interactions": [other, post({"colour": "red"})]}, "c.json")


def run_suggest(folder: Path, interactions: list[Any]) -> int:
    content = {"consumer": {"name": "c"}, "provider": {"name": "p"}, "interactions": interactions}
    (folder / "c.json").write_text(json.dumps(content), encoding="utf-8")
    return doctor.main([f"--suggest={folder / 'c.json'}", "--environment=own"])


def test_a_draft_is_all_that_a_deployment_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callback = {
        "id": UUID, "api": "legacy", "sent": MILLISECONDS, "device": "d-4711",
        "fcm": {"status": 200, "text": json.dumps(RESULT), "retry": None},
    }  # fmt: skip
    row = post(callback, "/callbacks")
    assert run_suggest(tmp_path, [{**row, "response": {"status": 204}}]) == 0
    suggested = capsys.readouterr().out
    with run_platform(tmp_path) as file:
        text = file.read_text(encoding="utf-8")
        written = text[text.index("[environments.own.services.subscribers-errors.deliver]") :]
        written = written[: written.index("[environments.own.services.subscribers-errors.observe")]
        file.write_text(text.replace(written, suggested), encoding="utf-8")
        assert doctor.main([f"--targets={file}", f"--build={tmp_path / 'build'}"]) == 0
    assert "all well: the gate can be run there" in capsys.readouterr().out


def test_what_is_missing_is_told_by_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_suggest(tmp_path, [post({"user": UUID})]) == 2
    assert (
        "# unknown: where FCM's answer goes: nothing in the example looks like it" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("text", "slug"),
    [("", "not-a-pact"), ("[]", "not-a-pact"), (None, "no-pact-file: 'c.json': No such file")],
)
def test_what_is_no_pact_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, slug: str
) -> None:
    if text is not None:
        (tmp_path / "c.json").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        doctor.main([f"--suggest={tmp_path / 'c.json'}"])
    assert stop.value.code == 64
    assert slug in capsys.readouterr().err


def test_a_complete_draft_is_accepted_by_the_targets_file() -> None:
    for row, _, unknown in PLATFORMS.values():
        deliver, _ = draft(row)
        observe = {"http": {"path": "/u/{subscriber_id}", "status": "s"}}
        if not unknown:
            service = {"deliver": deliver, "observe": observe, "values": {"active": ["a"]}}
            assert read_adapter(service, Path()) is not None
