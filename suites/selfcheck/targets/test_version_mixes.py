"""A deployment stands in the version mixes that have its version; where it cannot, the reason is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.core.topology import VERSION_MIXES
from fixtures.results.policy import describe_absences
from fixtures.targets.adapters.config import AdapterConfig, Judged
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import describe_targets
from fixtures.targets.provisioning.inventory import Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.start_config import StartConfig
from fixtures.targets.version_mixes import explain_absences, find_version, takes_part

URL, START = "http://127.0.0.1:8000", StartConfig(command=("./service",))
ONLY_LEGACY = Judged(protocols=("legacy",))
AFTER = ["all-after-legacy", "all-after-v1", "mixed"]
SENDER = Deployment("go-sender", "command", start=START, judged_on=Judged(protocols=("fcm_v1",)))
PROXY = Deployment("events-proxy", "command", start=START)
LISTENER = Deployment("directory-errors-listener", "ports", ports={"queue": 9001, "errors": 9002})
POSTPONED = Deployment("subscribers-postponed", "command", start=START)
REACTOR = Deployment("subscribers-errors", URL)


def list_mixes(*deployments: Deployment) -> list[str]:
    """The mixes in which the first of the deployments stands."""
    by_name = {deployment.name: deployment for deployment in deployments}
    return [mix for mix in VERSION_MIXES if takes_part(by_name, deployments[0].name, mix)]


@pytest.mark.parametrize(
    ("deployment", "version", "mixes"),
    [
        pytest.param(PROXY, "after", AFTER, id="a started service"),
        pytest.param(
            replace(PROXY, version="1.12.5.0"), "before", ["all-before-legacy"], id="an old version"
        ),
        pytest.param(replace(PROXY, version="unknown"), "after", AFTER, id="an unknown version"),
        pytest.param(replace(PROXY, catalogue=Path("ours.json")), "after", AFTER, id="a catalogue elsewhere"),
        pytest.param(SENDER, "after", AFTER[1:], id="a v1 sender"),
        pytest.param(
            replace(SENDER, judged_on=ONLY_LEGACY),
            "before",
            ["all-before-legacy", "all-after-legacy", "mixed"],
            id="a legacy sender",
        ),
        pytest.param(LISTENER, "after", AFTER, id="fixed ports"),
        pytest.param(REACTOR, "after", AFTER, id="a provider"),
    ],
)
def test_a_deployment_stands_in_the_mixes_of_its_version(
    deployment: Deployment, version: str, mixes: list[str]
) -> None:
    assert find_version(deployment) == version
    assert list_mixes(deployment) == mixes
    assert explain_absences({deployment.name: deployment}, deployment.name) == ""


@pytest.mark.parametrize(
    ("deployments", "reason"),
    [
        pytest.param([Deployment("directory-events-api", URL)], "cannot follow a push", id="a queue"),
        pytest.param([replace(REACTOR, adapter=AdapterConfig())], "do not speak its wire", id="its wire"),
        pytest.param(
            [replace(REACTOR, catalogue=Path("ours.json"))], "a catalogue of its own", id="a catalogue"
        ),
        pytest.param([POSTPONED, REACTOR], "does not call it", id="a service that nothing calls"),
        pytest.param([LISTENER, REACTOR], "its port `errors` cannot lead", id="a port to a deployment"),
    ],
)
def test_what_cannot_take_part_is_named(deployments: list[Deployment], reason: str) -> None:
    name, by_name = deployments[0].name, {deployment.name: deployment for deployment in deployments}
    assert list_mixes(*deployments) == []
    (note,) = describe_absences({name: {"mixes": explain_absences(by_name, name)}})
    assert note.startswith(f"not in the version mixes: the deployment of {name}: {', '.join(AFTER)}: ")
    assert reason in note


def test_a_sender_that_cannot_give_way_is_named_for_that_mix() -> None:
    sender = replace(SENDER, start=None, ports={"fcm": 9001, "events": 9002, "redis": 9003})
    assert list_mixes(sender) == ["all-after-v1"]
    row = describe_targets({"go-sender": sender}, RateLimiter(), Inventory())["go-sender"]
    assert row["mixes"].startswith("mixed: the suite does not start it")
