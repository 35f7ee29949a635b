"""Test subscribers are made and removed as the targets file says, and no other subscriber is touched."""

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import IdFactory
from fixtures.scenarios.later_looks import keep_subscribers, observable_looks
from fixtures.scenarios.provider import ProviderScenario
from fixtures.targets.config import TargetError
from fixtures.targets.deployed import connect_deployment, connect_target
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.selection import resolve_deployments
from fixtures.targets.target import Target, Unobservable
from suites.selfcheck.http_double import HttpAnswer, serve_answers
from suites.selfcheck.targets.sql_service import (
    POOL,
    SERVICE,
    SQL,
    VARIABLE,
    SqlService,
    start_sql_service,
    write_pool,
    write_targets_file,
)

MEMBERS = {"token_since": "2026-01-01T00:00:00.000Z", "firebase_app": str(uuid.UUID(int=7))}
EXAMPLES = [example_report(case) for case in load_catalogue().cases]
JSON = {"Content-Type": "application/json"}


AWKWARD_TEXT = 'a"b/{c}'


def make_row(token: str = AWKWARD_TEXT) -> dict[str, str]:
    return {"subscriber_id": IdFactory().next()[2], "token": token, **MEMBERS}


@contextlib.contextmanager
def connect_to(url: str, states: str, folder: Path, deny: str = "") -> Iterator[Target]:
    """The deployment of a targets file with these states."""
    file = write_targets_file(folder, url, states, deny)
    deployment = resolve_deployments([], str(file), None, [])[SERVICE]
    limiter, inventory = RateLimiter(folder / "spent"), Inventory(folder / INVENTORY_FILE)
    with contextlib.closing(connect_target(deployment, limiter, inventory)) as target:
        yield target


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlService]:
    with start_sql_service(tmp_path) as service:
        monkeypatch.setenv(VARIABLE, f"sqlite:///{service.database}")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)
        yield service


def find_problems(target: Target) -> list[str]:
    """The findings of one report of each case, about new subscribers."""
    scenario = ProviderScenario(target, lambda _answer: [])
    _, findings = scenario.deliver_to_new_subscribers(scenario.entries(EXAMPLES))
    return [finding.title for finding in findings]


# --- by requests

PUT = (
    'setup = { method = "PUT", path = "/users/{subscriber_id}?app={firebase_app}", status = [201],'
    ' body = { device = { token = "{token}", since = "{token_since}" }, note = "{{x}}", n = 1 } }'
)
DELETE = 'teardown = { method = "DELETE", path = "/users/{subscriber_id}", status = [204, 404] }'
BATCHED = (
    'http = { setup = { method = "POST", path = "/users", batch = 2, member = "users",'
    ' body = { id = "{subscriber_id}" } },'
    ' teardown = { method = "POST", path = "/gone", batch = 2, body = "{subscriber_id}" } }'
)
REQUESTS = f"http = {{ {PUT}, {DELETE} }}"


def test_requests_are_sent_as_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def react(request: BaseHTTPRequestHandler, _body: bytes) -> HttpAnswer:
        return {"PUT": 201, "DELETE": 404}.get(request.command, 200), JSON, b"{}"

    monkeypatch.setenv("ADMIN_TOKEN", "s3cret")
    row = make_row()
    with serve_answers(react) as service, serve_answers(react) as admin:
        states = f'http = {{ url = "{admin.url}", bearer_env = "ADMIN_TOKEN", {PUT}, {DELETE} }}'
        with connect_to(service.url, states, tmp_path) as target:
            target.set_state("reachable", {})
            target.set_state("subscribers exist", {"subscribers": [row]})
            target.set_state("subscribers exist", {"subscribers": [row]}, action="teardown")
    assert [path for _, path, _, _ in service.requests] == ["/_pact/version"]
    (put, delete) = admin.requests
    assert put[:2] == ("PUT", f"/users/{row['subscriber_id']}?app={MEMBERS['firebase_app']}")
    assert put[2]["authorization"] == "Bearer s3cret"
    device = {"token": row["token"], "since": MEMBERS["token_since"]}
    assert json.loads(put[3]) == {"device": device, "note": "{x}", "n": 1}
    assert delete[:2] == ("DELETE", f"/users/{row['subscriber_id']}")


def test_one_request_may_hold_many_subscribers(tmp_path: Path) -> None:
    rows = [make_row() for _ in range(3)]
    ids = [row["subscriber_id"] for row in rows]
    with serve_answers() as service, connect_to(service.url, BATCHED, tmp_path) as target:
        target.set_state("subscribers exist", {"subscribers": rows})
        target.set_state("subscribers exist", {"subscribers": rows}, action="teardown")
    bodies = [json.loads(body) for _, path, _, body in service.requests if path in ("/users", "/gone")]
    assert bodies == [
        {"users": [{"id": subscriber_id} for subscriber_id in ids[:2]]},
        {"users": [{"id": ids[2]}]},
        ids[:2],
        ids[2:],
    ]


def test_a_refused_request_is_undecided_with_its_answer(tmp_path: Path) -> None:
    problem = r"(?s)PUT /users.*403.*not you.*201 would do.*next: "
    with (
        serve_answers(lambda *_: (403, {}, b"not you")) as service,
        connect_to(service.url, REQUESTS, tmp_path) as target,
        pytest.raises(Unobservable, match=problem),
    ):
        target.set_state("subscribers exist", {"subscribers": [make_row()]})


def test_a_foreign_subscriber_is_neither_made_nor_removed(tmp_path: Path, service: SqlService) -> None:
    foreign = {**make_row(), "subscriber_id": str(uuid.uuid4())}
    service.insert(foreign["subscriber_id"])
    with connect_to(service.url, SQL, tmp_path) as target:
        for action in ("setup", "teardown"):
            with pytest.raises(TargetError, match="not-our-subscriber"):
                target.set_state("subscribers exist", {"subscribers": [foreign]}, action)
        with pytest.raises(TargetError, match="not-our-subscriber"):
            target.set_state("no such subscriber", {"subscriber_id": foreign["subscriber_id"]})
        row = make_row()
        target.set_state("subscribers exist", {"subscribers": [row]})
        target.set_state("no such subscriber", {"subscriber_id": row["subscriber_id"]})
        with pytest.raises(Unobservable, match="not-about-subscribers"):
            target.set_state("a report exists", {})
    assert service.statuses() == {foreign["subscriber_id"]: "unsubscribed"}


# --- by SQL


def test_statements_prepare_every_case_and_remove_all(tmp_path: Path, service: SqlService) -> None:
    inventory = Inventory(tmp_path / INVENTORY_FILE)
    with connect_to(service.url, SQL, tmp_path) as target:
        assert find_problems(target) == []
        rows = [row for rows in inventory.list_all().values() for row in rows]
        assert {row["subscriber_id"] for row in rows} == service.ids() != set()
        target.set_state("subscribers exist", {"subscribers": rows}, action="teardown")
    assert service.ids() == set()
    assert inventory.list_all() == {}


def test_one_failed_statement_undoes_the_others(tmp_path: Path, service: SqlService) -> None:
    states = SQL.replace('"], teardown', '", "DELETE FROM nowhere WHERE x = :token"], teardown')
    with (
        connect_to(service.url, states, tmp_path) as target,
        pytest.raises(Unobservable, match=r"(?s)sql-failed.*no such table: nowhere") as caught,
    ):
        target.set_state("subscribers exist", {"subscribers": [make_row("t0ken-of-a-device")]})
    assert "t0ken" not in str(caught.value)
    assert service.ids() == set()


# --- from a pool


@pytest.mark.parametrize("with_tokens", [False, True], ids=["ids", "ids and tokens"])
def test_subscribers_of_a_pool_stand_for_made_up_ones(
    tmp_path: Path, service: SqlService, *, with_tokens: bool
) -> None:
    ids = write_pool(tmp_path, 2 * len(EXAMPLES), with_tokens=with_tokens)
    service.insert(*ids)
    with connect_to(service.url, POOL, tmp_path) as target:
        assert find_problems(target) == []
        assert set(service.statuses().values()) != {"unsubscribed"}
    assert service.ids() == set(ids), "no other subscriber was made"


def test_two_processes_never_share_a_subscriber_and_a_small_pool_says_how_many(
    tmp_path: Path, service: SqlService
) -> None:
    service.insert(*write_pool(tmp_path, 10))
    with connect_to(service.url, POOL, tmp_path) as first, connect_to(service.url, POOL, tmp_path) as second:
        first.set_state("subscribers exist", {"subscribers": [make_row("a") for _ in range(6)]})
        problem = r"(?s)pool-too-small.*holds 10.*needs 6.*next: let it hold 6"
        with pytest.raises(Unobservable, match=problem):
            second.set_state("subscribers exist", {"subscribers": [make_row("b") for _ in range(6)]})
        second.set_state("subscribers exist", {"subscribers": [make_row("b") for _ in range(4)]})
        first.close()
        second.set_state("subscribers exist", {"subscribers": [make_row("b") for _ in range(6)]})
    assert list(service.statuses().values()) == ["active"] * 10


def test_a_subscriber_that_lost_its_place_in_a_pool_is_not_judged(
    tmp_path: Path, service: SqlService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.targets.provisioning.pool.LRU_RESERVE", 1)
    service.insert(*write_pool(tmp_path, 2))
    rows = [make_row(str(number)) for number in range(3)]
    with connect_to(service.url, POOL, tmp_path) as target:
        for row in rows:
            target.set_state("subscribers exist", {"subscribers": [row]})
        assert list(target.subscribers([rows[2]["subscriber_id"]])) == [rows[2]["subscriber_id"]]
        with pytest.raises(TargetError, match="pool-used-up"):
            target.subscribers([rows[0]["subscriber_id"]])


def test_a_subscriber_that_is_kept_never_loses_its_place_in_a_pool(
    tmp_path: Path, service: SqlService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.targets.provisioning.pool.LRU_RESERVE", 2)
    service.insert(*write_pool(tmp_path, 3))
    kept_row, *other_rows = [make_row(str(number)) for number in range(5)]
    with connect_to(service.url, POOL, tmp_path) as target:
        target.set_state("subscribers exist", {"subscribers": [kept_row]})
        keep_subscribers(target, [kept_row["subscriber_id"]])
        for row in other_rows:
            target.set_state("subscribers exist", {"subscribers": [row]})
            target.subscribers([kept_row["subscriber_id"], row["subscriber_id"]])
        assert list(observable_looks(target)) == [
            row["subscriber_id"] for row in (*other_rows[-2:-1], kept_row, other_rows[-1])
        ]


POOLS: Mapping[str, tuple[str | None, str]] = {
    "no file": (None, "no-pool"),
    "empty": ("\n", "no-pool"),
    "no JSON": ("{", "bad-pool"),
    "no UUID": ('{"subscriber_id": "s3cret"}', "bad-pool"),
    "twins": (f'{{"subscriber_id": "{uuid.UUID(int=1)}"}}\n' * 2, "pool-of-twins"),
}


@pytest.mark.parametrize(("text", "slug"), POOLS.values(), ids=POOLS)
def test_a_wrong_pool_is_refused_before_any_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, slug: str
) -> None:
    monkeypatch.setenv(VARIABLE, "sqlite://")
    if text is not None:
        (tmp_path / "pool.ndjson").write_text(text, encoding="utf-8")
    with serve_answers() as service:
        file = write_targets_file(tmp_path, service.url, POOL)
        with pytest.raises(TargetError, match=slug) as caught:
            connect_deployment(resolve_deployments([], str(file), None, [])[SERVICE])
    assert "s3cret" not in str(caught.value)
    assert service.requests == []
