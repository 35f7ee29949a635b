"""Whatever goes wrong with a Pact Broker or with the usage of `./ci/broker` never looks like a yes."""

import json
import re
from collections.abc import Mapping, Sequence

import pytest

from fixtures.contracts.broker.client import TOKEN, URL
from fixtures.core.plain_text import HIDDEN
from suites.selfcheck.commands.test_gate import find_closed_port
from suites.selfcheck.contracts.conftest import (
    BASIC,
    CANARY,
    RunHere,
    broken_pact,
    change_pact,
    committed_pact,
    release_store,
    serve_stub,
)
from suites.selfcheck.contracts.stub_broker.server import Failure
from suites.selfcheck.contracts.stub_broker.storage import StoredPact
from suites.selfcheck.contracts.test_broker_commands import ENDS, ONE, store_with_broken_pact

pytestmark = pytest.mark.process

HTML = (200, "text/html", "<html><body>Please log in</body></html>")
FAILURES: Mapping[str, tuple[Failure, str]] = {
    "401": (lambda *_: (401, "application/json", "{}"), "broker-refuses"),
    "403": (lambda *_: (403, "application/json", "{}"), "broker-refuses"),
    "404": (lambda *_: (404, "application/json", "{}"), "broker-fails"),
    "500 with an echo": (lambda *_: (500, "text/plain", f"bad header: Bearer {CANARY}"), "broker-fails"),
    "503": (lambda *_: (503, "text/html", "<h1>Sorry</h1>"), "broker-fails"),
    "HTML 200": (lambda *_: HTML, "not-a-broker"),
    "no HAL": (lambda *_: (200, "application/json", '{"hello": "world"}'), "not-a-broker"),
    "a list": (lambda *_: (200, "application/json", "[]"), "not-a-broker"),
    "links of another kind": (lambda *_: (200, "application/hal+json", '{"_links": []}'), "not-a-broker"),
    "broken JSON": (lambda *_: (200, "application/hal+json", "{"), "not-a-broker"),
}
COMMANDS: Mapping[str, Sequence[str]] = {
    "publish": ("publish",),
    "verify": ONE,
    "can-i-deploy": ("can-i-deploy",),
}


@pytest.mark.parametrize(("failure", "slug"), FAILURES.values(), ids=FAILURES)
def test_a_broker_in_failure_is_undecided_and_named(failure: Failure, slug: str, run_here: RunHere) -> None:
    with serve_stub(release_store(), failure=failure) as stub:
        result = run_here(stub.url, *ONE)
    assert result.returncode == 2, result.stdout
    assert result.stderr.startswith(f"{slug}: http://127.0.0.1:")
    assert "next: " in result.stderr


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_broker_that_is_not_there_or_lets_nobody_in_is_undecided(
    command: Sequence[str], run_here: RunHere
) -> None:
    result = run_here(f"http://127.0.0.1:{find_closed_port()}", *command)
    assert (result.returncode, result.stderr.partition(":")[0]) == (2, "broker-silent")
    with serve_stub(release_store()) as stub:
        result = run_here(stub.url, *command, **{TOKEN: "wrong"})
        assert (result.returncode, result.stderr.partition(":")[0]) == (2, "broker-refuses")


def only_at(path: str, *answer: object) -> Failure:
    """Failure where the path ends so, and nowhere else."""
    return lambda _method, requested: answer if requested.endswith(path) else None  # type: ignore[return-value]


LATER: Mapping[str, tuple[Sequence[str], Failure, str]] = {
    "a selection of HTML": (ONE, only_at("/for-verification", *HTML), "not-a-broker"),
    "a selection that fails": (ONE, only_at("/for-verification", 500, "text/plain", ""), "broker-fails"),
    "a selection without pacts": (
        ONE,
        only_at("/for-verification", 200, "text/json", '{"_links": {}}'),
        "not-a-broker",
    ),
    "pacts that are not taken": (
        ("publish", "--version", "before"),
        only_at("/contracts/publish", 500, "text/plain", ""),
        "not-published",
    ),
    "a matrix of HTML": (("can-i-deploy",), only_at("/matrix", *HTML), "broker-fails"),
    "a matrix that fails": (("can-i-deploy",), only_at("/matrix", 500, "text/plain", ""), "broker-fails"),
    "an empty matrix": (
        ("can-i-deploy",),
        only_at("/matrix", 200, "application/hal+json", "{}"),
        "not-a-broker",
    ),
    "results that are refused": (
        (*ONE, "--publish-references"),
        only_at("/verification-results", 403, "application/json", "{}"),
        "results-not-published",
    ),
}


@pytest.mark.parametrize(("command", "failure", "slug"), LATER.values(), ids=LATER)
def test_failure_half_way_is_undecided_and_named(
    command: Sequence[str], failure: Failure, slug: str, run_here: RunHere
) -> None:
    with serve_stub(release_store(), failure=failure) as stub:
        result = run_here(stub.url, *command)
    assert (result.returncode, result.stderr.partition(":")[0]) == (2, slug), result.stdout + result.stderr


def test_what_a_broker_says_looks_like_no_verdict_and_no_command(run_here: RunHere) -> None:
    text = "sorry \x1b[31m\u202e\n::error::x\n ##[error]y\n=== GO ===\n"
    body = json.dumps({"notices": [{"type": "error", "text": text}], "errors": {"contracts": [text]}})
    with serve_stub(failure=only_at("/contracts/publish", 409, "application/hal+json", body)) as stub:
        result = run_here(stub.url, "publish", "--version", "before")
    printed = result.stdout + result.stderr
    assert "sorry" in printed
    assert not HIDDEN.search(printed)
    assert not re.search(r"^\s*::|##\[|===", printed, re.MULTILINE)


def test_a_broker_without_pacts_proves_nothing(run_here: RunHere) -> None:
    with serve_stub() as stub:
        result = run_here(stub.url, *ONE)
        assert (result.returncode, result.stderr.partition(":")[0]) == (2, "no-pacts")
        result = run_here(stub.url, "can-i-deploy")
        problem = f"nothing-published: {stub.url}: it is empty: no pact was published there"
        assert (result.returncode, result.stderr) == (2, f"{problem}\n  next: ./ci/broker publish\n")
    store = release_store()
    store.main_branches.pop("go-sender")
    with serve_stub(store) as stub:
        assert "it does not know go-sender: no pact" in run_here(stub.url, "can-i-deploy").stderr
    with serve_stub(release_store(deployed=False)) as stub:
        result = run_here(stub.url, *ONE, "--selector", '{"branch": "no-such-branch"}')
        assert (result.returncode, result.stderr.partition(":")[0]) == (2, "no-pacts")


def test_a_verifier_that_finds_less_than_there_is_proves_nothing(run_here: RunHere) -> None:
    nothing = json.dumps({"_embedded": {"pacts": []}, "_links": {}})
    selections: list[str] = []

    def forgetful(method: str, path: str) -> tuple[int, str, str] | None:
        """Answer the two requests of ./ci/broker. Then the Verifier gets no pact, and succeeds."""
        if (method, path[-17:]) == ("POST", "/for-verification"):
            selections.append(path)
        return (200, "application/hal+json", nothing) if method == "POST" and len(selections) > 2 else None

    with serve_stub(release_store(), failure=forgetful) as stub:
        result = run_here(stub.url, *ONE)
    assert (result.returncode, result.stderr.partition(":")[0]) == (2, "verification-incomplete")
    assert "0 of 9 interactions verified" in result.stderr


def test_a_consumer_that_nobody_knows_is_named(run_here: RunHere) -> None:
    store = release_store()
    pact = committed_pact(*ENDS, "before")
    content = {**pact.content, "consumer": {"name": "a-stranger"}}
    store.publish(StoredPact("a-stranger", "1", pact.provider, content), "main")
    with serve_stub(store) as stub:
        result = run_here(stub.url, *ONE)
    assert (result.returncode, "unknown-consumer: a-stranger" in result.stderr) == (2, True)


def test_a_failure_outweighs_whatever_could_not_be_seen(run_here: RunHere) -> None:
    store = store_with_broken_pact(deployed=True)
    store.pacts = [pact for pact in store.pacts if pact.provider != "directory-messages"]
    with serve_stub(store) as stub:
        result = run_here(stub.url, *ONE, "--provider", "directory-messages")
    assert (result.returncode, result.stderr.partition(":")[0]) == (1, "no-pacts")
    with serve_stub(release_store()) as stub:
        target = f"subscribers-errors=http://127.0.0.1:{find_closed_port()}"
        result = run_here(stub.url, *ONE, "--target", target)
        assert result.returncode == 0  # the target is none of the providers to verify
        result = run_here(stub.url, *ONE, "--provider", "subscribers-errors", "--target", target)
    assert (result.returncode, result.stderr.partition(":")[0]) == (2, "unreachable-target")


@pytest.mark.parametrize("ends", [ENDS, ("go-sender", "directory-messages")], ids="-".join)
def test_a_state_that_the_provider_does_not_know_is_no_failure(
    ends: tuple[str, str], run_here: RunHere
) -> None:
    store = release_store()
    state = {"name": "the moon is full"}
    pact = change_pact(
        committed_pact(*ends, "before"), "9.9", lambda interaction: interaction.update(providerStates=[state])
    )
    store.publish(pact, "main")
    store.deploy(pact.consumer, pact.version, "production")
    with serve_stub(store) as stub:
        result = run_here(stub.url, "verify", "--provider", ends[1])
    assert (result.returncode, result.stderr) == (2, "")
    assert "because not-observed: " in result.stdout


USAGE: Mapping[str, tuple[Sequence[str], Mapping[str, str], str]] = {
    "no broker": (ONE, {URL: ""}, "no-broker"),
    "no URL": (ONE, {URL: "broker.example"}, "bad-broker-url"),
    "a password in the URL": (ONE, {URL: f"https://me:{CANARY}@broker.example"}, "credentials-in-url"),
    "two credentials": (ONE, {TOKEN: CANARY, **BASIC}, "two-credentials"),
    "half a credential": (ONE, {"PACT_BROKER_USERNAME": "me"}, "half-credentials"),
    "a token that no header holds": (ONE, {TOKEN: f"{CANARY}\n"}, "bad-secret"),
    "no JSON": ((*ONE, "--selector", "main"), {}, "bad-selector"),
    "no object": ((*ONE, "--selector", "[]"), {}, "bad-selector"),
    "a member that is none": ((*ONE, "--selector", '{"mainbranch": true}'), {}, "unknown-selector"),
    "a member of another kind": ((*ONE, "--selector", '{"mainBranch": "yes"}'), {}, "bad-selector"),
    "an unknown provider": (("verify", "--provider", "fcm"), {}, "unknown-provider"),
    "an unknown command": (("fetch",), {}, "usage"),
}


@pytest.mark.parametrize(("command", "variables", "slug"), USAGE.values(), ids=USAGE)
def test_wrong_usage_exits_64_and_says_what_next(
    command: Sequence[str], variables: Mapping[str, str], slug: str, run_here: RunHere
) -> None:
    result = run_here("http://127.0.0.1:9", *command, **variables)
    assert result.returncode == 64, result.stdout + result.stderr
    assert slug in result.stderr
    assert "next: " in result.stderr


def test_selectors_say_which_pacts_are_verified(run_here: RunHere) -> None:
    store = release_store()
    pact = broken_pact(committed_pact(*ENDS, "before"), "9.9")
    store.publish(pact, "feature/x")
    with serve_stub(store) as stub:
        result = run_here(stub.url, *ONE)
        assert (result.returncode, "9.9" in result.stdout) == (0, False)
        result = run_here(stub.url, *ONE, "--selector", json.dumps({"branch": "feature/x"}))
        assert (result.returncode, "9.9 (pending)" in result.stdout) == (0, True)
