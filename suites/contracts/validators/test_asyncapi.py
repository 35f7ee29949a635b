"""The AsyncAPI document is valid by the official JSON Schema of AsyncAPI."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from fixtures.contracts.api_docs import asyncapi

pytestmark = [pytest.mark.nightly, pytest.mark.process, pytest.mark.usefixtures("validators")]

SPECIFICATION = Path(__file__).parent / "node/node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"


@pytest.fixture(scope="module")
def official(validators: None) -> Draft7Validator:  # noqa: ARG001  it brings the file
    """The validator of AsyncAPI 3.0 documents."""
    return Draft7Validator(json.loads(SPECIFICATION.read_text(encoding="utf-8")))


def test_the_document_is_valid(official: Draft7Validator) -> None:
    assert [error.message for error in official.iter_errors(asyncapi.make_document())] == []


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("channels", {"errorEvents": {"queue": "errors"}}),
        ("operations", {"send": {"action": "publish", "channel": {"$ref": "#/channels/errorEvents"}}}),
        ("components", {"schemas": {"Code": {"type": "word"}}}),
        ("info", {"title": "No version"}),
    ],
    ids=["channel", "action", "schema", "info"],
)
def test_a_wrong_document_is_noticed(official: Draft7Validator, part: str, value: Any) -> None:
    assert not official.is_valid({**asyncapi.make_document(), part: value})
