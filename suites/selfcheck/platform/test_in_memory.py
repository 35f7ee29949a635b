"""Eight services in memory: every push ends in one stored response, and every error in one action."""

from __future__ import annotations

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
from fixtures.services.memory_container import container_key
from fixtures.services.store import Store
from suites.selfcheck.platform.pushes import LEGACY, V1, WORLDS, Pushed, acted_once

pytestmark = pytest.mark.aside

DEAD = load_catalogue()["v1-UNREGISTERED"]


@pytest.mark.parametrize(("versions", "cases"), WORLDS.values(), ids=WORLDS)
def test_every_case_ends_once_and_as_the_catalogue_says(
    versions: dict[str, str], cases: tuple[Case, ...]
) -> None:
    pushed = Pushed(dict(versions), cases)
    pushed.system.drain()
    assert not pushed.wrong(cases)
    assert pushed.system.stored_responses == len(pushed.system.push_results()) == len(cases)
    assert pushed.system.queue.count() == pushed.system.dead_letters.count() == 0
    assert not pushed.system.alerts


@pytest.mark.parametrize("protocol", ["legacy", "v1"])
def test_one_message_reaches_each_of_its_subscribers_with_their_own_answer(protocol: str) -> None:
    cases = [c for c in (LEGACY if protocol == "legacy" else V1) if isinstance(c.example["response"], dict)]
    cases = [case for case in cases if protocol == "v1" or case.example["http_status"] == 200]
    pushed = Pushed(version_map("after", go_sender="before" if protocol == "legacy" else "after"), ())
    for case in cases:
        pushed.push(case)
    subscribers = [
        {"subscriber_id": str(UUID(int=number)), "token": token}
        for number, token in enumerate(pushed.answers, start=1)
    ]
    message_id = pushed.system.push(MESSAGE, subscribers, spam=True)
    pushed.pushes = {c.id: (message_id, s["subscriber_id"]) for c, s in zip(cases, subscribers, strict=True)}
    key = container_key(pushed.system.firebase_apps[0], spam=False)
    pushed.system.run_round("directory-messages")
    while pushed.system.container.pop(key):  # only the message to all is to be sent
        pass
    pushed.system.drain()
    assert not pushed.wrong(cases)
    assert pushed.system.stored_responses == len(cases) > 9


@pytest.mark.parametrize("version", ["before", "after"])
def test_records_obey_their_schema(version: str) -> None:
    pushed = Pushed(version_map(version, go_sender="before"), ())
    pushed.push(DEAD)
    pushed.system.run_round("directory-messages")
    record = json.loads(
        pushed.system.container.peek(container_key(pushed.system.firebase_apps[0], spam=False)) or ""
    )
    schemas.validate(record, "container-record.schema.json")
    assert ("v1" in record) == (version == "after")
    assert record["legacy"]["data"] == MESSAGE["data"]
    assert record.get("v1", {}).get("data", {"count": "3", "new": "true"}) == {"count": "3", "new": "true"}


def test_a_postponed_subscriber_becomes_active_when_due() -> None:
    case = load_catalogue()["v1-QUOTA_EXCEEDED"]
    pushed = Pushed(version_map("after"), [case])
    pushed.system.drain()
    wait = wait_s(case, example_report(case), answered_at=pushed.system.started_at)
    assert wait is not None
    for seconds, status in [(wait - 1, "postponed"), (2, "active")]:
        pushed.system.clock_offset_s += seconds
        pushed.system.drain()
        subscriber = pushed.fate(case).subscriber
        assert subscriber is not None
        assert (subscriber["status"], subscriber["postponed_until"] is None) == (status, status == "active")


@pytest.mark.parametrize("name", ["directory-responses", "subscribers-errors", "subscribers-postponed"])
def test_what_a_stopped_service_missed_is_delivered_later(name: str) -> None:
    pushed = Pushed(version_map("after"), V1)
    pushed.system.down.add(name)
    pushed.system.drain()
    pushed.system.down.clear()
    pushed.system.drain()
    # Hours have passed, so whoever was postponed may be active again by now.
    assert {case.id for case in V1 if not acted_once(case, pushed.fate(case))} == set()
    assert pushed.system.stored_responses == len(V1)


@pytest.mark.parametrize("name", ["events-proxy", "directory-events-api"])
def test_reports_wait_while_the_next_service_is_down(name: str) -> None:
    pushed = Pushed(version_map("after"), V1)
    pushed.system.down.add(name)
    pushed.system.drain()
    assert pushed.system.stored_responses == 0
    sender = {"events-proxy": "go-sender", "directory-events-api": "events-proxy"}[name]
    pushed.system.restart(sender)
    pushed.system.down.clear()
    pushed.system.drain()
    assert not pushed.wrong(V1)
    assert pushed.system.stored_responses == len(V1)


def test_a_sender_that_stops_while_fcm_answers_loses_no_report() -> None:
    class Killed(Exception):
        """The process is gone."""

    def fcm(_call: ServiceCall) -> CallAnswer:
        raise Killed

    pushed = Pushed(version_map("after"), ())
    pushed.push(DEAD)
    right, pushed.system.fcm = pushed.system.fcm, fcm
    pushed.system.run_round("directory-messages")
    with pytest.raises(Killed):
        pushed.system.run_round("go-sender")
    pushed.system.fcm = right
    pushed.system.restart("go-sender")
    pushed.system.drain()
    assert not pushed.wrong([DEAD])
    assert pushed.system.stored_responses == 1


@dataclass(frozen=True)
class Crashing:
    """A service that crashes upon whatever it hears."""

    name: str

    def handle_event(self, news: Event, _store: Store) -> list[Effect]:
        raise ValueError(news)


@pytest.mark.parametrize("name", ["go-sender", "events-proxy", "directory-errors-listener"])
def test_a_service_that_crashes_is_told_of_and_stops_no_other(name: str) -> None:
    pushed = Pushed(version_map("after"), ())
    pushed.push(DEAD)
    system = pushed.system
    right, crashing = system.runners[name], cast("Any", Crashing(name))
    system.runners[name] = replace(right, service=crashing)
    system.restart(name)
    system.drain()
    assert {who for who, said in system.alerts if "a round of work failed" in said} == {name}
    assert pushed.wrong([DEAD])
    system.runners[name] = right
    system.drain()
    assert not pushed.wrong([DEAD])


@pytest.mark.parametrize("name", ["200-for-202", "listener-never-deletes"])
def test_whoever_is_busy_for_ever_is_not_waited_for(name: str) -> None:
    fault = find_fault(name)
    pushed = Pushed(version_map("after"), ())
    runners = pushed.system.runners
    runners[fault.service] = replace(runners[fault.service], service=fault.load_faulty())
    pushed.push(DEAD)
    pushed.system.drain()
    assert not pushed.system.settle() or pushed.system.queue.count()


@pytest.mark.parametrize("kind", ["timed out", "refused"])
@pytest.mark.parametrize("version", ["before", "after"])
def test_no_answer_of_fcm_postpones(version: str, kind: Any) -> None:
    pushed = Pushed(version_map("after", go_sender=version), ())
    pushed.system.fcm = lambda _call: CallFailure(kind)
    pushed.push(DEAD)
    pushed.system.drain()
    fate = pushed.fate(DEAD)
    assert fate.actions == ("postpone",)
    assert fate.response is not None
    assert fate.response["code"] == "HTTP_5XX"


# What before services do with v1 reports.


def breakage(**others: str) -> Pushed:
    """A dead device and a live one on v1, in a system that is new but for one service."""
    pushed = Pushed(version_map("after", **others), [load_catalogue()["v1-delivered"], DEAD])
    pushed.system.drain()
    return pushed


def test_before_the_front_door_refuses_v1_reports_until_it_is_updated() -> None:
    pushed = breakage(directory_events_api="before")
    assert pushed.system.stored_responses == 0
    assert any("400" in reason for _, reason in pushed.system.alerts)
    pushed.system.deploy("directory-events-api", "after")
    pushed.system.restart("events-proxy")
    pushed.system.drain()
    assert not pushed.wrong([load_catalogue()["v1-delivered"], DEAD])


def test_before_events_proxy_a_dead_v1_device_is_an_unknown_legacy_error() -> None:
    fate = breakage(events_proxy="before").fate(DEAD)
    assert fate.actions == ("alert",)
    assert fate.response is not None
    assert (fate.response["protocol"], fate.response["code"]) == ("legacy", "UNKNOWN")


def test_before_directory_responses_v1_responses_are_not_stored() -> None:
    pushed = breakage(directory_responses="before")
    assert (pushed.system.stored_responses, pushed.fate(DEAD).actions) == (0, ("unsubscribe",))
    assert any("422" in reason for _, reason in pushed.system.alerts)


def test_before_the_listener_a_v1_event_returns_to_the_queue_for_ever() -> None:
    pushed = breakage(directory_errors_listener="before")
    assert (pushed.fate(DEAD).actions, pushed.system.stored_responses) == ((), 2)
    assert (pushed.system.queue.count(), pushed.system.dead_letters.count()) == (1, 0)
    pushed.system.deploy("directory-errors-listener", "after")
    pushed.system.drain()
    assert pushed.fate(DEAD).actions == ("unsubscribe",)


def test_before_subscribers_errors_a_v1_event_is_buried() -> None:
    pushed = breakage(subscribers_errors="before")
    assert pushed.fate(DEAD).actions == ()
    (letter,) = map(json.loads, pushed.system.dead_letters.bodies())
    schemas.validate(letter, "dead-letter.schema.json")
    assert "500" in letter["reason"]
    assert json.loads(letter["body"])["report_id"] == pushed.fate(DEAD).report_id


def test_before_subscribers_postponed_a_v1_reason_is_refused() -> None:
    case = load_catalogue()["v1-QUOTA_EXCEEDED"]
    pushed = Pushed(version_map("after", subscribers_postponed="before"), [case])
    pushed.system.drain()
    assert pushed.fate(case).actions == ("postpone",)
    held = pushed.system.call_service(ServiceCall("subscribers-postponed", "GET", f"/v1/postponed/{UUID(int=1)}", None))
    assert isinstance(held, CallAnswer)
    assert held.status == 404
    assert any("422" in reason for _, reason in pushed.system.alerts)


def test_an_old_record_stops_the_new_sender_until_it_is_gone() -> None:
    pushed = Pushed(version_map("after", directory_messages="before"), [load_catalogue()["v1-delivered"]])
    pushed.system.deploy("directory-messages", "after")
    pushed.push(DEAD)
    pushed.system.drain()
    key = container_key(pushed.system.firebase_apps[0], spam=False)
    assert (pushed.system.container.count(key), pushed.system.report_counts) == (2, {})
    assert any("has no `v1`" in reason for _, reason in pushed.system.alerts)
    assert "v1" not in json.loads(pushed.system.container.pop(key) or "")
    pushed.system.drain()
    assert not pushed.wrong([DEAD])


def test_a_record_without_legacy_stops_the_old_sender() -> None:
    pushed = Pushed(version_map("after", go_sender="before"), ())
    pushed.push(DEAD)
    pushed.system.run_round("directory-messages")
    key = container_key(pushed.system.firebase_apps[0], spam=False)
    record = json.loads(pushed.system.container.pop(key) or "")
    pushed.system.container.push(key, json.dumps({**record, "legacy": None}))
    pushed.system.drain()
    assert (pushed.system.container.count(key), pushed.system.report_counts) == (1, {})
    assert any("has no `legacy`" in reason for _, reason in pushed.system.alerts)


def test_a_record_that_moved_up_while_another_was_taken_is_not_lost() -> None:
    pushed = Pushed(version_map("after"), ())
    cases = [load_catalogue()["v1-delivered"], DEAD]
    for case in cases:
        pushed.push(case)
    pushed.system.run_round("directory-messages")
    container = pushed.system.container
    peek = container.peek

    def emptied_behind_our_back(key: str) -> str | None:
        record = peek(key)
        if record is not None and container.count(key) == len(cases):
            container.pop(key)
        return record

    container.peek = emptied_behind_our_back  # type: ignore[method-assign]
    pushed.system.drain()
    assert not pushed.wrong(cases)
