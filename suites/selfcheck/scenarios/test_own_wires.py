"""The services between surroundings of the suite are judged in a wire of their own, by data alone."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.errors import UserError
from fixtures.core.payloads import IdFactory, address, error_event
from fixtures.faults.scoring import RunResult
from fixtures.scenarios.own_wire import OwnWire
from fixtures.services.events import CallAnswer, ServiceCall
from fixtures.targets.adapters.config import AdapterError
from fixtures.targets.adapters.wire_config import read_wire_config
from suites.selfcheck.scenarios.judged_deployments import judge_deployments, start_row
from suites.selfcheck.scenarios.test_deployed_services import SERVICES as REFERENCE_SERVICES

WIRES = Path(__file__).with_name("foreign_wires.toml")
ROWS = tomllib.loads(WIRES.read_text(encoding="utf-8"))
# Of each service: its test file, its options, and the tests that show a fault.
SERVICES = {
    **REFERENCE_SERVICES,
    "go-sender": (
        "test_go_sender",
        ["--peer", "{events_url}", "--fcm", "{fcm_url}", "--redis", "{redis_url}"],
        ("404", "page-reported-as-unregistered"),
    ),
}
UNKNOWN = "members that no service knows"
NOT_JUDGED = "go-sender is not judged on legacy"


def judge(folder: Path, name: str, keyword: str, *options: str) -> RunResult:
    """Run tests of a service's file at one that speaks the wire of another platform."""
    file, arguments, _ = SERVICES[name]
    module = "suites.selfcheck.scenarios.foreign_services"
    command = [sys.executable, "-m", module, name, f"{folder}/store.sqlite", "{port}", *arguments, *options]
    tables = WIRES.read_text(encoding="utf-8").split("\n\n")
    own_tables = "\n".join(table for table in tables if table.startswith((f"[{name}.", f"[{name}]")))
    # What stands in the row itself follows its other members; the tables come behind.
    wire = own_tables.removeprefix(f"[{name}]\n")
    wire = re.sub(r"^\[", "[environments.local.services.", wire, flags=re.MULTILINE)
    row = f"{start_row(command)}\n{wire}"
    return judge_deployments(folder, {name: row}, file, keyword, within_s=10)


def is_clean(result: RunResult) -> bool:
    return not result.findings and {reason for _, reason in result.broken} <= {NOT_JUDGED}


@pytest.mark.process
def test_a_case_at_a_right_service_is_go(tmp_path: Path) -> None:
    result = judge(tmp_path, "events-proxy", "UNREGISTERED")
    assert (is_clean(result), result.tests) == (True, 1), (result.problem, result.findings)


@pytest.mark.nightly
@pytest.mark.process
@pytest.mark.parametrize("name", SERVICES)
def test_a_right_service_is_go_and_a_faulty_one_is_not(tmp_path: Path, name: str) -> None:
    right = judge(tmp_path, name, "")
    assert is_clean(right), (right.problem, right.findings)
    keyword, fault = SERVICES[name][2]
    assert judge(tmp_path, name, keyword, "--variant", fault).findings


def create_wire(name: str, row: dict[str, Any] | None = None) -> OwnWire:
    config = read_wire_config(name, ROWS[name] if row is None else row)
    assert config is not None
    return OwnWire(config, "fcm_v1")


def create_report() -> dict[str, Any]:
    answer = {**example_report(load_catalogue().cases[0]), "sending": {"capitals": True}}
    return dict(address(answer, IdFactory()))


def forward(wire: OwnWire, change: dict[str, Any]) -> dict[str, Any]:
    """What arrives, in our wire, of a report that a service forwards with a change."""
    report = create_report()
    ((_, _, body),) = wire.write_requests("POST", "/v1/reports", {"reports": [report]})
    call = wire.read_call(ServiceCall("", "POST", "/hooks", {"hooks": [{**body, **change}]}))
    (arrived,) = call.body["reports"]
    return {name: arrived.get(name) for name in report if arrived.get(name) != report[name]}


def test_a_report_comes_back_as_it_was_sent() -> None:
    assert forward(create_wire("events-proxy"), {}) == {}
    assert forward(create_wire("events-proxy"), {"more": "of its own"}) == {}


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"bulk": True}, {"spam": True}),
        ({"address": None}, {"token": None}),
        ({"sent_ms": 0}, {"sent_at": "1970-01-01T00:00:00.000Z"}),
        ({"fcm": {"code": 404, "text": '{"error": "Other"}', "wait": None}}, {"http_status": 404}),
        ({"fcm": {"code": 200, "text": "no JSON", "wait": None}}, {"response": "no JSON"}),
    ],
    ids=["another value", "no value", "another time", "another status", "another body"],
)
def test_a_change_is_seen(change: dict[str, Any], changed: dict[str, Any]) -> None:
    assert changed.items() <= forward(create_wire("events-proxy"), change).items()


def test_what_a_form_loses_is_no_change() -> None:
    in_seconds = json.loads(json.dumps(ROWS["events-proxy"]).replace("epoch_ms", "epoch"))
    assert forward(create_wire("events-proxy", in_seconds), {}) == {}


def test_a_call_in_another_form_is_refused_and_shown() -> None:
    wire = create_wire("events-proxy")
    call = ServiceCall("", "POST", "/hooks", {"items": []})
    assert wire.read_call(call) == call
    assert wire.describe_last().endswith("which is not as receive says: body.hooks is no list")


def test_a_taken_call_gets_the_answer_of_the_platform() -> None:
    wire = create_wire("events-proxy")
    assert wire.write_answer(CallAnswer(202, b"{}")) == CallAnswer(200, b'{"taken":true}')
    assert wire.write_answer(CallAnswer(503, b"wait")) == CallAnswer(503, b"wait")


def test_a_buried_event_is_recognized_and_poison_stays() -> None:
    wire = create_wire("directory-errors-listener")
    event = error_event(create_report(), "NotRegistered")
    (text,) = wire.write_texts(json.dumps(event))
    assert json.loads(wire.read_text(text))["event_id"] == event["event_id"]
    assert [wire.write_texts(poison) for poison in ('{"errors":', "[]")] == [['{"errors":'], ["[]"]]
    assert wire.read_text("[]") == "[]"


@pytest.mark.parametrize(
    ("ends_ms", "until"), [(1_767_225_600_000, "2026-01-01T00:00:00.000Z"), (None, None)]
)
def test_the_end_of_a_postponement_is_read(ends_ms: int | None, until: str | None) -> None:
    wire = create_wire("subscribers-postponed", {**ROWS["subscribers-postponed"]})
    answer = wire.read_answer("GET", CallAnswer(200, json.dumps({"hold": {"ends_ms": ends_ms}}).encode()))
    assert (answer.status, (answer.json() or {}).get("until")) == (200 if until else 404, until)


def test_an_end_that_is_no_time_is_an_error() -> None:
    with pytest.raises(AdapterError, match="unreadable-until: 'soon'"):
        create_wire("subscribers-postponed").read_answer(
            "GET", CallAnswer(200, b'{"hold":{"ends_ms":"soon"}}')
        )


@pytest.mark.parametrize(
    ("name", "uncarried"),
    [
        ("events-proxy", [UNKNOWN]),
        (
            "directory-errors-listener",
            ["firebase_app", "message_id", "protocol", "report_id", "spam", UNKNOWN],
        ),
        ("directory-messages", []),
        ("go-sender", []),
        ("subscribers-postponed", []),
    ],
)
def test_what_a_wire_does_not_hand_on_is_named(name: str, uncarried: list[str]) -> None:
    config = read_wire_config(name, ROWS[name])
    assert config is not None
    assert config.list_uncarried() == uncarried


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("events-proxy", {"receive": None}, "half-a-wire: events-proxy: it has no receive"),
        ("events-proxy", {"deliver": {"path": "/a"}}, "half-a-wire: deliver: it has no method"),
        ("events-proxy", {"receive": {"lists": {}}}, "not-used-here: receive.lists"),
        ("events-proxy", {"receive": {"body": {"a": "{report.reprot_id}"}}}, "unknown-placeholder"),
        ("events-proxy", {"receive": {"body": {"a": "{report.spam}"}}}, "no-id-there: receive"),
        ("events-proxy", {"receive": {"body": "{report.token}{report.spam}"}}, "adjacent-placeholders"),
        ("events-proxy", {"observe": {"http": {"path": "/"}}}, "not-used-here: events-proxy.observe"),
        ("go-sender", {"receive": {"body": {"a": "{report.token}"}}}, "it has no answer.status"),
        ("subscribers-postponed", {"observe": {"sql": {}}}, "half-a-wire: observe: it has no http"),
        ("subscribers-postponed", {"observe": {"http": {"path": "/", "until": "a["}}}, "bad-jmespath"),
    ],
)
def test_a_wire_that_cannot_be_used_is_refused(name: str, change: dict[str, Any], message: str) -> None:
    row = {**ROWS[name], **change}
    for table, members in change.items():
        if members is None:
            del row[table]
        elif table == "receive":
            row[table] = {**ROWS[name][table], **members}
    with pytest.raises(UserError, match=message):
        read_wire_config(name, row)
