"""In memory, every push ends in one stored response, and every error in one action."""

import json
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

import pytest

from fixtures.core import schemas
from fixtures.core.backoff import wait_s
from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.core.topology import version_map
from fixtures.faults import find_fault
from fixtures.scenarios.end_to_end import MESSAGE
from fixtures.services.events import CallAnswer, CallFailure, Effect, Event, ServiceCall
from fixtures.services.infrastructure import container_key
from fixtures.services.store import Store
from suites.selfcheck.platform.pushes import LEGACY, MIXES, V1, PushedCases, acted_once

DEAD = load_catalogue()["v1-UNREGISTERED"]


@pytest.mark.parametrize(("versions", "cases"), MIXES.values(), ids=MIXES)
def test_every_case_ends_once_and_as_the_catalogue_says(
    versions: dict[str, str], cases: tuple[Case, ...]
) -> None:
    pushes = PushedCases(dict(versions), cases)
    pushes.platform.drain()
    assert not pushes.find_wrong(cases)
    assert pushes.platform.stored_responses == len(pushes.platform.push_results()) == len(cases)
    assert pushes.platform.queue.count() == pushes.platform.dead_letters.count() == 0
    assert not pushes.platform.alerts


@pytest.mark.parametrize("protocol", ["legacy", "v1"])
def test_one_message_reaches_each_of_its_subscribers_with_their_own_answer(protocol: str) -> None:
    cases = [c for c in (LEGACY if protocol == "legacy" else V1) if isinstance(c.example["response"], dict)]
    cases = [case for case in cases if protocol == "v1" or case.example["http_status"] == 200]
    pushes = PushedCases(version_map("after", go_sender="before" if protocol == "legacy" else "after"), ())
    for case in cases:
        pushes.push(case)
    subscribers = [
        {"subscriber_id": str(UUID(int=number)), "token": token}
        for number, token in enumerate(pushes.answers, start=1)
    ]
    message_id = pushes.platform.push(MESSAGE, subscribers, spam=True)
    pushes.pushes = {c.id: (message_id, s["subscriber_id"]) for c, s in zip(cases, subscribers, strict=True)}
    key = container_key(pushes.platform.firebase_apps[0], spam=False)
    pushes.platform.run_round("directory-messages")
    while pushes.platform.container.pop(key):  # only the message to all is to be sent
        pass
    pushes.platform.drain()
    assert not pushes.find_wrong(cases)
    assert pushes.platform.stored_responses == len(cases) > 9


@pytest.mark.parametrize("version", ["before", "after"])
def test_records_obey_their_schema(version: str) -> None:
    pushes = PushedCases(version_map(version, go_sender="before"), ())
    pushes.push(DEAD)
    pushes.platform.run_round("directory-messages")
    record = json.loads(
        pushes.platform.container.peek(container_key(pushes.platform.firebase_apps[0], spam=False)) or ""
    )
    schemas.validate(record, "container-record.schema.json")
    assert ("v1" in record) == (version == "after")
    assert record["legacy"]["data"] == MESSAGE["data"]
    assert record.get("v1", {}).get("data", {"count": "3", "new": "true"}) == {"count": "3", "new": "true"}


def test_a_postponed_subscriber_becomes_active_when_due() -> None:
    case = load_catalogue()["v1-QUOTA_EXCEEDED"]
    pushes = PushedCases(version_map("after"), [case])
    pushes.platform.drain()
    wait = wait_s(case, example_report(case), answered_at=pushes.platform.started_at)
    assert wait is not None
    for seconds, status in [(wait - 1, "postponed"), (2, "active")]:
        pushes.platform.clock_offset_s += seconds
        pushes.platform.drain()
        subscriber = pushes.result(case).subscriber
        assert subscriber is not None
        assert (subscriber["status"], subscriber["postponed_until"] is None) == (status, status == "active")


@pytest.mark.parametrize("name", ["directory-responses", "subscribers-errors", "subscribers-postponed"])
def test_what_a_stopped_service_missed_is_delivered_later(name: str) -> None:
    pushes = PushedCases(version_map("after"), V1)
    pushes.platform.down.add(name)
    pushes.platform.drain()
    pushes.platform.down.clear()
    pushes.platform.drain()
    # Hours have passed, so postponed subscribers may be active again.
    assert {case.id for case in V1 if not acted_once(case, pushes.result(case))} == set()
    assert pushes.platform.stored_responses == len(V1)


@pytest.mark.parametrize("name", ["events-proxy", "directory-events-api"])
def test_reports_wait_while_the_next_service_is_down(name: str) -> None:
    pushes = PushedCases(version_map("after"), V1)
    pushes.platform.down.add(name)
    pushes.platform.drain()
    assert pushes.platform.stored_responses == 0
    sender = {"events-proxy": "go-sender", "directory-events-api": "events-proxy"}[name]
    pushes.platform.restart(sender)
    pushes.platform.down.clear()
    pushes.platform.drain()
    assert not pushes.find_wrong(V1)
    assert pushes.platform.stored_responses == len(V1)


def test_a_sender_that_stops_while_fcm_answers_loses_no_report() -> None:
    class Killed(Exception):
        """The process has ended."""

    def fcm(_call: ServiceCall) -> CallAnswer:
        raise Killed

    pushes = PushedCases(version_map("after"), ())
    pushes.push(DEAD)
    original_fcm, pushes.platform.fcm = pushes.platform.fcm, fcm
    pushes.platform.run_round("directory-messages")
    with pytest.raises(Killed):
        pushes.platform.run_round("go-sender")
    pushes.platform.fcm = original_fcm
    pushes.platform.restart("go-sender")
    pushes.platform.drain()
    assert not pushes.find_wrong([DEAD])
    assert pushes.platform.stored_responses == 1


@dataclass(frozen=True)
class Crashing:
    """A service that crashes on every event."""

    name: str

    def handle_event(self, event: Event, _store: Store) -> list[Effect]:
        raise ValueError(event)


@pytest.mark.parametrize("name", ["go-sender", "events-proxy", "directory-errors-listener"])
def test_a_service_that_crashes_raises_an_alert_and_stops_no_other(name: str) -> None:
    pushes = PushedCases(version_map("after"), ())
    pushes.push(DEAD)
    platform = pushes.platform
    original, crashing = platform.runners[name], cast("Any", Crashing(name))
    platform.runners[name] = replace(original, service=crashing)
    platform.restart(name)
    platform.drain()
    assert {service for service, reason in platform.alerts if "a round of work failed" in reason} == {name}
    assert pushes.find_wrong([DEAD])
    platform.runners[name] = original
    platform.drain()
    assert not pushes.find_wrong([DEAD])


@pytest.mark.parametrize("name", ["200-for-202", "listener-never-deletes"])
def test_drain_ends_although_a_service_is_busy_for_ever(name: str) -> None:
    fault = find_fault(name)
    pushes = PushedCases(version_map("after"), ())
    runners = pushes.platform.runners
    runners[fault.service] = replace(runners[fault.service], service=fault.load_faulty())
    pushes.push(DEAD)
    pushes.platform.drain()
    assert not pushes.platform.settle() or pushes.platform.queue.count()


@pytest.mark.parametrize("kind", ["timed out", "refused"])
@pytest.mark.parametrize("version", ["before", "after"])
def test_no_answer_of_fcm_postpones(version: str, kind: Any) -> None:
    pushes = PushedCases(version_map("after", go_sender=version), ())
    pushes.platform.fcm = lambda _call: CallFailure(kind)
    pushes.push(DEAD)
    pushes.platform.drain()
    result = pushes.result(DEAD)
    assert result.actions == ("postpone",)
    assert result.response is not None
    assert result.response["code"] == "HTTP_5XX"


# --- what before services do with v1 reports


def push_with(**versions: str) -> PushedCases:
    """Push v1 messages to a live and a dead device, with all services after but the named ones."""
    pushes = PushedCases(version_map("after", **versions), [load_catalogue()["v1-delivered"], DEAD])
    pushes.platform.drain()
    return pushes


def test_before_the_front_door_refuses_v1_reports_until_it_is_updated() -> None:
    pushes = push_with(directory_events_api="before")
    assert pushes.platform.stored_responses == 0
    assert any("400" in reason for _, reason in pushes.platform.alerts)
    pushes.platform.deploy("directory-events-api", "after")
    pushes.platform.restart("events-proxy")
    pushes.platform.drain()
    assert not pushes.find_wrong([load_catalogue()["v1-delivered"], DEAD])


def test_before_events_proxy_a_dead_v1_device_is_an_unknown_legacy_error() -> None:
    result = push_with(events_proxy="before").result(DEAD)
    assert result.actions == ("alert",)
    assert result.response is not None
    assert (result.response["protocol"], result.response["code"]) == ("legacy", "UNKNOWN")


def test_before_directory_responses_v1_responses_are_not_stored() -> None:
    pushes = push_with(directory_responses="before")
    assert (pushes.platform.stored_responses, pushes.result(DEAD).actions) == (0, ("unsubscribe",))
    assert any("422" in reason for _, reason in pushes.platform.alerts)


def test_before_the_listener_a_v1_event_returns_to_the_queue_for_ever() -> None:
    pushes = push_with(directory_errors_listener="before")
    assert (pushes.result(DEAD).actions, pushes.platform.stored_responses) == ((), 2)
    assert (pushes.platform.queue.count(), pushes.platform.dead_letters.count()) == (1, 0)
    pushes.platform.deploy("directory-errors-listener", "after")
    pushes.platform.drain()
    assert pushes.result(DEAD).actions == ("unsubscribe",)


def test_before_subscribers_errors_a_v1_event_is_buried() -> None:
    pushes = push_with(subscribers_errors="before")
    assert pushes.result(DEAD).actions == ()
    (dead_letter,) = map(json.loads, pushes.platform.dead_letters.bodies())
    schemas.validate(dead_letter, "dead-letter.schema.json")
    assert "500" in dead_letter["reason"]
    assert json.loads(dead_letter["body"])["report_id"] == pushes.result(DEAD).report_id


def test_before_subscribers_postponed_a_v1_reason_is_refused() -> None:
    case = load_catalogue()["v1-QUOTA_EXCEEDED"]
    pushes = PushedCases(version_map("after", subscribers_postponed="before"), [case])
    pushes.platform.drain()
    assert pushes.result(case).actions == ("postpone",)
    held = pushes.platform.call_service(
        ServiceCall("subscribers-postponed", "GET", f"/v1/postponed/{UUID(int=1)}", None)
    )
    assert isinstance(held, CallAnswer)
    assert held.status == 404
    assert any("422" in reason for _, reason in pushes.platform.alerts)


def test_an_old_record_stops_the_new_sender_until_it_is_gone() -> None:
    pushes = PushedCases(
        version_map("after", directory_messages="before"), [load_catalogue()["v1-delivered"]]
    )
    pushes.platform.deploy("directory-messages", "after")
    pushes.push(DEAD)
    pushes.platform.drain()
    key = container_key(pushes.platform.firebase_apps[0], spam=False)
    assert (pushes.platform.container.count(key), pushes.platform.report_counts) == (2, {})
    assert any("has no `v1`" in reason for _, reason in pushes.platform.alerts)
    assert "v1" not in json.loads(pushes.platform.container.pop(key) or "")
    pushes.platform.drain()
    assert not pushes.find_wrong([DEAD])


def test_a_record_without_legacy_stops_the_old_sender() -> None:
    pushes = PushedCases(version_map("after", go_sender="before"), ())
    pushes.push(DEAD)
    pushes.platform.run_round("directory-messages")
    key = container_key(pushes.platform.firebase_apps[0], spam=False)
    record = json.loads(pushes.platform.container.pop(key) or "")
    pushes.platform.container.push(key, json.dumps({**record, "legacy": None}))
    pushes.platform.drain()
    assert (pushes.platform.container.count(key), pushes.platform.report_counts) == (1, {})
    assert any("has no `legacy`" in reason for _, reason in pushes.platform.alerts)


def test_a_record_that_moved_up_while_another_was_taken_is_not_lost() -> None:
    pushes = PushedCases(version_map("after"), ())
    cases = [load_catalogue()["v1-delivered"], DEAD]
    for case in cases:
        pushes.push(case)
    pushes.platform.run_round("directory-messages")
    container = pushes.platform.container
    peek = container.peek

    def peek_and_remove(key: str) -> str | None:
        record = peek(key)
        if record is not None and container.count(key) == len(cases):
            container.pop(key)
        return record

    container.peek = peek_and_remove  # type: ignore[method-assign]
    pushes.platform.drain()
    assert not pushes.find_wrong(cases)
