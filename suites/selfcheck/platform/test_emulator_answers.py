"""The emulator gives each case that a token, a script or a recording asks for, and the catalogue agrees."""

import json
from typing import Any

import pytest

from fixtures.core.catalogue import Case, load_catalogue
from fixtures.generation.recordings import CORPUS
from fixtures.platform.fcm import recorded, rules
from fixtures.platform.fcm.canned_answers import ANSWERS, FAULTS
from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.fcm.messages import EmulatorError
from fixtures.scenarios.end_to_end import fcm_answers
from suites.selfcheck.platform.emulator_client import BEARER, request, send_legacy, send_v1

CASES = load_catalogue().cases
WHOLE_ANSWERS = frozenset({"legacy-InvalidParameters"}) | {
    name for name in ANSWERS if name.startswith("legacy-text")
}


def decide_answer(case: Case, emulator: Emulator, token: str) -> str:
    """The id of the case that the catalogue sees in the emulator's answer for a token."""
    (report,) = fcm_answers(case.protocol, [token], emulator)
    decided = load_catalogue().decide(report)
    assert decided is not None
    return decided.id


def test_the_canned_answers_are_the_cases_of_the_catalogue() -> None:
    assert set(ANSWERS) == {case.id for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_token_asks_for_a_case(case: Case) -> None:
    assert decide_answer(case, Emulator(), f"case/{case.id}/subscriber-1") == case.id


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_script_asks_for_a_case(case: Case) -> None:
    script = {"rules": [{"match": {"token": "device"}, "case": case.id}]}
    assert decide_answer(case, Emulator(rules=rules.parse_rules(script)), "device") == case.id


def test_a_recording_gives_every_documented_answer() -> None:
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    recording = recorded.parse_recording(lines, "corpus")
    for line in map(json.loads, lines):
        if len(line["expect"]) > 1:
            continue
        case = load_catalogue()[line["expect"][0]]
        emulator = Emulator(recording=recording)
        assert decide_answer(case, emulator, f"recorded/{line['id']}/x") == case.id, line["id"]


def test_a_recording_is_given_in_its_order_and_then_says_so() -> None:
    bodies = [{"http_status": 200, "body": {"name": "a"}}, {"http_status": 503, "body": ""}]
    emulator = Emulator(recording=recorded.parse_recording(map(json.dumps, bodies), "file"))
    assert [send_v1(emulator, {"token": "x"}).status for _ in bodies] == [200, 503]
    exhausted = send_v1(emulator, {"token": "x"})
    assert (exhausted.status, exhausted.body["slug"]) == (422, "recording-exhausted")
    request(emulator, "DELETE", "/_emulator/script", b"", {})
    assert send_v1(emulator, {"token": "x"}).status == 200


def test_results_stand_in_the_order_of_a_request_of_1000_tokens() -> None:
    cases = ["legacy-NotRegistered", "legacy-delivered", "legacy-canonical-id", "legacy-Unavailable"]
    tokens = [f"case/{cases[number % 4]}/s{number}" for number in range(1000)]
    body = send_legacy(Emulator(), {"registration_ids": tokens}).body
    assert [result.get("error") for result in body["results"][:4]] == [
        "NotRegistered",
        None,
        None,
        "Unavailable",
    ]
    assert body["results"][2]["registration_id"] == "renewed/s2"
    assert (body["success"], body["failure"], body["canonical_ids"]) == (500, 500, 250)
    assert len(str(body["multicast_id"])) == 19
    assert len({result["message_id"] for result in body["results"] if "message_id" in result}) == 500


def test_a_canonical_id_is_an_ordinary_device() -> None:
    assert "message_id" in send_legacy(Emulator(), {"to": "renewed/s2"}).body["results"][0]


@pytest.mark.parametrize("name", sorted(WHOLE_ANSWERS))
def test_an_answer_that_is_no_result_answers_the_whole_multicast(name: str) -> None:
    answer = send_legacy(Emulator(), {"registration_ids": ["a", f"case/{name}/b"]})
    assert answer.status == ANSWERS[name].status
    if name == "legacy-InvalidParameters":
        assert len(answer.body["results"]) == 2


def test_the_older_plain_text() -> None:
    headers = {"authorization": "key=k", "content-type": "application/x-www-form-urlencoded"}

    def send_form(token: str) -> str:
        form = f"registration_id={token}&data.a=b"
        return str(request(Emulator(), "POST", "/fcm/send", form, headers).body)

    assert send_form("case/legacy-NotRegistered/x") == "Error=NotRegistered"
    assert send_form("x").startswith("id=0:")
    assert send_form("case/legacy-canonical-id/x").endswith("\nregistration_id=renewed/x")
    assert request(Emulator(), "POST", "/fcm/send", "a=b", headers).body == "Error=MissingRegistration"


@pytest.mark.parametrize("target", [{"topic": "news"}, {"condition": "'a' in topics && 'b' in topics"}])
def test_topics_and_conditions_succeed(target: dict[str, Any]) -> None:
    for validate_only in (False, True):
        name = send_v1(Emulator(), target, validate_only=validate_only).body["name"]
        assert name.removeprefix("projects/demo/messages/").isdecimal()
    to = {"to": "/topics/news"} if "topic" in target else target
    assert isinstance(send_legacy(Emulator(), to).body["message_id"], int)


def test_a_dry_run_is_validated_and_sends_nothing() -> None:
    name = "projects/demo/messages/fake_message_id"
    assert send_v1(Emulator(), {"token": "x"}, validate_only=True).body == {"name": name}
    assert send_legacy(Emulator(), {"to": "x", "dry_run": True}).body["results"] == [
        {"message_id": "fake_message_id"}
    ]


# --- options of a token, and rules of a script


def test_a_token_asks_for_retry_after_and_a_delay() -> None:
    answer = send_v1(Emulator(), {"token": "case/v1-UNAVAILABLE;retry-after=30;delay=0.5/x"})
    assert (answer.headers, answer.delay_s) == ({"Retry-After": "30"}, 0.5)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("protocol", ["legacy", "v1"])
def test_a_token_asks_for_a_fault(protocol: str, fault: str) -> None:
    token = f"case/{protocol}-delivered;fault={fault}/x"
    answer = (
        send_v1(Emulator(), {"token": token}) if protocol == "v1" else send_legacy(Emulator(), {"to": token})
    )
    expected = {"html-502": (502, ""), "too-many-requests": (429, "")}.get(fault, (200, fault))
    assert (answer.status, answer.fault) == expected


def test_a_rule_answers_as_often_as_it_says_then_the_next_does() -> None:
    emulator = Emulator()
    script_rules = [
        {"match": {"prefix": "dev"}, "case": "v1-UNAVAILABLE", "times": 2, "retry-after": 5},
        {"match": {"prefix": "dev"}, "answer": {"http_status": 418, "body": {"tea": 1}}, "times": 1},
        {"match": {"prefix": "d"}, "fault": "reset", "delay": 0.1},
    ]
    assert request(emulator, "POST", "/_emulator/script", {"rules": script_rules}, {}).status == 200
    answers = [send_v1(emulator, {"token": "device"}) for _ in range(4)]
    assert [(answer.status, answer.fault) for answer in answers] == [
        (503, ""),
        (503, ""),
        (418, ""),
        (200, "reset"),
    ]
    assert (answers[0].headers, answers[3].delay_s) == ({"Retry-After": "5"}, 0.1)
    used = request(emulator, "GET", "/_emulator/script", b"", {}).body["rules"]
    assert [rule["used"] for rule in used] == [2, 1, 1]
    assert send_v1(emulator, {"token": "other"}).status == 200


INVALID_SCRIPTS: dict[str, tuple[Any, str, str]] = {
    "no rules": ({}, "bad-script", "a list `rules`"),
    "unknown case": ({"rules": [{"case": "v1-UNREGISTRED"}]}, "unknown-case", "v1-UNREGISTERED"),
    "unknown member": ({"rules": [{"cas": "x"}]}, "bad-script", "rules[0].cas"),
    "unknown match": ({"rules": [{"match": {"like": "x"}}]}, "bad-script", "rules[0].match.like"),
    "no times": ({"rules": [{"times": 0}]}, "bad-script", "rules[0].times"),
    "unknown fault": ({"rules": [{"fault": "rest"}]}, "unknown-fault", "reset"),
    "negative delay": ({"rules": [{"delay": -1}]}, "bad-delay", "0 to 600"),
    "two answers": ({"rules": [{"case": "v1-delivered", "answer": {}}]}, "bad-script", "not both"),
    "impossible status": ({"rules": [{"answer": {"http_status": 99}}]}, "bad-script", "200 to 599"),
    "header with a line break": (
        {"rules": [{"answer": {"headers": {"a": "b\nc"}}}]},
        "bad-script",
        "printable",
    ),
    "other protocol": (
        {"rules": [{"case": "v1-delivered", "protocol": "legacy"}]},
        "wrong-protocol",
        "fcm_v1",
    ),
    "no JSON": ("{", "bad-script", "JSON"),
}


@pytest.mark.parametrize(("script", "slug", "detail"), INVALID_SCRIPTS.values(), ids=INVALID_SCRIPTS)
def test_a_wrong_script_is_refused_and_the_old_one_stays(script: Any, slug: str, detail: str) -> None:
    emulator = Emulator()
    good = {"rules": [{"match": {"token": "x"}, "case": "v1-INTERNAL"}]}
    request(emulator, "POST", "/_emulator/script", good, {})
    if isinstance(script, dict) and script.get("rules"):
        script = {"rules": [{"case": "v1-delivered"}, *script["rules"]]}
        detail = detail.replace("rules[0]", "rules[1]")
    answer = request(emulator, "POST", "/_emulator/script", script, {})
    assert (answer.status, answer.body["slug"]) == (422, slug)
    assert detail in answer.body["detail"]
    assert send_v1(emulator, {"token": "x"}).status == 500


@pytest.mark.parametrize(
    ("token", "slug", "detail"),
    [
        ("case/v1-UNREGISTRED/x", "unknown-case", "v1-UNREGISTERED"),
        ("case/legacy-NotRegistered/x", "wrong-protocol", "not a case of fcm_v1"),
        ("case/v1-delivered;fault=rest/x", "unknown-fault", "reset"),
        ("case/v1-delivered;wait=1/x", "unknown-option", "delay=..."),
        ("case/v1-delivered;delay=soon/x", "bad-delay", "0 to 600"),
        ("case/v1-delivered;retry-after=\u00e9/x", "bad-retry-after", "printable ASCII"),
        ("recorded/unknown/x", "unknown-recording", "none"),
    ],
)
def test_a_token_that_asks_for_the_impossible_gets_422(token: str, slug: str, detail: str) -> None:
    answer = send_v1(Emulator(), {"token": token})
    assert (answer.status, answer.body["slug"]) == (422, slug)
    assert detail in answer.body["detail"]


@pytest.mark.parametrize(
    ("lines", "slug"),
    [
        (["{"], "not-json"),
        (["[" * 200_000], "not-json"),
        (["[]"], "not-an-answer"),
        (['{"http_status": 99, "body": {}}'], "not-an-answer"),
        (['{"http_status": 404, "body": "text"}'], "protocol-unknown"),
        ([""], "empty-file"),
    ],
)
def test_a_broken_recording_is_named(lines: list[str], slug: str) -> None:
    with pytest.raises(EmulatorError) as caught:
        recorded.parse_recording(lines, "answers.ndjson")
    assert caught.value.slug == slug
    assert "answers.ndjson" in str(caught.value)


# --- what was received


def test_requests_are_shown_with_their_tokens_and_never_with_credentials() -> None:
    emulator = Emulator()
    send_v1(emulator, {"token": "case/v1-UNREGISTERED/x"})
    send_legacy(emulator, {"registration_ids": ["a", "case/legacy-NotRegistered/b"]})
    request(emulator, "POST", "/v1/projects/demo/messages:send", {}, {"authorization": "Bearer expired"})
    log = request(emulator, "GET", "/_emulator/requests", b"", {}).body
    assert [(row["tokens"], row["cases"], row["status"]) for row in log["requests"]] == [
        (["case/v1-UNREGISTERED/x"], ["v1-UNREGISTERED"], 404),
        (["a", "case/legacy-NotRegistered/b"], ["legacy-delivered", "legacy-NotRegistered"], 200),
        ([], [""], 401),
    ]
    assert "any" not in json.dumps(log)
    assert (log["received"], log["forgotten"]) == (3, 0)
    request(emulator, "DELETE", "/_emulator/requests", b"", {})
    assert request(emulator, "GET", "/_emulator/requests", b"", {}).body["requests"] == []


def test_an_unknown_request_to_the_emulator_itself_names_the_known() -> None:
    answer = request(Emulator(), "PUT", "/_emulator/script", b"", BEARER)
    assert (answer.status, answer.body["slug"]) == (422, "unknown-request")
    assert "GET|POST|DELETE script" in answer.body["detail"]
