"""Nothing that a run sends has a part in common, by which a service could tell it from production."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.json_values import walk
from fixtures.core.own_ids import EVENT, OWN_IDS
from fixtures.core.payloads import LIKE_FCM, CountedIds, IdFactory, address_all, error_event, error_events
from fixtures.core.times import parse_time
from fixtures.core.topology import PROVIDERS, VERSION_MIXES
from fixtures.faults.runtime import build_responder
from fixtures.generation import runner
from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.in_memory import InMemoryPlatform
from fixtures.scenarios.end_to_end import EndToEndScenario, Push
from fixtures.scenarios.provider import ProviderScenario
from fixtures.services import load
from fixtures.services.events import CallFailure
from fixtures.services.store import Store
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import connect_deployment
from fixtures.targets.embedded import in_memory_target
from suites.selfcheck.http_double import serve_answers

PART_LENGTH = 4
# Chance gives two values in a thousand the same four characters at most.
MOST_ALIKE = 0.05
# What the tokens of production share as well, and the dashes of an id.
SHARED = re.compile(r":APA91b|-")
MEMBERS = ("report_id", "message_id", "subscriber_id", "event_id", "token", "token_since", "id")


def collect_sent(ids: IdFactory) -> dict[str, list[str]]:
    """All values of these members that suites send to the providers, in bodies and in queries."""
    sent: dict[str, list[str]] = {member: [] for member in MEMBERS}
    for name in PROVIDERS:
        store = Store()
        respond = build_responder(load(name, "after"), store)

        def record(method: str, path: str, query: str, body: bytes) -> Any:
            for location, value in walk(json.loads(body or b"null")):
                if location and location[-1] in sent and isinstance(value, str):
                    sent[str(location[-1])].append(value)
            sent["id"] += parse_qs(query).get("id", [])
            return respond(method, path, query, body)  # noqa: B023  called within this round

        scenario = ProviderScenario(in_memory_target(name, "after", record), lambda _answer: (), ids)
        batches = runner.batches_for_any(load_catalogue().cases)

        def judge(answers: Sequence[Mapping[str, Any]]) -> None:
            scenario.assert_handled(scenario.entries(answers))  # noqa: B023  called within this round

        runner.explore(name, batches, judge, profile=runner.Profile(0, 10))
        store.close()
    return sent


def find_common_parts(values: Iterable[str]) -> dict[str, int]:
    """The parts that too many different values share, and the number of those values."""
    texts = {SHARED.sub("\0", value).lower() for value in values}
    counts = Counter(
        part
        for text in texts
        for part in {text[start : start + PART_LENGTH] for start in range(len(text) - PART_LENGTH + 1)}
        if "\0" not in part
    )
    return {part: count for part, count in counts.items() if count > MOST_ALIKE * len(texts)}


def test_values_of_a_run_have_no_part_in_common() -> None:
    sent = collect_sent(IdFactory())
    times = sent.pop("token_since")
    common = {member: parts for member, values in sent.items() if (parts := find_common_parts(values))}
    assert common == {}
    assert min(len(set(values)) for values in [*sent.values(), times]) > 50
    for part in (slice(0, 10), slice(11, 19), slice(20, 23)):
        assert len({time[part] for time in times}) > len(times) / 2, "days, seconds or milliseconds are alike"


def test_names_of_messages_have_no_part_in_common() -> None:
    names = [IdFactory().rename_message("projects/p/messages/0:1590670743188705") for _ in range(200)]
    assert (
        find_common_parts(name.removeprefix("projects/").replace("/messages/", "-") for name in names) == {}
    )
    assert CountedIds().rename_message("projects/p/messages/1234") == "projects/p/messages/1234"


def test_tokens_of_end_to_end_runs_have_no_part_in_common() -> None:
    platform = InMemoryPlatform(lambda _: CallFailure("refused"))
    scenario = EndToEndScenario("any", next(iter(VERSION_MIXES.values())), platform, Emulator())
    cases = [case.id for case in load_catalogue().of_protocol("legacy")]
    pushes = [Push((case,), token=token, retry_after="30") for case in cases for token in ("", LIKE_FCM)]
    devices = [device for push in pushes for device in scenario.address(push)[1]]
    tokens = [device["token"] for device in devices]
    canonical_ids = [answer.canonical_id for answer in scenario.fcm.assigned.values()]
    assert find_common_parts([*tokens, *canonical_ids]) == {}
    assert min(len(set(tokens)), len(set(canonical_ids))) > 50
    platform.close()


def test_reports_are_sent_one_after_another_and_events_have_ids_like_all_others() -> None:
    ids, answers = IdFactory(), [example_report(case) for case in load_catalogue().cases]
    batches = [[entry.payload for entry in error_events(address_all(answers, ids))] for _ in range(2)]
    times = [parse_time(event["sent_at"]) for batch in batches for event in batch]
    assert times == sorted(times)
    assert len(set(times[: len(answers)])) > len(answers) / 2
    event_ids = [event["event_id"] for event in batches[0]]
    assert {UUID(event_id).version for event_id in event_ids} == {4}
    assert all(OWN_IDS.is_own_id(event_id, EVENT) for event_id in event_ids)
    assert [error_event(event, "any")["event_id"] for event in batches[0]] == event_ids


def test_a_common_part_is_found() -> None:
    sent = collect_sent(CountedIds(run="fcafe0000000"))
    marked = {member for member, values in sent.items() if "fcaf" in find_common_parts(values)}
    assert marked >= {"report_id", "message_id", "subscriber_id", "token", "id"}


def test_headers_are_those_of_a_sender_in_go() -> None:
    with serve_answers(lambda _request, _body: (200, {}, b"")) as server:
        client = connect_deployment(Deployment("x", server.url))
        client.send("GET", "/v1/subscribers")
        client.send("POST", "/v1/errors", b"{}", {"Content-Type": "application/json"})
        client.close()
        headers = [request[2] for request in server.requests]
    expected: Mapping[str, str] = {
        "host": server.url.removeprefix("http://"),
        "user-agent": "Go-http-client/1.1",
        "accept-encoding": "gzip",
    }
    changing = ("connection", "content-type", "content-length")
    got = [{name: value for name, value in row.items() if name not in changing} for row in headers]
    assert got == list(itertools.repeat(expected, 2))
