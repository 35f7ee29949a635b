"""Whoever makes subscribers makes those that are wanted, touches nobody else, and removes them again."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import IdFactory
from fixtures.scenarios.provider import ProviderScenario
from fixtures.targets.client import TargetClient
from fixtures.targets.config import TargetError, resolve_deployments
from fixtures.targets.provisioning.inventory import Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.target import Target, Unobservable, connect_target
from suites.selfcheck.http_double import serve_answers
from suites.selfcheck.targets.sql_service import (
    POOL,
    REACTOR,
    SQL,
    VARIABLE,
    Stored,
    pool_of,
    stored,
    targets_file,
)

pytestmark = pytest.mark.aside

SINCE = {"token_since": "2026-01-01T00:00:00.000Z", "firebase_app": str(uuid.UUID(int=7))}
EXAMPLES = [example_report(case) for case in load_catalogue().cases]
JSON = {"Content-Type": "application/json"}


DEVICE = 'a"b/{c}'


def row(token: str = DEVICE) -> dict[str, str]:
    """A subscriber of ours."""
    return {"subscriber_id": IdFactory().next()[2], "token": token, **SINCE}


@contextlib.contextmanager
def connected(file: Path, folder: Path) -> Iterator[Target]:
    """The deployment of a targets file."""
    with contextlib.closing(
        connect_target(resolve_deployments([], str(file), None, [])[REACTOR], RateLimiter(folder / "spent"))
    ) as target:
        yield target


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stored]:
    """A deployment without states of its own."""
    with stored(tmp_path) as found:
        monkeypatch.setenv(VARIABLE, f"sqlite:///{found.database}")
        yield found


def findings(target: Target) -> list[str]:
    """What is found with one report of each case, on fresh subscribers."""
    trial = ProviderScenario(target, lambda _answer: [])
    sent = trial.entries(EXAMPLES)
    trial.subscribe(sent)
    return [found.title for found in trial.batch_findings(sent, trial.deliver(sent))]


# --- by requests

PUT = (
    'setup = { method = "PUT", path = "/users/{subscriber_id}?app={firebase_app}", status = [201],'
    ' body = { device = { token = "{token}", since = "{token_since}" }, note = "{{x}}", n = 1 } }'
)
DELETE = 'teardown = { method = "DELETE", path = "/users/{subscriber_id}", status = [204, 404] }'
MANY = (
    'setup = { method = "POST", path = "/users", batch = 2, member = "users",'
    ' body = { id = "{subscriber_id}" } },'
    ' teardown = { method = "POST", path = "/gone", batch = 2, body = "{subscriber_id}" }'
)


def requested(template: str) -> str:
    """The states of a targets file."""
    return f"http = {{ {template} }}"


def test_requests_are_sent_as_they_are_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def react(request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        return {"PUT": 201, "DELETE": 404}.get(request.command, 200), JSON, b"{}"

    monkeypatch.setenv("ADMIN_TOKEN", "s3cret")
    one = row()
    with serve_answers(react) as service, serve_answers(react) as admin:
        elsewhere = f'url = "{admin.url}", bearer_env = "ADMIN_TOKEN", {PUT}, {DELETE}'
        with connected(targets_file(tmp_path, service.url, requested(elsewhere)), tmp_path) as target:
            target.set_state("reachable", {})
            target.set_state("subscribers exist", {"subscribers": [one]})
            target.set_state("subscribers exist", {"subscribers": [one]}, action="teardown")
    assert [path for _, path, _, _ in service.requests] == ["/_pact/version"]
    (put, delete) = admin.requests
    assert put[:2] == ("PUT", f"/users/{one['subscriber_id']}?app={SINCE['firebase_app']}")
    assert put[2]["authorization"] == "Bearer s3cret"
    device = {"token": one["token"], "since": SINCE["token_since"]}
    assert json.loads(put[3]) == {"device": device, "note": "{x}", "n": 1}
    assert delete[:2] == ("DELETE", f"/users/{one['subscriber_id']}")


def test_many_go_into_one_request(tmp_path: Path) -> None:
    rows = [row() for _ in range(3)]
    ids = [one["subscriber_id"] for one in rows]
    with (
        serve_answers() as service,
        connected(targets_file(tmp_path, service.url, requested(MANY)), tmp_path) as target,
    ):
        target.set_state("subscribers exist", {"subscribers": rows})
        target.set_state("subscribers exist", {"subscribers": rows}, action="teardown")
    bodies = [json.loads(body) for _, path, _, body in service.requests if path in ("/users", "/gone")]
    assert bodies == [
        {"users": [{"id": one} for one in ids[:2]]},
        {"users": [{"id": ids[2]}]},
        ids[:2],
        ids[2:],
    ]


def test_a_refused_request_is_undecided_with_its_answer(tmp_path: Path) -> None:
    with serve_answers(lambda *_: (403, {}, b"not you")) as service:
        file = targets_file(tmp_path, service.url, requested(f"{PUT}, {DELETE}"))
        with (
            connected(file, tmp_path) as target,
            pytest.raises(Unobservable, match=r"(?s)PUT /users.*403.*not you.*201 would do.*next: "),
        ):
            target.set_state("subscribers exist", {"subscribers": [row()]})


def test_a_stranger_is_neither_made_nor_removed(tmp_path: Path, place: Stored) -> None:
    stranger = {**row(), "subscriber_id": str(uuid.uuid4())}
    place.put(stranger["subscriber_id"])
    with connected(targets_file(tmp_path, place.url, SQL), tmp_path) as target:
        for action in ("setup", "teardown"):
            with pytest.raises(TargetError, match="not-our-subscriber"):
                target.set_state("subscribers exist", {"subscribers": [stranger]}, action)
        with pytest.raises(TargetError, match="not-our-subscriber"):
            target.set_state("no such subscriber", {"subscriber_id": stranger["subscriber_id"]})
        known = row()
        target.set_state("subscribers exist", {"subscribers": [known]})
        target.set_state("no such subscriber", {"subscriber_id": known["subscriber_id"]})
        with pytest.raises(Unobservable, match="not-about-subscribers"):
            target.set_state("a report exists", {})
    assert place.statuses() == {stranger["subscriber_id"]: "unsubscribed"}


# --- by SQL


def test_statements_make_every_case_judgeable_and_remove_all(tmp_path: Path, place: Stored) -> None:
    with connected(targets_file(tmp_path, place.url, SQL), tmp_path) as target:
        assert findings(target) == []
        made = [one for rows in Inventory(tmp_path / "made.sqlite").left().values() for one in rows]
        assert {one["subscriber_id"] for one in made} == place.ids() != set()
        target.set_state("subscribers exist", {"subscribers": made}, action="teardown")
    assert place.ids() == set()
    assert Inventory(tmp_path / "made.sqlite").left() == {}


def test_one_failed_statement_undoes_the_others(tmp_path: Path, place: Stored) -> None:
    twice = SQL.replace('"], teardown', '", "DELETE FROM nowhere WHERE x = :token"], teardown')
    with (
        connected(targets_file(tmp_path, place.url, twice), tmp_path) as target,
        pytest.raises(Unobservable, match=r"(?s)sql-failed.*no such table: nowhere") as said,
    ):
        target.set_state("subscribers exist", {"subscribers": [row("t0ken-of-a-device")]})
    assert "t0ken" not in str(said.value)
    assert place.ids() == set()


DATABASES: Mapping[str, tuple[str, str]] = {
    "denied": ("postgresql+pg8000://u@db.prod.example/x", "denied-target"),
    "denied in the query": ("postgresql+pg8000:///x?host=db.prod.example:5432", "denied-target"),
    "not owned": ("postgresql+pg8000://u@db.example/x", "not-owned"),
    "no host": ("postgresql+pg8000:///x", "hidden-database"),
    "another way": ("postgresql+pg8000://u@localhost/x?service=prod", "hidden-database"),
    "no URL": ("what is this: p4ssword", "bad-database-url"),
    "no driver": ("oracle://u@localhost/x", "no-driver"),
    "nobody there": ("postgresql+pg8000://u:p4ssword@localhost:9/x", "sql-failed"),
}


@pytest.mark.parametrize(("url", "slug"), DATABASES.values(), ids=DATABASES)
def test_a_database_is_guarded_as_a_service_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, slug: str
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    with serve_answers() as service:
        file = targets_file(tmp_path, service.url, SQL, deny='"*.prod.example"')
        with pytest.raises((TargetError, Unobservable)) as said, connected(file, tmp_path) as target:
            target.set_state("reachable", {})
    assert slug in str(said.value)
    assert "p4ssword" not in str(said.value)


# --- from a pool


@pytest.mark.parametrize("with_tokens", [False, True], ids=["ids", "ids and tokens"])
def test_a_pool_stands_in_for_those_that_are_made_up(
    tmp_path: Path, place: Stored, monkeypatch: pytest.MonkeyPatch, *, with_tokens: bool
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    ids = pool_of(tmp_path, 2 * len(EXAMPLES), with_tokens=with_tokens)
    place.put(*ids)
    with connected(targets_file(tmp_path, place.url, POOL), tmp_path) as target:
        assert findings(target) == []
        used = {one for one, status in place.statuses().items() if status != "unsubscribed"}
        assert used
    assert place.ids() == set(ids), "nobody else was made"


def test_two_processes_never_share_a_subscriber_and_a_small_pool_says_how_many(
    tmp_path: Path, place: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    ids = pool_of(tmp_path, 10)
    place.put(*ids)
    file = targets_file(tmp_path, place.url, POOL)
    with connected(file, tmp_path) as one, connected(file, tmp_path) as other:
        one.set_state("subscribers exist", {"subscribers": [row("a") for _ in range(6)]})
        with pytest.raises(Unobservable, match=r"(?s)pool-too-small.*holds 10.*needs 6.*next: let it hold 6"):
            other.set_state("subscribers exist", {"subscribers": [row("b") for _ in range(6)]})
        other.set_state("subscribers exist", {"subscribers": [row("b") for _ in range(4)]})
        one.close()
        other.set_state("subscribers exist", {"subscribers": [row("b") for _ in range(6)]})
    assert list(place.statuses().values()) == ["active"] * 10


def test_whoever_lost_their_place_in_a_pool_is_not_judged(
    tmp_path: Path, place: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("fixtures.targets.provisioning.pool.KEPT", 1)
    place.put(*pool_of(tmp_path, 2))
    rows = [row(str(number)) for number in range(3)]
    with connected(targets_file(tmp_path, place.url, POOL), tmp_path) as target:
        for one in rows:
            target.set_state("subscribers exist", {"subscribers": [one]})
        assert list(target.subscribers([rows[2]["subscriber_id"]])) == [rows[2]["subscriber_id"]]
        with pytest.raises(TargetError, match="pool-used-up"):
            target.subscribers([rows[0]["subscriber_id"]])


POOLS: Mapping[str, tuple[str | None, str]] = {
    "no file": (None, "no-pool"),
    "empty": ("\n", "no-pool"),
    "no JSON": ("{", "bad-pool"),
    "no UUID": ('{"subscriber_id": "s3cret"}', "bad-pool"),
    "twins": (f'{{"subscriber_id": "{uuid.UUID(int=1)}"}}\n' * 2, "pool-of-twins"),
}


@pytest.mark.parametrize(("text", "slug"), POOLS.values(), ids=POOLS)
def test_a_pool_that_is_none_is_known_before_anybody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, slug: str
) -> None:
    monkeypatch.setenv(VARIABLE, "sqlite://")
    if text is not None:
        (tmp_path / "pool.ndjson").write_text(text, encoding="utf-8")
    with serve_answers() as service, pytest.raises(TargetError, match=slug) as said:
        TargetClient(resolve_deployments([], str(targets_file(tmp_path, service.url, POOL)), None, [])[REACTOR])
    assert "s3cret" not in str(said.value)
    assert service.requests == []


# --- what stands in the file

WRONG: Mapping[str, tuple[str, str]] = {
    "nothing": ("", "unclear-states"),
    "both": (f"{SQL}, {requested(f'{PUT}, {DELETE}')}", "unclear-states"),
    "a pool alone": ('pool = { file = "x" }', "unclear-states"),
    "no teardown": (requested(PUT), "no-teardown"),
    "everybody": (SQL.replace(" WHERE subscriber_id = :subscriber_id", ""), "nobody-named"),
    "nobody in the path": (
        requested(f"{PUT}, {DELETE}").replace("/users/{subscriber_id}", "/users"),
        "nobody-named",
    ),
    "a wrong name": (
        requested(f"{PUT}, {DELETE}").replace("{token}", "{tokn}"),
        "unknown-placeholder: '{tokn}'",
    ),
    "a wrong parameter": (SQL.replace(":token_since", ":since"), "unknown-placeholder: ':since'"),
    "a lone brace": (requested(f"{PUT}, {DELETE}").replace("{{x}}", "{x"), "unknown-placeholder"),
    "one path for many": (requested(MANY).replace('"/users"', '"/{token}"'), "path-of-many"),
    "a list of one": (requested(MANY).replace("batch = 2, ", "", 1), "member-without-batch"),
    "a secret": (requested(f"{PUT}, {DELETE}").replace('"{token}"', '"abc"'), "secret-in-targets"),
    "credentials without a URL": (requested(f'bearer_env = "A_B", {PUT}, {DELETE}'), "bad-targets-file"),
}


@pytest.mark.parametrize(("states", "slug"), WRONG.values(), ids=WRONG)
def test_states_that_mean_nothing_are_refused(tmp_path: Path, states: str, slug: str) -> None:
    with pytest.raises(TargetError) as said:
        resolve_deployments([], str(targets_file(tmp_path, "http://127.0.0.1:9", states)), None, [])
    assert slug in str(said.value)


def test_only_who_has_subscribers_can_have_them_made(tmp_path: Path) -> None:
    file = targets_file(tmp_path, "http://127.0.0.1:9", SQL)
    file.write_text(file.read_text().replace(REACTOR, "directory-responses"))
    with pytest.raises(TargetError, match="no-subscribers-there"):
        resolve_deployments([], str(file), None, [])


def test_another_place_for_states_is_guarded_too(tmp_path: Path) -> None:
    states = requested(f'url = "https://admin.prod.example", {PUT}, {DELETE}')
    for deny, slug in (("", "not-owned"), ('"*.prod.example"', "denied-target")):
        with pytest.raises(TargetError, match=slug):
            resolve_deployments([], str(targets_file(tmp_path, "http://127.0.0.1:9", states, deny)), None, [])
