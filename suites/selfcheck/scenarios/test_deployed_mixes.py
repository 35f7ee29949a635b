"""Deployments take the places of reference services in the version mixes, and those that cannot are named."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.project import ROOT
from fixtures.faults.scoring import RunResult
from fixtures.targets.started import answers, find_free_port
from suites.selfcheck.scenarios.judged_deployments import judge_deployments, start_row
from suites.selfcheck.scenarios.test_deployed_sender import REFERENCE
from suites.selfcheck.scenarios.test_deployed_sender import start_row as start_sender_row
from suites.selfcheck.scenarios.test_deployed_services import SERVICES, start_command

END_TO_END, ISOLATED = "test_end_to_end", "test_directory_messages"
DEAD = "all-after-v1-v1-UNREGISTERED"
SOME = "all-after-v1-v1-UNREGISTERED or mixed-legacy-NotRegistered or mixed-v1-UNREGISTERED"

pytestmark = pytest.mark.process


def judge(
    folder: Path, rows: dict[str, str], keyword: str, file: str = END_TO_END, within_s: float = 8
) -> RunResult:
    """Run tests of a file with the deployments that rows of a targets file describe."""
    return judge_deployments(folder, rows, file, keyword, within_s=within_s)


def row_of(folder: Path, name: str, *options: str) -> str:
    if name == "go-sender":
        return start_sender_row(*options)
    (folder / name).mkdir()
    return start_row(start_command(folder / name, name, *options))


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "fault"),
    [("go-sender", "page-reported-as-unregistered"), ("events-proxy", "proxy-copies-ten-members")],
)
def test_a_deployment_takes_the_place_of_its_reference_service(tmp_path: Path, name: str, fault: str) -> None:
    keyword = "test_end_to_end and (all-after-v1 or mixed)"
    faulty = judge(tmp_path, {name: row_of(tmp_path, name, "--variant", fault)}, keyword)
    assert {finding["provider"] for finding in faulty.findings} == {"all-after-v1", "mixed"}
    assert faulty.broken == ()


@pytest.mark.nightly
@pytest.mark.parametrize("names", [*([name] for name in SERVICES), ["go-sender", *SERVICES]], ids=str)
def test_right_deployments_are_go(tmp_path: Path, names: list[str]) -> None:
    result = judge(tmp_path, {name: row_of(tmp_path, name) for name in names}, "test")
    assert result.is_clean, (result.problem, result.findings)


@pytest.mark.nightly
def test_only_the_mix_notices_a_record_of_another_message(tmp_path: Path) -> None:
    name = "directory-messages"
    row = {name: row_of(tmp_path, name, "--variant", "record-of-another-message")}
    isolated = judge(tmp_path, row, "after", ISOLATED)
    assert isolated.is_clean, isolated.findings
    result = judge(tmp_path, row, DEAD)
    assert {finding["check"] for finding in result.findings} == {"chain"}
    assert "makes 0 reports of one push" in result.findings[0]["title"]


@pytest.mark.nightly
def test_a_deployment_with_other_addresses_is_undecided(tmp_path: Path) -> None:
    row = start_sender_row(addresses=["http://127.0.0.1:9", "http://127.0.0.1:9", "{redis_url}"])
    result = judge(tmp_path, {"go-sender": row}, DEAD)
    assert result.findings == ()
    assert "nothing-came-through" in result.problem


@contextlib.contextmanager
def run_aside(*command: str) -> Iterator[None]:
    """Run a service that the suite does not start."""
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True) as process:  # noqa: S603  our own service
        try:
            yield
        finally:
            subprocess.run(["/bin/kill", "-KILL", "--", f"-{process.pid}"], check=True)  # noqa: S603


@pytest.mark.nightly
def test_deployments_at_fixed_ports_take_part(tmp_path: Path) -> None:
    own_port, api, fcm, events, redis = (find_free_port() for _ in range(5))
    values: Any = {"port": own_port, "events_api_url": f"http://127.0.0.1:{api}"}
    proxy = [word.format(**values) for word in start_command(tmp_path, "events-proxy")]
    urls = [f"http://127.0.0.1:{fcm}", f"http://127.0.0.1:{events}", f"redis://127.0.0.1:{redis}"]
    loop = ["/bin/sh", "-c", 'until "$@"; do sleep 0.2; done', "sh", *REFERENCE, *urls]
    proxy_row = f'url = "http://127.0.0.1:{own_port}"\nports = {{ events_api = {api} }}'
    sender_row = f"ports = {{ fcm = {fcm}, events = {events}, redis = {redis} }}"
    with run_aside(*proxy):
        while not answers(f"127.0.0.1:{own_port}"):
            pass
        right = judge(tmp_path, {"events-proxy": proxy_row}, SOME)
    assert right.is_clean, (right.problem, right.findings)
    with run_aside(*loop, "--variant=token-not-reported"):
        # It is started again and again until its surroundings are there.
        faulty = judge(tmp_path, {"go-sender": sender_row}, SOME, within_s=30)
    # The mix that exchanges go-sender keeps the reference service.
    assert {finding["provider"] for finding in faulty.findings} == {"all-after-v1"}
    assert faulty.broken == ()
