"""A deployment is held to the pacts that its targets file names, and to none of ours then."""

import contextlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.contracts.pact.model import PactError
from fixtures.contracts.pact.own_verification import find_broken_interactions, verify_own_pact
from fixtures.contracts.pact.verification import InteractionProblem, Verification, VerifierProcess
from fixtures.core.catalogue import load_catalogue
from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS
from fixtures.results import ledger, policy
from fixtures.results.policy_file import NO_REQUIREMENTS
from fixtures.targets.client import Unreachable
from fixtures.targets.config import Deployment, TargetError
from fixtures.targets.deployed import prepare_target
from fixtures.targets.embedded import embedded_targets
from fixtures.targets.own_pacts import OwnPact, OwnPacts
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.target import Unobservable
from suites.selfcheck.contracts.conftest import broker_variables, serve_stub
from suites.selfcheck.contracts.stub_broker.storage import BrokerStore, StoredPact
from suites.selfcheck.http_double import HttpAnswer, serve_answers
from suites.selfcheck.targets.own_wire import SERVICE, SINCE, TARGETS, OwnPlatform

pytestmark = pytest.mark.process

TESTS = ("suites/contracts/test_own_pacts.py", "suites/contracts/test_providers_honour_pacts.py")
SELECTION = f"own_pacts or (the_provider_honours and {SERVICE})"
USER, TOKEN = "5f0c8a52-7a06-4a5e-9d55-0b1d6c1a2e11", "tok-9f8e7d6c5b4a"
JSON = {"Content-Type": "application/json"}
ROW = f"[environments.own.services.{SERVICE}]\n"
STATES = """\
    #!/bin/sh
    read -r change
    case "$change" in
        *'"a user with a device"'*setup*) exec curl -sf -X PUT URL/devices -d 'DEVICE' ;;
        *'"a user with a device"'*) exec curl -sf -X DELETE URL/users/USER ;;
    esac
    echo "no such state" >&2
    exit 3
"""
OURS = f"{SERVICE} is not judged on the pacts of this suite: its targets file names others"
FILE = "contracts/push-gateway.json"
CALLBACK: dict[str, Any] = {
    "description": "an unknown device",
    "request": {
        "method": "POST", "path": "/callbacks", "headers": JSON,
        "body": {"id": "cb-1", "api": "fcm_v1", "sent": 0, "device": TOKEN, "fcm": {}},
    },
    "response": {"status": 204},
}  # fmt: skip
KNOWN_USER = {
    "description": "the device of a user",
    "providerStates": [{"name": "a user with a device", "params": {"user": USER}}],
    "request": {"method": "GET", "path": f"/users/{USER}", "headers": {"X-Trace": "t"}},
    "response": {"status": 200, "headers": JSON, "body": {"device": {"state": "ok", "token": TOKEN}}},
}
MADE_BY_THE_RUN = {
    **KNOWN_USER,
    "description": "the device of a subscriber",
    "providerStates": [
        {
            "name": "subscribers exist",
            "params": {
                "subscribers": [
                    {
                        "subscriber_id": USER,
                        "token": TOKEN,
                        "token_since": "2026-01-05T12:00:00Z",
                        "firebase_app": "04a4177e-d2a0-4372-bd59-0a417597e5a3",
                    }
                ]
            },
        }
    ],
}


def make_pact(*interactions: Mapping[str, Any], version: str = "3.0.0") -> dict[str, Any]:
    return {
        "consumer": {"name": "push-gateway"},
        "provider": {"name": "devices"},
        "interactions": list(interactions),
        "metadata": {"pactSpecification": {"version": version}},
    }


def write_pact(folder: Path, *interactions: Mapping[str, Any], version: str = "3.0.0") -> None:
    (folder / FILE).parent.mkdir()
    (folder / FILE).write_text(json.dumps(make_pact(*interactions, version=version)), encoding="utf-8")


def write_targets(folder: Path, url: str, *lines: str, pacts: str = '["contracts/*.json"]') -> Path:
    named = (f"pacts = {pacts}", 'pact_provider = "devices"', *lines)
    text = TARGETS.replace("URL", url).replace("SINCE", SINCE).replace("JUDGE", "")
    file = folder / "targets.toml"
    file.write_text(text.replace(ROW, ROW + "\n".join(named) + "\n"), encoding="utf-8")
    return file


def write_states(folder: Path, url: str) -> str:
    program = folder / "states"
    device = json.dumps({"user": USER, "token": TOKEN, "since": 0})
    text = textwrap.dedent(STATES).replace("URL", url).replace("USER", USER).replace("DEVICE", device)
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    return 'pact_states = ["./states"]'


class Talkative(OwnPlatform):
    """Answers a callback with 200 and its name of the state: no promise is broken, but the pact is."""

    def route(self, method: str, path: str, body: Any) -> HttpAnswer:
        status, headers, content = super().route(method, path, body)
        return (200 if path == "/callbacks" else status), headers, content


def judge(file: Path, **environment: str) -> dict[str, Any]:
    """The verdict about the tests of pacts at the deployment."""
    record_file = file.parent / "ledger.jsonl"
    command = [sys.executable, "-m", "pytest", *TESTS, "-k", SELECTION, "-q"]
    options = [f"--targets={file}", f"--ledger={record_file}"]
    result = subprocess.run(  # noqa: S603
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, **environment},
    )  # fmt: skip
    record = ledger.read_ledger(record_file)
    assert record.tests, result.stdout
    assert TOKEN not in result.stdout + record_file.read_text(encoding="utf-8")
    assert USER not in result.stdout + record_file.read_text(encoding="utf-8")
    requirements = replace(NO_REQUIREMENTS, tests=frozenset(line["test"] for line in record.tests))
    return policy.decide(record, requirements, load_catalogue(), duration_s=1)


def test_own_pacts_take_the_place_of_ours(tmp_path: Path) -> None:
    write_pact(tmp_path, CALLBACK, KNOWN_USER)
    with serve_answers(OwnPlatform().react) as server:
        verdict = judge(write_targets(tmp_path, server.url, write_states(tmp_path, server.url)))
    assert verdict["verdict"] == "go", verdict["reasons"]
    mixes = "all-after-legacy, all-after-v1, mixed: the other services do not speak its wire"
    assert verdict["notes"] == [
        f"own pacts: 2 interactions verified at {SERVICE}: 2 of push-gateway ({FILE})",
        f"not in the version mixes: the deployment of {SERVICE}: {mixes}",
        f"not judged: {OURS} (2 tests)",
    ]


def test_a_broken_pact_is_no_go(tmp_path: Path) -> None:
    write_pact(tmp_path, CALLBACK)
    with serve_answers(Talkative().react) as server:
        verdict = judge(write_targets(tmp_path, server.url))
    assert verdict["verdict"] == "no-go"
    (finding,) = verdict["findings"]
    assert (finding["rule"], finding["rank"]) == ("pact.own-interaction", "contract")
    assert finding["title"] == f"breaks its own contract with push-gateway ({FILE}): an unknown device"
    assert finding["sent"]["request"]["path"] == "/callbacks"


@pytest.mark.nightly
def test_a_run_makes_the_subscribers_that_a_pact_needs(tmp_path: Path) -> None:
    write_pact(tmp_path, MADE_BY_THE_RUN)
    with serve_answers(OwnPlatform().react) as server:
        assert judge(write_targets(tmp_path, server.url))["verdict"] == "go"
    assert USER not in str(server.requests)


@pytest.mark.nightly
def test_a_state_that_the_program_does_not_know_is_no_verdict(tmp_path: Path) -> None:
    write_pact(tmp_path, {**KNOWN_USER, "providerStates": [{"name": "no user"}]})
    with serve_answers(OwnPlatform().react) as server:
        verdict = judge(write_targets(tmp_path, server.url, write_states(tmp_path, server.url)))
    assert verdict["verdict"] == "undecided"
    problem = "unknown-state: 'no user': ./states ended with 3 at setup; its last words: 'no such state'"
    assert problem in str(verdict["reasons"])


@pytest.mark.nightly
def test_a_pending_interaction_may_fail(tmp_path: Path) -> None:
    body = {"content": CALLBACK["request"]["body"], "contentType": "application/json"}
    request = {"method": "POST", "path": "/callbacks", "body": body}
    required = {"type": "Synchronous/HTTP", **CALLBACK, "request": request}
    pending = {**required, "description": "new", "pending": True, "response": {"status": 201}}
    write_pact(tmp_path, required, pending, version="4.0")
    with serve_answers(OwnPlatform().react) as server:
        verdict = judge(write_targets(tmp_path, server.url))
    assert verdict["verdict"] == "go", verdict["reasons"]
    assert "1 pending ones fail" in verdict["notes"][0]


@pytest.mark.nightly
def test_the_pacts_of_the_broker_are_verified_and_new_ones_may_fail(tmp_path: Path) -> None:
    store = BrokerStore()
    store.publish(StoredPact("push-gateway", "1.0", "devices", make_pact(CALLBACK)), "main")
    store.deploy("push-gateway", "1.0", "production")
    new = make_pact({**CALLBACK, "response": {"status": 201}})
    store.publish(StoredPact("push-gateway", "1.1", "devices", new), "main")
    with serve_answers(OwnPlatform().react) as server, serve_stub(store) as stub:
        file = write_targets(tmp_path, server.url)
        file.write_text(
            file.read_text(encoding="utf-8").replace('["contracts/*.json"]', '"broker"'), encoding="utf-8"
        )
        verdict = judge(file, **broker_variables(stub.url, {}))
    assert verdict["verdict"] == "go", verdict["reasons"]
    sources = [f"1 of push-gateway (push-gateway {version} of the broker)" for version in ("1.0", "1.1")]
    assert f"{', '.join(sources)}; 1 pending ones fail, which does not count" in verdict["notes"][0]


@pytest.mark.parametrize(
    ("state", "error", "problem"),
    [
        ("no such state", TargetError, "unknown-state: 'no such state': setup is answered with 4.. "),
        ("no such subscriber", PactError, "verification-incomplete"),
        ("", Unreachable, "unreachable-target"),
    ],
    ids=["unknown state", "two twins", "no answer"],
)
def test_what_cannot_be_verified_is_no_finding(state: str, error: type[Exception], problem: str) -> None:
    interaction = {**CALLBACK, "providerState": state}
    twins = [interaction] * (2 if error is PactError else 1)
    own_pacts = OwnPacts(provider="devices")
    with (
        embedded_targets([SERVICE], "after") as references,
        contextlib.closing(VerifierProcess(plain_http=True)) as verifier,
    ):
        deployment = Deployment(SERVICE, references[SERVICE].url if state else "http://127.0.0.1:9")
        target = prepare_target(deployment, RateLimiter(), PROVIDERS[SERVICE])
        with contextlib.closing(target), pytest.raises(error, match=problem):
            verify_own_pact(verifier, target, own_pacts, OwnPact(source="x", content=make_pact(*twins)))


def test_an_interaction_that_did_not_take_place_is_no_finding() -> None:
    name = "an unknown device"
    late = InteractionProblem(name, "provider states", "none", "-", "timed out", unobserved=True)
    broken = InteractionProblem(name, "status", "204", "500", "expected 204 but was 500")
    pact = OwnPact(source="x", content=make_pact(CALLBACK))
    with pytest.raises(Unobservable, match="1 interactions, such as 'an unknown device': timed out"):
        find_broken_interactions(SERVICE, [(pact, Verification((name,), (late,)))])
    verified = [(pact, Verification((name,), (problem,))) for problem in (late, broken)]
    (finding,) = find_broken_interactions(SERVICE, verified)
    assert finding.got == ["status: expected 204 but was 500 (got 500)"]
