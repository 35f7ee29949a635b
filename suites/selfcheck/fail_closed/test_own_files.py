"""A file of the user that is wrong is never a go: settings, waivers, policy, catalogue, pacts and release."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from fixtures.core.times import utc_now
from fixtures.core.topology import RELEASE_FILE
from suites.selfcheck.fail_closed.behaviours import on_batches
from suites.selfcheck.fail_closed.fault_proxy import ProxiedRequest, ProxiedResponse, run_proxy
from suites.selfcheck.fail_closed.sandbox import (
    REACTOR,
    GateCall,
    GateFault,
    PutInPlace,
    Scene,
    deploy,
    for_each_fault,
    run_gate,
)

ID = f"{REACTOR}/answers.status/legacy-NotRegistered/handled-wrongly"
PROMISE_ID = f"{REACTOR}/effects.subscriber/legacy-NotRegistered/dead-users-kept"
TOMORROW, YESTERDAY = (utc_now().date() + timedelta(days=days) for days in (1, -1))
WEAK = "The policy own.toml is weaker than that of this suite: reports is 2, not 4."


def describe_waiver(
    finding_id: str, reason: str = "the old client wants it", until: object = TOMORROW
) -> str:
    return f'[[waiver]]\nid = "{finding_id}"\nwho = "the push team"\nuntil = {until}\nreason = "{reason}"\n'


def write(file: str, text: str, *arguments: str) -> PutInPlace:
    """A file in the project, where the gate is called, with arguments that name it."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        (scene.project / file).write_text(text, encoding="utf-8")
        yield GateCall(arguments)

    return put_in_place


def waive(text: str) -> PutInPlace:
    return write("waivers.toml", text, "--waivers=waivers.toml")


def settings(text: str) -> PutInPlace:
    return write("fcm-compat.toml", text)


def answer_created(request: ProxiedRequest) -> None:
    """Do everything right, and answer 201, which no pact allows."""
    response = request.fetch()
    request.respond(ProxiedResponse(201, response.content_type, response.body))


def keep_subscribed(request: ProxiedRequest) -> None:
    """Show every subscriber as active, whatever became of it."""
    response = request.fetch()
    rows = [{**row, "status": "active"} for row in response.json.get("subscribers", ())]
    body = json.dumps({"subscribers": rows}).encode() if rows else response.body
    request.respond(ProxiedResponse(response.status, response.content_type, body))


@contextlib.contextmanager
def waive_promise(scene: Scene) -> Iterator[GateCall]:
    """A waiver for a live promise that is broken, whose case the policy does not name."""
    (scene.project / "waivers.toml").write_text(describe_waiver(PROMISE_ID), encoding="utf-8")
    with run_proxy(scene.service_urls[REACTOR], keep_subscribed) as url:
        yield GateCall((*deploy(REACTOR, url, scene), "--waivers=waivers.toml"))


ROWS: tuple[tuple[str, str, str, PutInPlace, str], ...] = (
    (
        "waiver-expired",
        "a waiver has expired",
        "undecided",
        waive(describe_waiver(ID, until=YESTERDAY)),
        f"waiver-expired: {ID} until {YESTERDAY} by the push team",
    ),
    (
        "waiver-without-finding",
        "a waiver matches nothing",
        "undecided",
        waive(describe_waiver(ID)),
        f"waiver-without-finding: {ID} until {TOMORROW}",
    ),
    (
        "waiver-without-reason",
        "a waiver has no reason",
        "undecided",
        waive(describe_waiver(ID, reason="")),
        f"waiver-without-reason: {ID} until {TOMORROW}",
    ),
    ("waiver-of-promise", "a waiver is about a promise", "no-go", waive_promise, "waiver-of-promise: "),
    ("waivers-gone", "the file of waivers is gone", "none", settings('waivers = "x"'), "waivers-unreadable"),
    ("waivers-unreadable", "the file of waivers is no TOML", "none", waive("[[waiver"), "waivers-unreadable"),
    (
        "waiver-without-day",
        "a waiver names no day",
        "none",
        waive(f'[[waiver]]\nid = "{ID}"\nwho = "x"\nreason = "y"\n'),
        "bad-waivers",
    ),
    (
        "settings-unknown",
        "the settings have an unknown member",
        "none",
        settings("polici = 1"),
        "bad-settings",
    ),
    ("settings-cut", "the settings are cut off", "none", settings('policy = "'), "bad-settings"),
    ("policy-gone", "the policy of the user is gone", "none", settings('policy = "x"'), "bad-policy"),
    (
        "policy-unknown",
        "the policy of the user has an unknown member",
        "none",
        write("own.toml", "report = 1\n", "--policy=own.toml"),
        "bad-policy",
    ),
    (
        "release-gone",
        "the release file of the user is gone",
        "none",
        settings('release = "x.toml"'),
        "no-release",
    ),
    (
        "release-of-others",
        "the release file of the user is about other services",
        "none",
        settings('release = "ci/examples/orders.toml"'),
        "release-without-service",
    ),
    (
        "catalogue-without-deployment",
        "a catalogue is named, and no deployment",
        "none",
        settings('catalogue = "schemas/response-codes.json"'),
        "no-deployment",
    ),
)
FAULTS = [GateFault(name, what, verdict, reason, put) for name, what, verdict, put, reason in ROWS]


@pytest.mark.process
@for_each_fault(FAULTS, by_day={"waivers-gone", "settings-unknown"})
def test_a_wrong_file_of_the_user_is_never_go(
    fault: GateFault, own_scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, own_scene) == ""


@pytest.mark.nightly
@pytest.mark.process
def test_waivers_of_one_run_accept_the_findings_of_another_seed(own_scene: Scene) -> None:
    """Ids are the same whatever was drawn, and a waived finding is go, shown, counted, and weaker is said."""
    project = own_scene.project
    release = RELEASE_FILE.read_text(encoding="utf-8").replace("1.66.4.1", "1.66.4.2")
    with run_proxy(own_scene.service_urls[REACTOR], on_batches(answer_created)) as url:
        arguments = deploy(REACTOR, url, own_scene, pacts="suite")
        found = run_gate(own_scene, GateCall(arguments), re.compile("x"))
        assert found.exit_status == 1
        assert found.verdict
        ids = sorted({finding["id"] for finding in found.verdict["findings"]})
        assert ID in ids
        texts = "".join(map(describe_waiver, ids))
        folder = project / "mine"
        folder.mkdir()
        for file, text in (
            (folder / "waivers.toml", texts),
            (folder / "own.toml", "reports = 2\n"),
            (folder / "release.toml", release),
            (
                project / "fcm-compat.toml",
                'waivers = "mine/waivers.toml"\npolicy = "mine/own.toml"\nrelease = "mine/release.toml"\n',
            ),
        ):
            file.write_text(text, encoding="utf-8")
        waived = run_gate(own_scene, GateCall((*arguments, "--seed=7")), re.compile("x"))
    assert waived.verdict
    assert (waived.verdict["verdict"], waived.exit_status) == ("go", 0), waived.text
    assert sorted({finding["id"] for finding in waived.verdict["waived"]}) == ids
    assert waived.verdict["weaker"] == [WEAK]
    assert waived.verdict["versions"]["directory-responses"]["version"] == "1.66.4.2"
    assert waived.verdict["provenance"]["policy"].endswith(" own.toml")
    assert waived.verdict["provenance"]["release"].endswith(" release.toml")
    assert waived.text.startswith(f"settings: {project / 'fcm-compat.toml'}: waivers, policy, release\n")
    assert WEAK in waived.text
    page = (own_scene.build / "report" / "index.html").read_text(encoding="utf-8")
    assert WEAK in page
    assert f"{len(ids)} findings waived." in page
