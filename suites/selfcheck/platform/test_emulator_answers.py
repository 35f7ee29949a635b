"""The emulator gives every case on demand: by token, by script, from a recording; the catalogue agrees."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fixtures.core.catalogue import Case, load
from fixtures.generation.recordings import CORPUS
from fixtures.platform.fcm import recorded
from fixtures.platform.fcm import rules as script
from fixtures.platform.fcm.canned_answers import ANSWERS
from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.fcm.messages import Misuse
from fixtures.platform.fcm.token_options import FAULTS
from suites.selfcheck.platform.emulator_client import BEARER, call, legacy, report, v1

pytestmark = pytest.mark.aside

CASES = load().cases
WHOLE = frozenset({"legacy-InvalidParameters"}) | {name for name in ANSWERS if name.startswith("legacy-text")}


def decided(case: Case, emulator: Emulator, token: str) -> str:
    """The case that the catalogue sees in the emulator's answer for a token."""
    is_legacy = case.protocol == "legacy"
    answer = legacy(emulator, {"to": token}) if is_legacy else v1(emulator, {"token": token})
    found = load().decide(report(answer, case.protocol))
    assert found is not None
    return found.id


def test_the_book_holds_the_cases_of_the_catalogue() -> None:
    assert set(ANSWERS) == {case.id for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_token_asks_for_a_case(case: Case) -> None:
    assert decided(case, Emulator(), f"case/{case.id}/subscriber-1") == case.id


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_script_asks_for_a_case(case: Case) -> None:
    rules = {"rules": [{"match": {"token": "device"}, "case": case.id}]}
    assert decided(case, Emulator(rules=script.parse_rules(rules)), "device") == case.id


def test_a_recording_gives_every_documented_answer() -> None:
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    recording = recorded.parse_recording(lines, "corpus")
    for line in map(json.loads, lines):
        if len(line["expect"]) > 1:
            continue
        case = load()[line["expect"][0]]
        emulator = Emulator(recording=recording)
        assert decided(case, emulator, f"recorded/{line['id']}/x") == case.id, line["id"]


def test_a_recording_is_given_in_its_order_and_then_says_so() -> None:
    bodies = [{"http_status": 200, "body": {"name": "a"}}, {"http_status": 503, "body": ""}]
    emulator = Emulator(recording=recorded.parse_recording(map(json.dumps, bodies), "file"))
    assert [v1(emulator, {"token": "x"}).status for _ in bodies] == [200, 503]
    over = v1(emulator, {"token": "x"})
    assert (over.status, over.body["slug"]) == (422, "recording-exhausted")
    call(emulator, "DELETE", "/_emulator/script", b"", {})
    assert v1(emulator, {"token": "x"}).status == 200


def test_results_stand_in_the_order_of_a_request_of_1000_tokens() -> None:
    words = ["legacy-NotRegistered", "legacy-delivered", "legacy-canonical-id", "legacy-Unavailable"]
    tokens = [f"case/{words[number % 4]}/s{number}" for number in range(1000)]
    body = legacy(Emulator(), {"registration_ids": tokens}).body
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
    assert "message_id" in legacy(Emulator(), {"to": "renewed/s2"}).body["results"][0]


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_an_answer_that_is_no_result_answers_the_whole_multicast(name: str) -> None:
    answer = legacy(Emulator(), {"registration_ids": ["a", f"case/{name}/b"]})
    assert answer.status == ANSWERS[name].status
    if name == "legacy-InvalidParameters":
        assert len(answer.body["results"]) == 2


def test_the_older_plain_text() -> None:
    headers = {"authorization": "key=k", "content-type": "application/x-www-form-urlencoded"}

    def sent(token: str) -> str:
        form = f"registration_id={token}&data.a=b"
        return str(call(Emulator(), "POST", "/fcm/send", form, headers).body)

    assert sent("case/legacy-NotRegistered/x") == "Error=NotRegistered"
    assert sent("x").startswith("id=0:")
    assert sent("case/legacy-canonical-id/x").endswith("\nregistration_id=renewed/x")
    assert call(Emulator(), "POST", "/fcm/send", "a=b", headers).body == "Error=MissingRegistration"


@pytest.mark.parametrize("target", [{"topic": "news"}, {"condition": "'a' in topics && 'b' in topics"}])
def test_topics_and_conditions_succeed(target: dict[str, Any]) -> None:
    assert v1(Emulator(), target).body["name"].startswith("projects/demo/messages/0:")
    to = {"to": "/topics/news"} if "topic" in target else target
    assert isinstance(legacy(Emulator(), to).body["message_id"], int)


def test_a_dry_run_is_validated_and_sends_nothing() -> None:
    name = "projects/demo/messages/fake_message_id"
    assert v1(Emulator(), {"token": "x"}, validate_only=True).body == {"name": name}
    assert legacy(Emulator(), {"to": "x", "dry_run": True}).body["results"] == [
        {"message_id": "fake_message_id"}
    ]


# --- options of a token, and rules of a script


def test_a_token_asks_for_retry_after_and_a_delay() -> None:
    answer = v1(Emulator(), {"token": "case/v1-UNAVAILABLE;retry-after=30;delay=0.5/x"})
    assert (answer.headers, answer.delay_s) == ({"Retry-After": "30"}, 0.5)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("protocol", ["legacy", "v1"])
def test_a_token_asks_for_a_fault(protocol: str, fault: str) -> None:
    token = f"case/{protocol}-delivered;fault={fault}/x"
    answer = v1(Emulator(), {"token": token}) if protocol == "v1" else legacy(Emulator(), {"to": token})
    expected = {"html-502": (502, ""), "too-many-requests": (429, "")}.get(fault, (200, fault))
    assert (answer.status, answer.fault) == expected


def test_a_rule_answers_as_often_as_it_says_then_the_next_does() -> None:
    emulator = Emulator()
    rules = [
        {"match": {"prefix": "dev"}, "case": "v1-UNAVAILABLE", "times": 2, "retry-after": 5},
        {"match": {"prefix": "dev"}, "answer": {"http_status": 418, "body": {"tea": 1}}, "times": 1},
        {"match": {"prefix": "d"}, "fault": "reset", "delay": 0.1},
    ]
    assert call(emulator, "POST", "/_emulator/script", {"rules": rules}, {}).status == 200
    said = [v1(emulator, {"token": "device"}) for _ in range(4)]
    assert [(one.status, one.fault) for one in said] == [(503, ""), (503, ""), (418, ""), (200, "reset")]
    assert (said[0].headers, said[3].delay_s) == ({"Retry-After": "5"}, 0.1)
    used = call(emulator, "GET", "/_emulator/script", b"", {}).body["rules"]
    assert [rule["used"] for rule in used] == [2, 1, 1]
    assert v1(emulator, {"token": "other"}).status == 200


WRONG: dict[str, tuple[Any, str, str]] = {
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


@pytest.mark.parametrize(("posted", "slug", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_script_is_refused_and_the_old_one_stays(posted: Any, slug: str, said: str) -> None:
    emulator = Emulator()
    good = {"rules": [{"match": {"token": "x"}, "case": "v1-INTERNAL"}]}
    call(emulator, "POST", "/_emulator/script", good, {})
    if isinstance(posted, dict) and posted.get("rules"):
        posted = {"rules": [{"case": "v1-delivered"}, *posted["rules"]]}
        said = said.replace("rules[0]", "rules[1]")
    answer = call(emulator, "POST", "/_emulator/script", posted, {})
    assert (answer.status, answer.body["slug"]) == (422, slug)
    assert said in answer.body["detail"]
    assert v1(emulator, {"token": "x"}).status == 500


@pytest.mark.parametrize(
    ("token", "slug", "said"),
    [
        ("case/v1-UNREGISTRED/x", "unknown-case", "v1-UNREGISTERED"),
        ("case/legacy-NotRegistered/x", "wrong-protocol", "not a case of fcm_v1"),
        ("case/v1-delivered;fault=rest/x", "unknown-fault", "reset"),
        ("case/v1-delivered;wait=1/x", "unknown-option", "delay=..."),
        ("case/v1-delivered;delay=soon/x", "bad-delay", "0 to 600"),
        ("case/v1-delivered;retry-after=\u00e9/x", "bad-retry-after", "printable ASCII"),
        ("recorded/nobody/x", "unknown-recording", "none"),
    ],
)
def test_a_demand_that_cannot_be_met_is_said_so(token: str, slug: str, said: str) -> None:
    answer = v1(Emulator(), {"token": token})
    assert (answer.status, answer.body["slug"]) == (422, slug)
    assert said in answer.body["detail"]


@pytest.mark.parametrize(
    ("lines", "slug"),
    [
        (["{"], "not-json"),
        (["[]"], "not-an-answer"),
        (['{"http_status": 99, "body": {}}'], "not-an-answer"),
        (['{"http_status": 404, "body": "text"}'], "protocol-unknown"),
        ([""], "empty-file"),
    ],
)
def test_a_broken_recording_is_named(lines: list[str], slug: str) -> None:
    with pytest.raises(Misuse) as caught:
        recorded.parse_recording(lines, "answers.ndjson")
    assert caught.value.slug == slug
    assert "answers.ndjson" in str(caught.value)


# --- what was received


def test_requests_are_shown_with_their_tokens_and_never_with_credentials() -> None:
    emulator = Emulator()
    v1(emulator, {"token": "case/v1-UNREGISTERED/x"})
    legacy(emulator, {"registration_ids": ["a", "case/legacy-NotRegistered/b"]})
    call(emulator, "POST", "/v1/projects/demo/messages:send", {}, {"authorization": "Bearer expired"})
    shown = call(emulator, "GET", "/_emulator/requests", b"", {}).body
    assert [(one["tokens"], one["cases"], one["status"]) for one in shown["requests"]] == [
        (["case/v1-UNREGISTERED/x"], ["v1-UNREGISTERED"], 404),
        (["a", "case/legacy-NotRegistered/b"], ["legacy-delivered", "legacy-NotRegistered"], 200),
        ([], [""], 401),
    ]
    assert "any" not in json.dumps(shown)
    assert (shown["received"], shown["forgotten"]) == (3, 0)
    call(emulator, "DELETE", "/_emulator/requests", b"", {})
    assert call(emulator, "GET", "/_emulator/requests", b"", {}).body["requests"] == []


def test_an_unknown_request_to_the_emulator_itself_names_the_known() -> None:
    answer = call(Emulator(), "PUT", "/_emulator/script", b"", BEARER)
    assert (answer.status, answer.body["slug"]) == (422, "unknown-request")
    assert "GET|POST|DELETE script" in answer.body["detail"]
