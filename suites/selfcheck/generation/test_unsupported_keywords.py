"""A schema with a keyword that cannot be drawn is refused, with the keyword and its place."""

import re
from typing import Any

import pytest

from fixtures.core import schemas
from fixtures.generation import value_pools
from fixtures.generation.from_schema import UnsupportedKeyword, build_strategy

REFUSED: dict[str, tuple[Any, str]] = {
    "multipleOf": ({"type": "integer", "multipleOf": 7}, "multipleOf"),
    "not multipleOf": ({"type": "integer", "not": {"multipleOf": 7}}, "multipleOf"),
    "uniqueItems": ({"type": "array", "uniqueItems": True}, "uniqueItems"),
    "patternProperties": (
        {"type": "object", "patternProperties": {"^x": {"type": "string"}}},
        "patternProperties",
    ),
    "propertyNames": ({"type": "object", "propertyNames": {"minLength": 2}}, "propertyNames"),
    "minProperties": ({"type": "object", "minProperties": 1}, "minProperties"),
    "maxProperties": ({"type": "object", "maxProperties": 1}, "maxProperties"),
    "prefixItems": ({"type": "array", "prefixItems": [{"type": "string"}]}, "prefixItems"),
    "pattern without examples": ({"type": "string", "pattern": "^no examples$"}, "pattern"),
    "unknown format": ({"type": "string", "format": "email"}, "format"),
    "minimum of a number": ({"type": "number", "minimum": 0.5}, "minimum of a number"),
}


@pytest.mark.parametrize(("schema", "keyword"), REFUSED.values(), ids=REFUSED)
def test_an_unsupported_keyword_is_refused_by_name(schema: Any, keyword: str) -> None:
    nested = {"type": "object", "required": ["a"], "properties": {"a": schema}}
    with pytest.raises(UnsupportedKeyword) as caught:
        build_strategy(schemas.canonicalize(nested))
    message = str(caught.value)
    assert re.match(rf"unsupported-keyword: '{keyword}.*' at /a: no strategy is built for it; ", message)
    assert "supported: type, const, enum, " in message
    assert "\n  next: " in message


def test_every_drawn_pattern_has_examples() -> None:
    assert all(value_pools.pattern_examples().values())
