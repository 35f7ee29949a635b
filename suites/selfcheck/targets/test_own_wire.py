"""A deployment with a wire of its own is judged as the targets file describes it, by data alone."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.scenarios.provider import ProviderScenario
from fixtures.targets.config import TargetError
from fixtures.targets.deployed import connect_target
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.selection import resolve_deployments
from fixtures.targets.target import Target, Unobservable
from suites.selfcheck.targets.own_wire import SERVICE, Decide, decide_rightly, run_platform
from suites.selfcheck.targets.sql_service import SETUP, TEARDOWN, VARIABLE, start_sql_service

CASES = load_catalogue().cases
EXAMPLES = [example_report(case) for case in CASES]


@contextlib.contextmanager
def connect_to(file: Path) -> Iterator[Target]:
    deployment = resolve_deployments([], str(file), None, [])[SERVICE]
    limiter, inventory = RateLimiter(file.parent / "spent"), Inventory(file.parent / INVENTORY_FILE)
    with contextlib.closing(connect_target(deployment, limiter, inventory)) as target:
        yield target


def find_problems(file: Path, answers: Sequence[Mapping[str, Any]] = EXAMPLES) -> list[str]:
    """The promises that one report of each answer breaks: rules, each with the case."""
    with connect_to(file) as target:
        scenario = ProviderScenario(target, lambda _answer: [])
        _, findings = scenario.deliver_to_new_subscribers(scenario.entries(answers))
        return [f"{finding.rule} {finding.case}" for finding in findings if finding.rank == "promise"]


def test_a_right_platform_has_no_findings(tmp_path: Path) -> None:
    with run_platform(tmp_path) as file:
        assert find_problems(file) == []


def unsubscribe_on_any_404(report: Mapping[str, Any]) -> str:
    return "unsubscribe" if report["http_status"] == 404 else decide_rightly(report)


def keep_the_old_token(report: Mapping[str, Any]) -> str:
    outcome = decide_rightly(report)
    return "keep" if outcome == "replace_token" else outcome


def only_unsubscribe(report: Mapping[str, Any]) -> str:
    return "unsubscribe" if decide_rightly(report) == "unsubscribe" else "keep"


@pytest.mark.parametrize(
    ("decide", "problems"),
    [
        (unsubscribe_on_any_404, {"legacy-text-404", "v1-text-404", "v1-bare-404"}),
        (keep_the_old_token, {"legacy-canonical-id"}),
    ],
)
def test_a_wrong_decision_is_found(tmp_path: Path, decide: Decide, problems: set[str]) -> None:
    with run_platform(tmp_path, decide=decide) as file:
        found_problems = find_problems(file)
    assert {row.partition(" ")[0] for row in found_problems} == {"effects.subscriber"}
    assert problems <= {row.partition(" ")[2] for row in found_problems}


def unsubscribe_on_the_code(report: Mapping[str, Any]) -> str:
    return "unsubscribe" if "UNREGISTERED" in json.dumps(report["response"]) else decide_rightly(report)


def test_answers_that_no_schema_allows_reach_the_platform(tmp_path: Path) -> None:
    example = load_catalogue().by_id["v1-UNREGISTERED"]
    near_miss = json.loads(json.dumps(example_report(example)).replace("FcmError", "FcmErro"))
    with run_platform(tmp_path, decide=unsubscribe_on_the_code) as file:
        assert find_problems(file, [near_miss]) == ["effects.subscriber v1-bare-404"]
    with run_platform(tmp_path) as file, connect_to(file) as target:
        scenario = ProviderScenario(target, lambda _answer: [])
        _, findings = scenario.deliver_to_new_subscribers(scenario.entries([near_miss]))
        assert list(findings) == []


def test_only_what_it_promises_is_judged(tmp_path: Path) -> None:
    judge = 'judge = { protocols = ["fcm_v1"], promises = ["unsubscribe"] }'
    with run_platform(tmp_path, decide=only_unsubscribe, judge=judge) as file:
        assert find_problems(file) == []
        with connect_to(file) as target:
            scenario = ProviderScenario(target, lambda _answer: [])
            assert {entry.case.protocol for entry in scenario.entries(EXAMPLES) if entry.case} == {"fcm_v1"}


def test_a_platform_may_do_more_than_it_promises(tmp_path: Path) -> None:
    with run_platform(tmp_path, judge='judge = { promises = ["unsubscribe"] }') as file:
        assert find_problems(file) == []


def change_description(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("state", ["ok", "waiting"])
def test_an_observation_that_never_changes_is_no_verdict(tmp_path: Path, state: str) -> None:
    judge = "judge = { promises = [] }"
    device = {"state": state, "token": "t", "retry_at": None}
    with run_platform(tmp_path, judge=judge, always_shows=device) as file:
        change_description(file, 'token = "device.token"', "")
        with pytest.raises(Unobservable, match="observation-never-changes"), connect_to(file):
            pass


@pytest.mark.parametrize(
    ("old", "new", "slug"),
    [
        ("{report.token}", "{report.tokn}", "unknown-placeholder: '{report.tokn}': allowed: {report.token}"),
        ("sent_at|epoch_ms", "sent_at|epochs", "unknown-conversion: '{report.sent_at|epochs}': allowed:"),
        ("{report.token}", "x", "no-subscriber-in-report"),
        ('"device.state"', '"device."', "bad-jmespath: observe.http.status = 'device.'"),
        ('until = "device.retry_at"', "", "promise-not-observable: 'waits': it is judged, and observe does"),
        ('token = "device.token"', "", "promise-not-observable: 'replace_token'"),
        ("observe.http", "observe.sql", "bad-targets-file"),
        ("states.http", "states.sql", "bad-targets-file"),
        ('{subscriber_id}"\nstatus', '{subscriber}"\nstatus', "unknown-placeholder: '{subscriber}': allowed"),
        ('user = "{subscriber_id}"', 'user = "{user}"', "unknown-placeholder: '{user}': allowed: "),
        ('method = "POST"', 'method = "POST"\nrejected = "[?"', "bad-jmespath: deliver.rejected = '[?'"),
        ('"/callbacks"', '"/callbacks/{report.token}"\nbatch = 10', "path-of-many: '/callbacks/"),
        ('"/callbacks"', '"/callbacks"\nmember = "list"', "member-without-batch: 'list'"),
    ],
)  # fmt: skip
def test_a_wrong_description_is_refused_by_name(tmp_path: Path, old: str, new: str, slug: str) -> None:
    assert slug in read_refusal(tmp_path, old, new)


def read_refusal(folder: Path, old: str, new: str) -> str:
    """Why a changed description is refused, before anything is sent."""
    with run_platform(folder) as file:
        change_description(file, old, new)
        with pytest.raises(TargetError) as error:
            resolve_deployments([], str(file), None, [])
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('active = ["ok"]', 'active = ["fine"]', "unknown-value: 'ok': values names active = ['fine']"),
        ('epoch_ms"\nvalues', 'rfc3339"\nvalues', "unreadable-until: '1"),
        ('{subscriber_id}"\ns', '{subscriber_id}/x"\nmissing = [410]\ns', "unreadable-observation"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_no_verdict(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with run_platform(tmp_path) as file:
        change_description(file, old, new)
        with pytest.raises(TargetError) as error:
            find_problems(file)
    assert problem in str(error.value)


SQL_TARGETS = f"""\
[environments.e.services.{SERVICE}]
url = "URL"
values = {{ active = ["active"], unsubscribed = ["unsubscribed"], postponed = ["postponed"] }}
judge = {{ protocols = ["fcm_v1"] }}
states.sql = {{ url_env = "{VARIABLE}", setup = ["{SETUP}"], teardown = ["{TEARDOWN}"] }}
observe.sql = {{ url_env = "{VARIABLE}", select = "SELECT", status = "status", token = "token", until = "t" }}
deliver.method = "POST"
deliver.path = "/v1/errors"
deliver.batch = 20
deliver.member = "errors"
deliver.rejected = "results[?action == 'alert'].subscriber_id | [:0]"
[environments.e.services.{SERVICE}.deliver.body]
event_id = "{{event.event_id}}"
code = "{{event.code}}"
response = "{{answer.body}}"
"""
MEMBERS = ("report_id", "firebase_app", "message_id", "subscriber_id", "token", "spam", "sent_at",
           "http_status", "retry_after", "protocol")  # fmt: skip
SELECT = "SELECT status, token, postponed_until AS t FROM subscribers WHERE subscriber_id = :subscriber_id"


@pytest.fixture
def sql_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A targets file for the reference service as it were any other: requests as data, observed by SQL."""
    with start_sql_service(tmp_path) as service:
        monkeypatch.setenv(VARIABLE, f"sqlite:///{service.database}")
        members = "".join(f'{name} = "{{report.{name}}}"\n' for name in MEMBERS)
        file = tmp_path / "targets.toml"
        file.write_text(SQL_TARGETS.replace("URL", service.url) + members, encoding="utf-8")
        yield file


def change_select(file: Path, select: str) -> None:
    change_description(file, 'select = "SELECT"', f"select = {json.dumps(select)}")


def test_a_select_observes(sql_targets: Path) -> None:
    change_select(sql_targets, SELECT)
    assert find_problems(sql_targets) == []


@pytest.mark.parametrize(
    ("select", "problem"),
    [
        ("DELETE FROM subscribers WHERE subscriber_id = :subscriber_id", "no-select"),
        ("SELECT status, token, 1 AS t FROM subscribers", "no-subscriber-in-select"),
        (f"{SELECT} OR 1", "several-rows"),
        (SELECT.replace("status,", "state AS status,"), "sql-failed"),
        (SELECT.replace("AS t", "AS due"), "unknown-column: 't': the SELECT returns"),
        (SELECT.replace(":subscriber_id", ":subscriber"), "unknown-placeholder"),
        (f"WITH one AS (SELECT 1) {TEARDOWN}", "select-writes: 'WITH one AS (SELECT 1) DELETE FROM"),
    ],
)
def test_a_select_that_cannot_observe_is_refused_by_name(
    sql_targets: Path, select: str, problem: str
) -> None:
    change_select(sql_targets, select)
    with pytest.raises(TargetError) as error:
        find_problems(sql_targets)
    assert problem in str(error.value)
