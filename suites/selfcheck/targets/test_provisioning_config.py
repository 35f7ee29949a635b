"""Mistakes in the `states` of a targets file are refused when the file is read."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from fixtures.targets.config import TargetError
from fixtures.targets.selection import resolve_deployments
from suites.selfcheck.targets.sql_service import SERVICE, SQL, write_targets_file
from suites.selfcheck.targets.test_provisioning import BATCHED, DELETE, PUT, REQUESTS

URL = "http://127.0.0.1:9"
WRONG: Mapping[str, tuple[str, str]] = {
    "nothing": ("", "unclear-states"),
    "both": (f"{SQL}, {REQUESTS}", "unclear-states"),
    "a pool alone": ('pool = { file = "x" }', "unclear-states"),
    "no teardown": (f"http = {{ {PUT} }}", "no-teardown"),
    "all subscribers": (SQL.replace(" WHERE subscriber_id = :subscriber_id", ""), "no-subscriber-named"),
    "no subscriber in the path": (
        REQUESTS.replace("/users/{subscriber_id}", "/users"),
        "no-subscriber-named",
    ),
    "a wrong name": (REQUESTS.replace("{token}", "{tokn}"), "unknown-placeholder: '{tokn}'"),
    "a wrong parameter": (SQL.replace(":token_since", ":since"), "unknown-placeholder: ':since'"),
    "a lone brace": (REQUESTS.replace("{{x}}", "{x"), "unknown-placeholder"),
    "one path for many": (BATCHED.replace('"/users"', '"/{token}"'), "path-of-many"),
    "a list of one": (BATCHED.replace("batch = 2, ", "", 1), "member-without-batch"),
    "a secret": (REQUESTS.replace('"{token}"', '"abc"'), "secret-in-targets"),
    "credentials without a URL": (f'http = {{ bearer_env = "A_B", {PUT}, {DELETE} }}', "bad-targets-file"),
}


@pytest.mark.parametrize(("states", "slug"), WRONG.values(), ids=WRONG)
def test_wrong_states_are_refused(tmp_path: Path, states: str, slug: str) -> None:
    with pytest.raises(TargetError) as caught:
        resolve_deployments([], str(write_targets_file(tmp_path, URL, states)), None, [])
    assert slug in str(caught.value)


def test_subscribers_can_be_made_only_at_a_service_that_has_some(tmp_path: Path) -> None:
    file = write_targets_file(tmp_path, URL, SQL)
    file.write_text(file.read_text().replace(SERVICE, "directory-responses"))
    with pytest.raises(TargetError, match="no-subscribers-there"):
        resolve_deployments([], str(file), None, [])


def test_another_url_for_states_is_guarded_too(tmp_path: Path) -> None:
    states = f'http = {{ url = "https://admin.prod.example", {PUT}, {DELETE} }}'
    for deny, slug in (("", "not-owned"), ('"*.prod.example"', "denied-target")):
        with pytest.raises(TargetError, match=slug):
            resolve_deployments([], str(write_targets_file(tmp_path, URL, states, deny)), None, [])
