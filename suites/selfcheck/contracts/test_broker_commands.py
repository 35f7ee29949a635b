"""The Pact Broker as people use it: `./ci/broker` and `./ci/gate --broker`, with Pact's own tools unmodified.

They talk to a stand-in over real HTTP; whatever goes wrong there is never a yes, and no secret comes out.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from ci.commands.broker import main as run_broker_command
from fixtures.contracts.broker.config import TOKEN, URL
from fixtures.core.topology import load_release, get_version_number
from fixtures.targets.embedded import embedded_targets
from suites.selfcheck.commands.test_gate import find_closed_port, read_verdict
from suites.selfcheck.contracts.broker_command import (
    BASIC,
    CANARY,
    SHARED,
    a_broker,
    broken,
    broker,
    in_another_state,
    leaks,
    pact_of,
    release_memory,
    run,
    variables_of,
)
from suites.selfcheck.contracts.stub_broker.server import Trouble
from suites.selfcheck.contracts.stub_broker.storage import Memory

pytestmark = pytest.mark.process

ENDS = ("subscribers-errors", "subscribers-postponed")
ONE = ("verify", "--provider", "subscribers-postponed")
SERVICES = tuple(load_release()["services"])


Here: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Here:
    """./ci/broker in this process, for what need not wait for another one."""

    def ran(url: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        for name in (URL, TOKEN, *BASIC):
            monkeypatch.delenv(name, raising=False)
        for name, text in variables_of(url, variables).items():
            monkeypatch.setenv(name, text)
        try:
            code = run_broker_command(arguments)  # a command under test, by name
        except SystemExit as end:
            code = end.code
        said = capfd.readouterr()
        assert not leaks(said.out + said.err), "a secret came out"
        return subprocess.CompletedProcess(arguments, code, said.out, said.err)

    return ran


def test_a_release_goes_all_the_way_from_its_pacts_to_yes() -> None:
    with a_broker() as served:
        assert broker(served, "publish").returncode == 0
        published = {(one.consumer, one.version, one.provider) for one in served.memory.pacts}
        assert len(published) == 2 * len(SHARED)
        for edge in SHARED:
            kept = pact_of(edge.consumer, edge.provider, "after")
            found = served.memory.pact(kept.consumer, kept.version, kept.provider)
            assert found is not None
            assert found.sha == kept.sha
        for name in ("events-proxy", "go-sender"):
            served.memory.deploy(name, get_version_number(name, "before"), "production")
        assert broker(served, "can-i-deploy").returncode == 2
        ran = broker(served, "verify", "--publish-references")
        assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
        assert "1.12.5.0 (deployed) - directory-events-api 1.66.4.1: 33 interactions honoured" in ran.stdout
        assert "1.13.7.0 (pending) - directory-events-api 1.66.4.1: 69 interactions honoured" in ran.stdout
        ran = broker(served, "can-i-deploy")
        assert ran.returncode == 0, ran.stdout
        assert f"{len(SHARED)} pacts between these versions are honoured, 0 are not" in ran.stdout
        # Together they may go where the old ones are; the same question of the old ones has no answer.
        assert broker(served, "can-i-deploy", "--to-environment", "production").returncode == 0
        assert broker(served, "can-i-deploy", "--version", "before").returncode == 2


def test_pacts_are_published_once_and_never_changed() -> None:
    with a_broker() as served:
        assert broker(served, "publish", "--version", "before").returncode == 0
        ran = broker(served, "publish", "--version", "before", **BASIC, **{TOKEN: ""})
        assert ran.returncode == 2  # a stand-in that wants the token lets no name in
        ran = broker(served, "publish", "--version", "before")
        assert ran.returncode == 0
        assert "with no content changes" in ran.stdout
        other = broken(pact_of(*ENDS, "before"), get_version_number(ENDS[0], "before"))
        served.memory.publish(other)
        ran = broker(served, "publish", "--version", "before")
        assert ran.returncode == 1
        assert "Cannot change the content of the pact for subscribers-errors" in ran.stdout
        assert "1 publications refused" in ran.stdout


def test_a_name_and_a_password_will_do() -> None:
    with a_broker(release_memory(), user=("me", CANARY)) as served:
        served.token = None
        assert broker(served, *ONE, **BASIC).returncode == 0
        assert broker(served, "can-i-deploy", **BASIC).returncode == 2


def with_a_broken_pact(*, deployed: bool) -> Memory:
    """The release as it runs, and a newer consumer whose pact nobody honours."""
    memory = release_memory()
    pact = broken(pact_of(*ENDS, "before"), "9.9")
    memory.have_version(pact.consumer, pact.version, "main")
    memory.publish(pact)
    if deployed:
        memory.deploy(pact.consumer, pact.version, "test")
    return memory


def test_a_pending_pact_may_fail_while_nobody_has_deployed_it(here: Here) -> None:
    with a_broker(with_a_broken_pact(deployed=False)) as served:
        ran = here(served.url, *ONE, "--publish-references")
        assert ran.returncode == 0, ran.stdout
        assert "9.9 (pending) - subscribers-postponed" in ran.stdout
        assert "interactions fail; pending, so that does not count yet" in ran.stdout
        assert [(one.pact.version, one.success) for one in served.memory.verified] == [
            (get_version_number(ENDS[0], "before"), True),
            ("9.9", False),
        ]


def test_a_pact_of_a_deployed_version_is_never_pending(here: Here) -> None:
    with a_broker(with_a_broken_pact(deployed=True)) as served:
        (pact,) = (one for one in served.memory.pacts if one.version == "9.9")
        assert served.memory.pending(pact, "main")  # so says the broker, and would wave it through
        ran = here(served.url, *ONE)
        assert ran.returncode == 1, ran.stdout + ran.stderr
        assert "9.9 (deployed) - subscribers-postponed" in ran.stdout
        assert "because broken:" in ran.stdout


def test_pending_pacts_that_all_fail_prove_nothing(here: Here) -> None:
    memory = with_a_broken_pact(deployed=False)
    memory.deployed.clear()
    with a_broker(memory) as served:
        ran = here(served.url, *ONE)
        assert (ran.returncode, "only-pending" in ran.stdout) == (2, True)


def test_a_wrong_provider_is_told_to_the_broker_which_says_no(tmp_path: Path) -> None:
    # The old service takes the place of the new one: its number is published for what it does.
    with a_broker(release_memory(version="after")) as served:
        ran = broker(served, *ONE, "--version", "before", "--publish-references")
        assert ran.returncode == 1
        (result,) = served.memory.verified
        assert (result.provider_version, result.success) == (get_version_number(ENDS[1], "before"), False)
        after = get_version_number(ENDS[1], "after")
        for pact in list(served.memory.pacts):
            number = get_version_number(pact.provider, "after")
            served.memory.verify(pact, number, success=pact.provider != ENDS[1])
        ran = broker(served, "can-i-deploy")
        assert ran.returncode == 1
        assert (
            f"{ENDS[1]}: failed, the broker says, the verification of its pact with {ENDS[0]}" in ran.stdout
        )
        unreachable = f"--target=subscribers-errors=http://127.0.0.1:{find_closed_port()}"
        variables = {URL: served.url, TOKEN: CANARY}
        ran = run("ci.commands.gate", "--broker", f"--build={tmp_path}", unreachable, **variables)
        verdict = read_verdict(tmp_path)
        assert verdict is not None
        assert (ran.returncode, verdict["verdict"]) == (1, "no-go")
        assert [(one["check"], one["provider"]) for one in verdict["findings"]] == [("can-i-deploy", ENDS[1])]
        assert f"{ENDS[1]} {after}" in verdict["findings"][0]["expected"]
        assert [reason.partition(":")[0] for reason in verdict["reasons"]] == [ENDS[1], "unreachable-target"]
        assert "again:    ./ci/broker can-i-deploy" in ran.stdout
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert not leaks(file.read_text(encoding="utf-8", errors="replace")), file


def test_a_gate_whose_broker_is_silent_is_undecided(tmp_path: Path) -> None:
    unreachable = f"--target=subscribers-errors=http://127.0.0.1:{find_closed_port()}"
    variables = {URL: f"http://127.0.0.1:{find_closed_port()}", TOKEN: CANARY}
    ran = run("ci.commands.gate", "--broker", f"--build={tmp_path}", unreachable, **variables)
    verdict = read_verdict(tmp_path)
    assert verdict is not None
    assert (ran.returncode, verdict["verdict"]) == (2, "undecided")
    assert [reason.partition(":")[0] for reason in verdict["reasons"]] == [
        "unreachable-target",
        "broker-silent",
    ]
    ran = run("ci.commands.gate", "--broker", f"--build={tmp_path}")
    assert (ran.returncode, "no-broker" in ran.stderr) == (64, True)


def test_a_deployment_is_verified_as_often_as_wanted_and_speaks_for_itself() -> None:
    name = "subscribers-errors"
    with embedded_targets([name], "after") as targets, a_broker(release_memory()) as served:
        there = ("verify", "--provider", name, "--target", f"{name}={targets[name].url}", "--publish")
        for _ in range(2):  # it remembers events, so each time it gets others
            ran = broker(served, *there)
            assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
        assert {(one.pact.consumer, one.provider_version, one.success) for one in served.memory.verified} == {
            ("directory-errors-listener", get_version_number(name, "after"), True),
            ("subscribers-postponed", get_version_number(name, "after"), True),
        }
        ran = broker(served, *ONE, "--publish")
        assert (ran.returncode, "reference-results" in ran.stderr) == (64, True)


HTML = (200, "text/html", "<html><body>Please log in</body></html>")
TROUBLES: Mapping[str, tuple[Trouble, str]] = {
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


@pytest.mark.parametrize(("trouble", "slug"), TROUBLES.values(), ids=TROUBLES)
def test_a_broker_in_trouble_is_undecided_and_named(trouble: Trouble, slug: str, here: Here) -> None:
    with a_broker(release_memory(), trouble=trouble) as served:
        ran = here(served.url, *ONE)
    assert ran.returncode == 2, ran.stdout
    assert ran.stderr.startswith(f"{slug}: http://127.0.0.1:")
    assert "next: " in ran.stderr


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_broker_that_is_not_there_or_lets_nobody_in_is_undecided(
    command: Sequence[str], here: Here
) -> None:
    ran = here(f"http://127.0.0.1:{find_closed_port()}", *command)
    assert (ran.returncode, ran.stderr.partition(":")[0]) == (2, "broker-silent")
    with a_broker(release_memory()) as served:
        ran = here(served.url, *command, **{TOKEN: "wrong"})
        assert (ran.returncode, ran.stderr.partition(":")[0]) == (2, "broker-refuses")


def only_at(path: str, *answer: object) -> Trouble:
    """Trouble where the path ends so, and nowhere else."""
    return lambda _method, asked: answer if asked.endswith(path) else None  # type: ignore[return-value]


LATER: Mapping[str, tuple[Sequence[str], Trouble, str]] = {
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


@pytest.mark.parametrize(("command", "trouble", "slug"), LATER.values(), ids=LATER)
def test_trouble_half_way_is_undecided_and_named(
    command: Sequence[str], trouble: Trouble, slug: str, here: Here
) -> None:
    with a_broker(release_memory(), trouble=trouble) as served:
        ran = here(served.url, *command)
    assert (ran.returncode, ran.stderr.partition(":")[0]) == (2, slug), ran.stdout + ran.stderr


def test_a_broker_without_pacts_proves_nothing(here: Here) -> None:
    with a_broker() as served:
        ran = here(served.url, *ONE)
        assert (ran.returncode, ran.stderr.partition(":")[0]) == (2, "no-pacts")
        ran = here(served.url, "can-i-deploy")
        assert (ran.returncode, "Pacticipant directory-messages not found" in ran.stderr) == (2, True)
    with a_broker(release_memory(deployed=False)) as served:
        ran = here(served.url, *ONE, "--selector", '{"branch": "nobody-works-here"}')
        assert (ran.returncode, ran.stderr.partition(":")[0]) == (2, "no-pacts")


def test_a_verifier_that_finds_less_than_there_is_proves_nothing(here: Here) -> None:
    nothing = json.dumps({"_embedded": {"pacts": []}, "_links": {}})
    asked: list[str] = []

    def forgetful(method: str, path: str) -> tuple[int, str, str] | None:
        """Answer us, who ask twice, and tell the Verifier of no pact: then it passes."""
        asked.extend([path] if (method, path[-17:]) == ("POST", "/for-verification") else [])
        return (200, "application/hal+json", nothing) if method == "POST" and len(asked) > 2 else None

    with a_broker(release_memory(), trouble=forgetful) as served:
        ran = here(served.url, *ONE)
    assert (ran.returncode, ran.stderr.partition(":")[0]) == (2, "verification-incomplete")
    assert "0 of 9 interactions verified" in ran.stderr


def test_a_consumer_that_nobody_knows_is_named(here: Here) -> None:
    memory = release_memory()
    pact = pact_of(*ENDS, "before")
    content = {**pact.content, "consumer": {"name": "a-stranger"}}
    memory.have_version("a-stranger", "1", "main")
    memory.publish(type(pact)("a-stranger", "1", pact.provider, content))
    with a_broker(memory) as served:
        ran = here(served.url, *ONE)
    assert (ran.returncode, "unknown-consumer: a-stranger" in ran.stderr) == (2, True)


def test_a_failure_outweighs_whatever_could_not_be_seen(here: Here) -> None:
    memory = with_a_broken_pact(deployed=True)
    memory.pacts = [one for one in memory.pacts if one.provider != "directory-messages"]
    with a_broker(memory) as served:
        ran = here(served.url, *ONE, "--provider", "directory-messages")
    assert (ran.returncode, ran.stderr.partition(":")[0]) == (1, "no-pacts")
    with a_broker(release_memory()) as served:
        ran = here(served.url, *ONE, "--target", f"subscribers-errors=http://127.0.0.1:{find_closed_port()}")
        assert ran.returncode == 0  # nobody asked for that one
        there = f"subscribers-errors=http://127.0.0.1:{find_closed_port()}"
        ran = here(served.url, *ONE, "--provider", "subscribers-errors", "--target", there)
    assert (ran.returncode, ran.stderr.partition(":")[0]) == (2, "unreachable-target")


@pytest.mark.parametrize("ends", [ENDS, ("go-sender", "directory-messages")], ids="-".join)
def test_a_state_that_the_provider_does_not_know_is_no_failure(ends: tuple[str, str], here: Here) -> None:
    memory = release_memory()
    pact = in_another_state(pact_of(*ends, "before"), "9.9")
    memory.have_version(pact.consumer, pact.version, "main")
    memory.publish(pact)
    memory.deploy(pact.consumer, pact.version, "production")
    with a_broker(memory) as served:
        ran = here(served.url, "verify", "--provider", ends[1])
    assert (ran.returncode, ran.stderr) == (2, "")
    assert "because not-observed: " in ran.stdout


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
    "an unknown provider": (("verify", "--provider", "fcm"), {}, "usage"),
    "an unknown command": (("fetch",), {}, "usage"),
}


@pytest.mark.parametrize(("command", "variables", "slug"), USAGE.values(), ids=USAGE)
def test_wrong_usage_exits_64_and_says_what_next(
    command: Sequence[str], variables: Mapping[str, str], slug: str, here: Here
) -> None:
    ran = here("http://127.0.0.1:9", *command, **variables)
    assert ran.returncode == 64, ran.stdout + ran.stderr
    assert slug in ran.stderr
    assert "next: " in ran.stderr


def test_selectors_say_which_pacts_are_verified(here: Here) -> None:
    memory = release_memory()
    pact = broken(pact_of(*ENDS, "before"), "9.9")
    memory.have_version(pact.consumer, pact.version, "feature/x")
    memory.publish(pact)
    with a_broker(memory) as served:
        ran = here(served.url, *ONE)
        assert (ran.returncode, "9.9" in ran.stdout) == (0, False)
        ran = here(served.url, *ONE, "--selector", json.dumps({"branch": "feature/x"}))
        assert (ran.returncode, "9.9 (pending)" in ran.stdout) == (0, True)
