"""The curl lines of a finding's page reproduce it at the tested service, each time that they are pasted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.project import ROOT
from fixtures.results.report.curl_commands import build_curl_commands
from suites.selfcheck.results.sample_reports import wrong_state

pytestmark = pytest.mark.process


@contextmanager
def serve(command: str) -> Iterator[str]:
    """A service as a process of its own, by the command of the page; its URL."""
    _, *arguments = command.removeprefix("# ").replace("--port 8000", "--port 0").split()
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen([sys.executable, *arguments], **pipes) as process:  # noqa: S603  our own
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def paste(commands: str) -> list[dict[str, Any]]:
    """Run the lines in a shell. Returns the answers that have a body."""
    shell = ["bash", "-c", commands]
    text = subprocess.run(shell, capture_output=True, text=True, check=True, timeout=60).stdout.strip()  # noqa: S603  ours
    decoder, answers = json.JSONDecoder(), []
    while text:
        answer, end = decoder.raw_decode(text)
        answers.append(answer)
        text = text[end:].lstrip()
    return answers


def list_actions(answers: list[dict[str, Any]]) -> list[str]:
    return [result["action"] for answer in answers for result in answer.get("results", ())]


def shown_status(answers: list[dict[str, Any]]) -> str:
    (subscriber,) = answers[-1]["subscribers"]
    return str(subscriber["status"])


# The tested service, the case, and the status that each paste must show.
PASTED = {
    "finding": ("variant v1-codes-not-in-the-list", "v1-UNREGISTERED", "active"),
    "unsubscribed": ("embedded", "v1-UNREGISTERED", "unsubscribed"),
    "postponed": ("embedded", "v1-UNAVAILABLE", "postponed"),
}


@pytest.mark.parametrize(("target", "case_id", "status"), PASTED.values(), ids=PASTED)
def test_each_paste_reproduces_it_with_a_new_subscriber(target: str, case_id: str, status: str) -> None:
    finding = wrong_state(load_catalogue()[case_id], status)
    command, _, *lines = build_curl_commands(finding, {"version": "1", "target": target}).splitlines()
    with serve(command) as url:
        deployed = build_curl_commands(finding, {"version": "1", "target": url})
        assert deployed.splitlines() == [f"URL={url}", *lines]
        first, second = paste(deployed), paste(deployed)
    assert shown_status(first) == shown_status(second) == status
    assert "duplicate" not in list_actions([*first, *second])
    assert first[-1]["subscribers"][0]["subscriber_id"] != second[-1]["subscribers"][0]["subscriber_id"]


def test_a_redelivery_is_pasted_as_two_deliveries_of_the_same_ids() -> None:
    finding = {**wrong_state(load_catalogue()["v1-UNREGISTERED"], "active"), "check": "redelivery"}
    command, *_ = build_curl_commands(finding, {"version": "1", "target": "embedded"}).splitlines()
    with serve(command) as url:
        for _ in range(2):
            answers = paste(build_curl_commands(finding, {"version": "1", "target": url}))
            assert list_actions(answers) == ["unsubscribe", "duplicate"]


def test_a_deployment_in_its_own_wire_gets_no_lines_of_ours() -> None:
    finding = wrong_state(load_catalogue()["v1-UNREGISTERED"], "active")
    tested = {"version": "1", "target": "https://push.example", "wire": "own"}
    assert build_curl_commands(finding, tested) == ""
