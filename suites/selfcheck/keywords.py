"""Which keywords of a schema no payload stresses: parts that none reaches, and limits that none stands at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fixtures import schemas

Values = Sequence[Any]

IS_OF_TYPE: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, float),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

LIMITS: Mapping[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, limit: IS_OF_TYPE["integer"](value) and value == limit,
    "maximum": lambda value, limit: IS_OF_TYPE["integer"](value) and value == limit,
    "minLength": lambda value, limit: isinstance(value, str) and len(value) == limit,
    "maxLength": lambda value, limit: isinstance(value, str) and len(value) == limit,
    "maxItems": lambda value, limit: isinstance(value, list) and len(value) == limit,
    "const": lambda value, limit: value == limit,
}

IN_PLACE = ("allOf", "anyOf", "oneOf")


def unstressed(file: str, pointer: str, values: Values) -> Iterator[str]:
    """The keywords at and below a place of a schema file that these values do not stress, by their places."""
    place = f"{file}#{pointer}"
    node = at(file, pointer)
    if node is False:  # what must not be there: negative data is for that
        return
    fitting = [value for value in values if schemas.is_valid(value, place)] if pointer else list(values)
    if not fitting:
        yield f"{place}: nothing reaches it"
        return
    yield from by_keyword(place, node, fitting)
    for below, some in parts(file, pointer, node, fitting):
        yield from unstressed(*below, some)


def by_keyword(place: str, node: Mapping[str, Any], values: Values) -> Iterator[str]:
    """The keywords of a place itself: each type and member of a list seen, each limit stood at."""
    types = node.get("type", [])
    for name in [types] if isinstance(types, str) else types:
        if not any(map(IS_OF_TYPE[name], values)):
            yield f"{place}/type: no {name}"
    for member in node.get("enum", ()):
        if member not in values:
            yield f"{place}/enum: no {member!r}"
    for keyword, stands in LIMITS.items():
        if keyword in node and not any(stands(value, node[keyword]) for value in values):
            yield f"{place}/{keyword}: nothing stands at {node[keyword]!r}"


def parts(
    file: str, pointer: str, node: Mapping[str, Any], values: Values
) -> Iterator[tuple[tuple[str, str], Values]]:
    """What stands below a place, with the values that come there."""
    if "$ref" in node:
        target, _, fragment = str(node["$ref"]).partition("#")
        yield (target or file, fragment), values
    for keyword in IN_PLACE:
        for number in range(len(node.get(keyword, ()))):
            yield (file, f"{pointer}/{keyword}/{number}"), values
    for name in node.get("properties", ()):
        members = [value[name] for value in values if isinstance(value, dict) and name in value]
        yield (file, f"{pointer}/properties/{name}"), members
    for keyword in ("items", "contains"):
        if keyword in node:
            items = [item for value in values if isinstance(value, list) for item in value]
            yield (file, f"{pointer}/{keyword}"), items


def at(file: str, pointer: str) -> Any:
    """What stands at a place."""
    found: Any = schemas.documents()[file]
    for name in pointer.split("/")[1:]:
        found = found[int(name)] if isinstance(found, list) else found[name]
    return found
