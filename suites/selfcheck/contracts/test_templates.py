"""Declared interactions and examples refer to values by name, and a name of nothing is refused."""

from typing import Any

import pytest

from fixtures.contracts.pact.model import INTERACTIONS
from fixtures.contracts.templates import fill_template
from fixtures.core import schemas
from fixtures.core.errors import UserError

VALUES = {"0": {"report": {"report_id": "r-0", "spam": False}}}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("$0.report", VALUES["0"]["report"]),
        ({"rows": ["$0.report.spam", None, 3]}, {"rows": [False, None, 3]}),
        ("/v1/reports/$0.report.report_id", "/v1/reports/r-0"),
    ],
    ids=["a value", "inside a value", "inside a text"],
)
def test_a_reference_stands_for_its_value(template: Any, filled: Any) -> None:
    assert fill_template(template, VALUES) == filled


@pytest.mark.parametrize("template", ["$1.report", {"id": "$0.report.id"}, "/v1/$0.reports"], ids=str)
def test_a_reference_to_nothing_is_refused(template: Any) -> None:
    with pytest.raises(UserError, match=r"unknown-value: \$.*: there is no "):
        fill_template(template, VALUES)


@pytest.mark.parametrize(
    "change",
    [
        {"anwser": {}},
        {"answer": None},
        {"problem": {"status": 400, "title": "Bad Request"}},
        {"versions": ["now"]},
    ],
    ids=str,
)
def test_a_declaration_with_a_slip_is_refused(change: dict[str, Any]) -> None:
    (first, *rows) = INTERACTIONS["events-proxy->directory-events-api"][2:]
    with pytest.raises(schemas.SchemaViolation):
        schemas.validate({"a->b": [{**first, **change}, *rows]}, "interactions.schema.json")
