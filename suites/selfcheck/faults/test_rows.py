"""The rows of the faults: what is wrong with a row, or with the names of the changes, is said by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.core.errors import UserError
from fixtures.core.topology import FLOW, VERSION_MIXES, VERSIONS
from fixtures.faults.base import ServiceChange
from fixtures.faults.http_variants import HTTP_VARIANTS
from fixtures.faults.rows import CHECKS, CLEANER, Fault, read_faults
from fixtures.services.decision import Decide, Decision

DEFINITIONS = schemas.load_schemas()["faults.schema.json"]["$defs"]
ROW = """
[one-fault]
service = "go-sender"
promise = "end-to-end"
description = "nothing is sent"
"""


@dataclass(frozen=True)
class DecidingService:
    decide: Decide


def change_nothing(service: Any) -> Any:
    return service


CHANGES: Mapping[str, ServiceChange] = {"one-fault": change_nothing}
MISTAKES: Mapping[str, tuple[str, tuple[Mapping[str, ServiceChange], ...], str]] = {
    "twice": (ROW + ROW, (CHANGES,), "faults-invalid: faults.toml: Cannot declare .*one-fault.* twice"),
    "promise": (
        ROW.replace("end-to-end", "end-to-ends"),
        (CHANGES,),
        'faults-invalid: faults.toml: .* at /one-fault/promise: "end-to-ends" is not one of',
    ),
    "service": (
        ROW.replace("go-sender", "sender"),
        (CHANGES,),
        'faults-invalid: faults.toml: .* at /one-fault/service: "sender" is not one of',
    ),
    "check": (
        f'{ROW}checks = ["chian"]',
        (CHANGES,),
        'faults-invalid: faults.toml: .* at /one-fault/checks/0: "chian" is not one of',
    ),
    "member": (f'{ROW}cause = "none"', (CHANGES,), "faults-invalid: faults.toml: .*'cause' was unexpected"),
    "no-promise": (
        ROW.replace('promise = "end-to-end"', ""),
        (CHANGES,),
        'faults-invalid: faults.toml: .* at /one-fault: "promise" is a required property',
    ),
    "no-change": (ROW, (), "faults-incomplete: faults.toml: rows without a change: one-fault"),
    "no-row": (
        ROW,
        (CHANGES, {"other-fault": change_nothing}),
        "faults-incomplete: faults.toml: changes without a row that needs them: other-fault",
    ),
    "change-not-needed": (
        f'{ROW}reports = {{code = "OK"}}\ndecision = {{outcome = "alert"}}',
        (CHANGES,),
        "faults-incomplete: faults.toml: changes without a row that needs them: one-fault",
    ),
    "no-decision": (
        f'{ROW}reports = {{code = "OK"}}',
        (CHANGES,),
        'faults-invalid: faults.toml: .* at /one-fault: "decision" is a required property',
    ),
    "two-changes": (
        ROW,
        (CHANGES, CHANGES),
        "faults-incomplete: faults.toml: changes that are there twice: one-fault",
    ),
}


@pytest.mark.parametrize(("text", "changes", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named(
    tmp_path: Path, text: str, changes: tuple[Mapping[str, ServiceChange], ...], problem: str
) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=problem):
        read_faults(changes, file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape("faults-invalid: faults.toml: [Errno 2]")):
        read_faults((CHANGES,), tmp_path / "faults.toml")


def test_a_row_has_the_checks_of_its_promise(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(ROW, encoding="utf-8")
    assert read_faults((CHANGES,), file) == (
        Fault(
            "one-fault",
            service="go-sender",
            promise="end-to-end",
            description="nothing is sent",
            checks=("chain",),
            build=change_nothing,
        ),
    )


def test_a_row_changes_a_decision(tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    member = 'reports = {code = "HTTP_503", http_status = 503}\ndecision = {outcome = "postpone", wait_s = 7}'
    file.write_text(ROW.replace("go-sender", "subscribers-errors") + member, encoding="utf-8")
    (fault,) = read_faults((), file)
    right = Decision("fcm_v1", "HTTP_503", "alert")
    faulty = fault.build(DecidingService(lambda _report: right))
    assert faulty.decide({"protocol": "fcm_v1", "http_status": 503}) == replace(
        right, outcome="postpone", wait_s=7
    )
    assert faulty.decide({"protocol": "fcm_v1", "http_status": 500}) == right


def test_the_schema_lists_what_there_is() -> None:
    fault = DEFINITIONS["fault"]["properties"]
    assert DEFINITIONS["service"]["enum"] == [*FLOW, CLEANER]
    assert fault["versions"]["items"]["enum"] == list(VERSIONS)
    assert fault["version_mix"]["enum"] == list(VERSION_MIXES)
    assert CHECKS.keys() < set(fault["promise"]["enum"])
    assert DEFINITIONS["variant"]["properties"]["http_variant"]["enum"] == list(HTTP_VARIANTS)
