"""The providers that take and show reports are judged in a wire of their own, by data alone."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from ci.scoring.fault_runs import run_tests
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.errors import UserError
from fixtures.core.project import ROOT
from fixtures.core.run_config import RunConfig
from fixtures.scenarios.provider import ProviderScenario
from fixtures.targets.adapters.report_config import read_report_adapter
from fixtures.targets.config import TargetError
from fixtures.targets.deployed import connect_target
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.selection import resolve_deployments
from fixtures.targets.target import Target, Unobservable
from suites.selfcheck.http_double import HttpAnswer, serve_answers
from suites.selfcheck.second_opinion import decisions
from suites.selfcheck.targets.test_doctor import run_doctor

EXAMPLES = [example_report(case) for case in load_catalogue().cases]
TARGETS = """\
[environments.own.services.{name}]
url = "{url}"
values = {values}
observe.http = {{ path = "/callbacks/{{report_id}}", {member} = "{expression}"{labels} }}
[environments.own.services.{name}.deliver]
method = "POST"
path = "/callbacks"
status = [202]
[environments.own.services.{name}.deliver.body]
id = "{{report.report_id}}"
api = "{{report.protocol}}"
sent = "{{report.sent_at}}"
status = "{{answer.status}}"
text = "{{answer.body|json}}"
wait = "{{answer.retry_after}}"
"""
JSON = {"Content-Type": "application/json"}
# The platform's word for each outcome, and its names of services.
WORDS = {
    "unsubscribe": "gone",
    "postpone": "later",
    "replace_token": "moved",
    "keep": "fine",
    "fix_message": "ours",
    "alert": "call",
}
SERVICES = {
    "directory-responses": ("outcome", "state.what", WORDS),
    "directory-events-api": (
        "forwarded_to",
        "state.queues",
        {"directory-responses": "all", "directory-errors-listener": "errors"},
    ),
}
Decide = Callable[[Mapping[str, Any]], str]


def decide_rightly(report: Mapping[str, Any]) -> str:
    return decisions.decide(dict(report)).outcome


def unsubscribe_on_any_404(report: Mapping[str, Any]) -> str:
    return "unsubscribe" if report["http_status"] == 404 else decide_rightly(report)


def keep_nothing(_report: Mapping[str, Any]) -> str:
    return "keep"


@contextlib.contextmanager
def run_platform(
    folder: Path, name: str, decide: Decide = decide_rightly, labels: str = ""
) -> Iterator[Path]:
    """Serve a platform that keeps callbacks, and yield a targets file for it."""
    callbacks: dict[str, Any] = {}

    def react(request: BaseHTTPRequestHandler, content: bytes) -> HttpAnswer:
        if request.command == "POST":
            callback = json.loads(content)
            report = {
                "report_id": callback["id"],
                "protocol": callback["api"],
                "http_status": callback["status"],
                "response": json.loads(callback["text"]),
                "retry_after": callback["wait"],
                "sent_at": callback["sent"],
            }
            outcome = decide(report)
            queues = ["all"] if outcome == "keep" else ["all", "errors"]
            decision = {"what": WORDS[outcome], "queues": queues, "api": callback["api"]}
            callbacks.setdefault(callback["id"], decision)
            return 202, {}, b""
        state = callbacks.get(request.path.rpartition("/")[2])
        return (
            (200 if state else 404),
            {"Content-Type": "application/json"},
            json.dumps({"state": state}).encode(),
        )

    member, expression, own_words = SERVICES[name]
    values = "{ " + ", ".join(f'{word} = ["{own_word}"]' for word, own_word in own_words.items()) + " }"
    with serve_answers(react) as server:
        file = folder / "targets.toml"
        text = TARGETS.format(
            name=name, url=server.url, values=values, member=member, expression=expression, labels=labels
        )
        file.write_text(text, encoding="utf-8")
        yield file


@contextlib.contextmanager
def connect_to(file: Path, name: str) -> Iterator[Target]:
    deployment = resolve_deployments([], str(file), None, [])[name]
    with contextlib.closing(connect_target(deployment, RateLimiter(file.parent / "spent"))) as target:
        yield target


def find_problems(file: Path, name: str) -> set[tuple[str, str | None]]:
    with connect_to(file, name) as target:
        scenario = ProviderScenario(target, lambda _answer: [])
        entries = scenario.entries([*EXAMPLES, {**EXAMPLES[0], "sending": {"capitals": True}}])
        _, findings = scenario.deliver_to_new_subscribers(entries)
        return {(finding.rule, finding.case) for finding in findings}


@pytest.mark.parametrize("name", SERVICES)
def test_a_right_platform_has_no_findings(tmp_path: Path, name: str) -> None:
    with run_platform(tmp_path, name, labels=', protocol = "state.api"') as file:
        assert find_problems(file, name) == set()


@pytest.mark.parametrize(
    ("name", "decide", "problem"),
    [
        ("directory-responses", unsubscribe_on_any_404, ("effects.outcome", "v1-text-404")),
        ("directory-events-api", keep_nothing, ("effects.forwarding", "v1-UNREGISTERED")),
    ],
)
def test_a_wrong_decision_is_found(
    tmp_path: Path, name: str, decide: Decide, problem: tuple[str, str]
) -> None:
    with run_platform(tmp_path, name, decide) as file:
        assert problem in find_problems(file, name)


def test_a_label_is_judged_if_it_is_shown(tmp_path: Path) -> None:
    with run_platform(tmp_path, "directory-responses", labels=', code = "state.what"') as file:
        assert ("effects.code", "v1-UNREGISTERED") in find_problems(file, "directory-responses")


def test_a_word_that_no_value_names_is_no_verdict(tmp_path: Path) -> None:
    with run_platform(tmp_path, "directory-responses") as file:
        file.write_text(file.read_text(encoding="utf-8").replace('"gone"', '"away"'), encoding="utf-8")
        with pytest.raises(TargetError, match="unknown-value: 'gone'"):
            find_problems(file, "directory-responses")


def test_an_observation_that_shows_no_report_is_no_verdict(tmp_path: Path) -> None:
    with run_platform(tmp_path, "directory-responses") as file:
        text = file.read_text(encoding="utf-8").replace("/callbacks/{report_id}", "/states/{report_id}0")
        file.write_text(text.replace("values", "observe_within_s = 0.2\nvalues", 1), encoding="utf-8")
        with pytest.raises(Unobservable, match="observation-never-changes: a report that was taken is not"):
            find_problems(file, "directory-responses")


@pytest.mark.parametrize("name", SERVICES)
def test_the_doctor_tries_each_part(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    with run_platform(tmp_path, name) as file:
        exit_code, answers = run_doctor(capsys, f"--targets={file}")
    answers_by_question = {answer["question"]: answer["said"] for answer in answers}
    assert exit_code == 0, answers_by_question
    assert answers_by_question["deliver"].startswith("POST /callbacks {")
    assert "read as {" in answers_by_question["observation"]


@pytest.mark.nightly
@pytest.mark.process
@pytest.mark.parametrize("name", SERVICES)
def test_all_suites_judge_it(tmp_path: Path, name: str) -> None:
    with run_platform(tmp_path, name) as file:
        result = run_tests(
            [f"{ROOT}/suites/compat"], RunConfig(targets=str(file), environment="own", examples=1)
        )
    assert (result.findings, result.exit_status) == ((), 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": None}, "half-a-wire: directory-responses: it has no values"),
        (
            {"deliver": {"method": "POST", "path": "/a", "body": "{report.token}"}},
            "it has no report.report_id",
        ),
        ({"observe": {"http": {"path": "/{report_id}"}}}, "half-a-wire: observe.http: it has no outcome"),
        ({"observe": {"http": {"path": "/{id}", "outcome": "a"}}}, "unknown-placeholder: '{id}'"),
        ({"observe": {"http": {"path": "/{report_id}", "outcome": "a["}}}, "bad-jmespath"),
        ({"values": {"active": ["ok"]}}, "unknown-value: values.active"),
    ],
)
def test_a_wire_that_cannot_be_used_is_refused(change: dict[str, Any], message: str) -> None:
    right_row = {
        "deliver": {"method": "POST", "path": "/a", "body": "{report.report_id}"},
        "observe": {"http": {"path": "/{report_id}", "outcome": "state"}},
        "values": {"unsubscribe": ["gone"]},
    }
    row = {name: value for name, value in {**right_row, **change}.items() if value is not None}
    with pytest.raises(UserError, match=message):
        read_report_adapter("directory-responses", row)
