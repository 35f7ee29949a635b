"""Deployments of the services that the suite surrounds are judged as the embedded ones are."""

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ci.commands.doctor import examine_isolated
from fixtures.core.project import ROOT
from fixtures.faults.scoring import RunResult
from fixtures.scenarios.deployed_services import DeployedService
from fixtures.targets.config import Deployment
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.start_config import StartConfig
from fixtures.targets.started import StartedService, answers, find_free_port
from suites.selfcheck.by_day import mark_nightly
from suites.selfcheck.scenarios.judged_deployments import judge_deployments, start_row

pytestmark = pytest.mark.process

# Its test file, the options that tell it the addresses of its surroundings, and tests that show a fault.
SERVICES = {
    "events-proxy": (
        "test_events_proxy",
        ["--peer", "{events_api_url}"],
        ("429 or UNREGISTERED", "proxy-forgets-at-429"),
    ),
    "directory-errors-listener": (
        "test_errors_listener",
        ["--peer", "{errors_url}", "--queue", "{queue_url}", "--dead-letters", "{dead_letters_url}"],
        ("JSON or UNREGISTERED", "listener-drops-the-unreadable"),
    ),
    "directory-messages": (
        "test_directory_messages",
        ["--redis", "{redis_url}"],
        ("after", "v1-part-without-data"),
    ),
    "subscribers-postponed": (
        "test_subscribers_postponed",
        ["--peer", "{errors_url}"],
        ("shorter or UNAVAILABLE", "new-end-replaces-a-later-one"),
    ),
}
# Every night judges all.
QUICK = "directory-messages"
MODULE = "suites.selfcheck.scenarios.reference_deployment"


def start_command(folder: Path, name: str, *options: str) -> list[str]:
    """The command of a reference service. Each further option takes precedence."""
    store = str(folder / "store.sqlite")
    return [sys.executable, "-m", MODULE, name, store, "{port}", *SERVICES[name][1], *options]


def judge(folder: Path, name: str, keyword: str, row: str, within_s: float = 10) -> RunResult:
    """Run tests of a service's file at the deployment that a row of a targets file describes."""
    return judge_deployments(folder, {name: row}, SERVICES[name][0], keyword, within_s=within_s)


@pytest.mark.nightly
@pytest.mark.parametrize("name", SERVICES)
def test_a_right_deployment_is_go(tmp_path: Path, name: str) -> None:
    result = judge(tmp_path, name, "", start_row(start_command(tmp_path, name)))
    assert result.is_clean, (result.problem, result.findings)


@pytest.mark.parametrize("name", mark_nightly(SERVICES, [QUICK]))
def test_a_faulty_deployment_is_no_go_and_a_right_one_is_not(tmp_path: Path, name: str) -> None:
    keyword, fault = SERVICES[name][2]
    right = judge(tmp_path, name, keyword, start_row(start_command(tmp_path, name)))
    assert right.is_clean, (right.problem, right.findings)
    faulty = judge(tmp_path, name, keyword, start_row(start_command(tmp_path, name, "--variant", fault)), 4)
    assert (bool(faulty.findings), faulty.broken) == (True, ())


@pytest.mark.nightly
def test_a_deployment_that_does_not_reach_its_surroundings_is_undecided(tmp_path: Path) -> None:
    command = start_command(tmp_path, "events-proxy", "--peer", "http://127.0.0.1:9")
    start = StartConfig(command=tuple(command), env={"PYTHONPATH": str(ROOT)}, ready="127.0.0.1:{port}")
    deployment = Deployment("events-proxy", "command", start=start, observe_within_s=2)
    result_of_doctor = examine_isolated(deployment, RateLimiter(), tmp_path)
    assert (result_of_doctor.well, "nothing-came-through" in result_of_doctor.details) == (False, True)
    right = replace(start, command=tuple(start_command(tmp_path, "events-proxy")))
    assert examine_isolated(replace(deployment, start=right), RateLimiter(), tmp_path).well
    result = judge(tmp_path, "events-proxy", "UNREGISTERED", start_row(command), 2)
    assert not result.findings
    assert "nothing-came-through" in result.problem


def test_the_end_of_a_test_waits_while_a_late_call_kills_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[str] = []

    def stop(_service: StartedService, _number: int = 15) -> None:
        stops.append("begins")
        time.sleep(0.1)
        stops.append("ends")

    monkeypatch.setattr(StartedService, "start", lambda _service: None)
    monkeypatch.setattr(StartedService, "stop", stop)
    deployment = Deployment("subscribers-postponed", "command", start=StartConfig(command=("none",)))
    with DeployedService(deployment, RateLimiter(), tmp_path) as service:
        late_call = threading.Thread(target=service.restart)
        late_call.start()
        while not stops:
            time.sleep(0.01)
    late_call.join()
    assert stops == ["begins", "ends"] * 2


def test_a_deployment_at_fixed_ports_is_judged_and_not_killed(tmp_path: Path) -> None:
    port, peer_port = find_free_port(), find_free_port()
    values: Any = {"port": port, "events_api_url": f"http://127.0.0.1:{peer_port}"}
    command = [word.format(**values) for word in start_command(tmp_path, "events-proxy")]
    with subprocess.Popen(command, cwd=ROOT) as process:  # noqa: S603  our own service
        try:
            while not answers(f"127.0.0.1:{port}"):
                assert process.poll() is None
            row = f'url = "http://127.0.0.1:{port}"\nports = {{ events_api = {peer_port} }}'
            result = judge(tmp_path, "events-proxy", "UNREGISTERED or killed", row)
        finally:
            process.terminate()
    assert (result.tests, result.findings, result.exit_status) == (3, (), 0)
    reason = "events-proxy is not started by the suite, so it is not killed"
    assert [message for _, message in result.broken] == [reason] * 2
