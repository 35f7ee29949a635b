"""Pacts that cannot be verified at a deployment are refused by name, before anything is sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.contracts.pact.own_verification import run_states_command
from fixtures.core import redaction
from fixtures.targets.config import TargetError, read_targets_file
from fixtures.targets.deployed import describe_deployments
from fixtures.targets.own_pacts import OwnPacts

REACTOR = "subscribers-errors"
INTERACTION: dict[str, Any] = {
    "description": "a callback",
    "request": {"method": "POST", "path": "/callbacks", "body": {"device": "tok-4f5e6d7c8b9a"}},
    "response": {"status": 204},
}
PACT: dict[str, Any] = {
    "consumer": {"name": "gateway"},
    "provider": {"name": "devices"},
    "interactions": [INTERACTION],
}
NO_TOKEN = {"name": "subscribers exist", "params": {"subscribers": [{"subscriber_id": "a"}]}}
OWN_WIRE = """\
url = "http://127.0.0.1:1"
values = { active = ["ok"] }
judge = { promises = [] }
deliver = { method = "POST", path = "/callbacks/{report.token}" }
observe.http = { path = "/users/{subscriber_id}", status = "state" }
states.http.setup = { method = "PUT", path = "/users/{subscriber_id}" }
states.http.teardown = { method = "DELETE", path = "/users/{subscriber_id}" }
"""
NAMED = 'pacts = ["contracts/*.json"]\npact_provider = "devices"\n'


def read_targets(folder: Path, lines: str, service: str = REACTOR) -> OwnPacts | None:
    file = folder / "targets.toml"
    file.write_text(f"[environments.e.services.{service}]\n{lines}", encoding="utf-8")
    return read_targets_file(file, None)[0][service].own_pacts


def write_pact(folder: Path, pact: object) -> None:
    (folder / "contracts").mkdir(exist_ok=True)
    text = pact if isinstance(pact, str) else json.dumps(pact)
    (folder / "contracts" / "gateway.json").write_text(text, encoding="utf-8")


def test_files_are_found_beside_the_targets_file_and_their_tokens_are_masked(tmp_path: Path) -> None:
    write_pact(tmp_path, PACT)
    pacts = read_targets(tmp_path, NAMED + OWN_WIRE)
    assert pacts is not None
    lines = describe_deployments(read_targets_file(tmp_path / "targets.toml", None)[0])
    assert "    it gets the requests of its own pacts as they are: contracts/gateway.json" in lines
    assert [(pact.source, pact.consumer) for pact in pacts.files] == [("contracts/gateway.json", "gateway")]
    assert "tok-4f5e6d7c8b9a" not in redaction.REDACTOR.redact_text("it got tok-4f5e6d7c8b9a")


@pytest.mark.parametrize(
    ("pact", "problem"),
    [
        ("nonsense", "not-a-pact: 'contracts/gateway.json': it is no JSON"),
        pytest.param("[" * 200_000, "it is no JSON: it is nested too deeply", id="too deep"),
        ([], "not-a-pact: 'contracts/gateway.json'"),
        ({**PACT, "interactions": []}, "not-a-pact: 'contracts/gateway.json'"),
        ({**PACT, "consumer": {}}, "not-a-pact: 'contracts/gateway.json'"),
        ({**PACT, "interactions": [INTERACTION] * 2}, "2 interactions are 'a callback', in the same states"),
        (
            {**PACT, "interactions": [{**INTERACTION, "type": "Asynchronous/Messages"}]},
            "not-a-pact: 'contracts/gateway.json'",
        ),
        ({**PACT, "provider": {"name": "b"}}, "it is of 'b', not 'devices'"),
        (
            {**PACT, "interactions": [{**INTERACTION, "providerState": "a user"}]},
            "unknown-state: 'a user': contracts/gateway.json needs it, and a run can make these: subscribers",
        ),
        (
            {**PACT, "interactions": [{**INTERACTION, "providerStates": [{"name": "a user"}]}]},
            'name a program that makes it: pact_states = ["./states"]',
        ),
        ({**PACT, "interactions": [{**INTERACTION, "providerState": NO_TOKEN["name"]}]}, "incomplete-state"),
        (
            {**PACT, "interactions": [{**INTERACTION, "providerStates": [NO_TOKEN]}]},
            "contracts/gateway.json names a subscriber without firebase_app, token, token_since",
        ),
    ],
)  # fmt: skip
def test_a_pact_that_cannot_be_verified_is_refused(tmp_path: Path, pact: object, problem: str) -> None:
    write_pact(tmp_path, pact)
    with pytest.raises(TargetError) as error:
        read_targets(tmp_path, NAMED + OWN_WIRE)
    assert problem in str(error.value)
    assert "\n  next: " in str(error.value)


@pytest.mark.parametrize(
    ("service", "lines", "problem"),
    [
        (REACTOR, 'pacts = ["none/*.json"]\n' + OWN_WIRE, "no-pact-file: 'none/*.json': no file matches"),
        (REACTOR, 'pact_provider = "x"\n' + OWN_WIRE, "no-own-pacts: 'pact_provider'"),
        (REACTOR, 'pacts = "suite"\npact_states = ["x"]\n' + OWN_WIRE, "no-own-pacts: 'pact_states'"),
        ("events-proxy", 'pacts = "broker"\nurl = "http://127.0.0.1:1"\n', "no-pacts-there: 'events-proxy'"),
        (REACTOR, 'pacts = "broker"\nadapter = ["./x"]\n', "no-url-for-pacts: 'subscribers-errors'"),
        (REACTOR, "pacts = []\n" + OWN_WIRE, "bad-targets-file"),
    ],
)  # fmt: skip
def test_a_row_that_names_no_pacts_rightly_is_refused(
    tmp_path: Path, service: str, lines: str, problem: str
) -> None:
    with pytest.raises(TargetError) as error:
        read_targets(tmp_path, lines, service)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["./nothing"], "states-not-started: './nothing': No such file or directory"),
        (["sleep", "60"], "states-too-late: 'a user': sleep did not setup it within 0.2 s"),
        (["false"], "unknown-state: 'a user': false ended with 1 at setup"),
    ],
)
def test_a_program_that_makes_no_state_is_refused_by_name(command: list[str], problem: str) -> None:
    change = {"state": "a user", "params": {}, "action": "setup"}
    with pytest.raises(TargetError) as error:
        run_states_command(OwnPacts(provider="devices", states_command=command), change, 0.2)
    assert problem in str(error.value)
    assert "\n  next: " in str(error.value)
