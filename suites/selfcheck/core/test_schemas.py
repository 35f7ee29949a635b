"""The schemas are valid and complete, two validators agree on them, and bad files are named."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from jsonschema_specifications import REGISTRY as SPECIFICATIONS  # type: ignore[import-untyped]

from fixtures.core import payloads, reference_validator, schemas
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import Payload
from fixtures.generation import malformed
from fixtures.generation.malformed import ENVELOPE, EVENT
from suites.selfcheck.http_double import serve_answers
from suites.selfcheck.sample_answers import (
    compile_validators,
    draw_reports,
    find_disagreements,
    parse_recorded,
    read_corpus,
    read_corpus_lines,
)

NAMES = tuple(schemas.load_schemas())
DRAFT = "https://json-schema.org/draft/2020-12/schema"
LINES = read_corpus_lines()
ANSWER_SCHEMAS = {"legacy": "fcm-legacy-answer.schema.json", "fcm_v1": "fcm-v1-answer.schema.json"}


def walk_objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a JSON value, itself included."""
    if isinstance(value, dict):
        yield value
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for member in members:
        yield from walk_objects(member)


def list_references(value: Any) -> list[str]:
    return list(
        dict.fromkeys(node["$ref"] for node in walk_objects(value) if isinstance(node.get("$ref"), str))
    )


REFERENCES = {
    file: targets
    for file, document in {
        **schemas.load_schemas(),
        "response-codes.json": [case.match for case in load_catalogue().cases],
    }.items()
    if (targets := list_references(document))
}
PATTERNS = list(
    {
        node["pattern"]: (file, node)
        for file, document in schemas.load_schemas().items()
        for node in walk_objects(document)
        if "pattern" in node and "examples" in node
    }.values()
)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_and_named_after_its_file(name: str) -> None:
    schema = schemas.load_schemas()[name]
    assert schema["$schema"] == DRAFT
    assert schema["$id"] == schemas.BASE_URI + name
    assert validator_for(schema) is Draft202012Validator
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("file", REFERENCES)
def test_references_resolve(file: str) -> None:
    resolver = (
        SPECIFICATIONS.combine(reference_validator.reference_registry())
        .crawl()
        .resolver(base_uri=schemas.BASE_URI + file)
    )
    for reference in REFERENCES[file]:
        assert isinstance(resolver.lookup(reference).contents, dict | bool), reference


@pytest.mark.parametrize(("file", "node"), PATTERNS, ids=[node["pattern"] for _, node in PATTERNS])
def test_examples_fit_their_pattern(file: str, node: Mapping[str, Any]) -> None:
    assert node["examples"], file
    for example in node["examples"]:
        assert re.search(node["pattern"], example), example
        assert compile_validators(dict(node))(example) == (True, True)


@pytest.mark.parametrize(("file", "node"), PATTERNS, ids=[node["pattern"] for _, node in PATTERNS])
def test_a_pattern_ends_where_the_text_ends(file: str, node: Mapping[str, Any]) -> None:
    is_open = "$" not in node["pattern"]  # only the beginning counts: any text may follow
    for example in node["examples"]:
        assert compile_validators(dict(node))(f"{example}\n") == (is_open, is_open), file


@pytest.mark.parametrize("schema", [ENVELOPE, EVENT])
def test_validators_agree_on_malformed_payloads(schema: str) -> None:
    good = [payloads.error_event(draw_reports(case)[0], case.code) for case in load_catalogue().cases[::30]]
    bad = [rule.apply_to(payload) for rule in malformed.malformed_rules(schema) for payload in good]
    assert not find_disagreements(schema, bad)
    assert not find_disagreements(schema, [hard for payload in good for hard in ambiguous_payloads(payload)])


def ambiguous_payloads(payload: Payload) -> Iterator[Payload]:
    """A payload with each member changed to a value on which validators have disagreed."""
    for name, value in payload.items():
        if isinstance(value, str):
            for other in (f"{value}\n", f" {value}", value.upper(), value.replace("-", ""), f"{{{value}}}"):
                yield {**payload, name: other}
        if isinstance(value, int):
            yield {**payload, name: float(value)}
            yield {**payload, name: bool(value)}
    for sent_at in ("2026-01-01t00:00:00z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00,5Z", "2026-01-01"):
        yield {**payload, "sent_at": sent_at}


@pytest.mark.parametrize("name", NAMES)
def test_validators_agree_on_the_corpus(name: str) -> None:
    bodies = [line["body"] for line in LINES]
    answers = [dict(entry.answer) for entry in read_corpus()]
    assert not find_disagreements(name, [*LINES, *bodies, *answers])


def test_a_corpus_line_is_a_documented_answer() -> None:
    for line in LINES:
        assert compile_validators("recorded-answer.schema.json")(line) == (True, True), line["id"]
        protocols = {
            entry.case.protocol for entry in parse_recorded([{"protocol": describe_line(line), **line}])
        }
        assert protocols == {describe_line(line)}, line["id"]
        assert compile_validators(ANSWER_SCHEMAS[describe_line(line)])(line["body"]) == (True, True), line[
            "id"
        ]


def describe_line(line: Mapping[str, Any]) -> str:
    return load_catalogue()[line["expect"][0]].protocol


def test_corpus_ids_are_unique() -> None:
    assert len({line["id"] for line in LINES}) == len(LINES) > 0


BAD_FILES: Mapping[str, tuple[str, str | bytes]] = {
    "text": ("schema-unreadable", "{"),
    "nothing": ("schema-unreadable", ""),
    "not UTF-8": ("schema-unreadable", b'{"\xff": 1}'),
    "unknown type": ("schema-invalid", '{"type": "strnig"}'),
    "keyword of another type": ("schema-invalid", '{"minLength": "1"}'),
    "a reference to the network": ("foreign-reference", '{"$ref": "http://127.0.0.1:9/x.json"}'),
    "a metaschema of the network": ("foreign-reference", '{"$schema": "http://127.0.0.1:9/x.json"}'),
    "a list": ("schema-invalid", "[]"),
    "a boolean": ("schema-misnamed", "true"),
    "no $id": ("schema-misnamed", "{}"),
    "the $id of another file": (
        "schema-misnamed",
        json.dumps({"$id": schemas.BASE_URI + "verdict.schema.json"}),
    ),
}


@pytest.mark.parametrize(("slug", "text"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_named(tmp_path: Path, slug: str, text: str | bytes) -> None:
    for name, schema in schemas.load_schemas().items():
        (tmp_path / name).write_text(json.dumps(schema), encoding="utf-8")
    content = text.encode() if isinstance(text, str) else text
    (tmp_path / "bad.schema.json").write_bytes(content)
    with pytest.raises(schemas.SchemaError) as caught:
        schemas.load_schemas(tmp_path)
    assert (caught.value.slug, caught.value.value) == (slug, "bad.schema.json")
    assert str(caught.value).startswith(f"{slug}: bad.schema.json: ")
    assert "next: mend the file, then run ./ci/test suites/selfcheck" in str(caught.value)


FOREIGN = (
    "{url}", "{url}#/$defs/x", "file://{file}", "{file}", "//{host}/x.json", "\\\\{host}\\x.json", "urn:x",
    "nosuch.schema.json", "../x.json", "https://fcm-compat.example/x.json", "data:application/json,{{}}",
)  # fmt: skip


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$id", "$schema"])
@pytest.mark.parametrize("form", FOREIGN)
def test_no_schema_is_fetched(form: str, keyword: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("true", encoding="utf-8")
    with serve_answers(lambda *_: (200, {}, b"true")) as double:
        uri = form.format(url=f"{double.url}/x.json", host=urlsplit(double.url).netloc, file=file)
        for spelling in (uri, uri.replace("http", "HTTP")):
            schema = {"allOf": [{keyword: spelling}]}
            for use in (schemas.compile_validator, schemas.canonicalize, reference_validator.build_validator):
                with pytest.raises(schemas.SchemaError, match=r"foreign-reference: .* never fetched"):
                    use(schema)
    assert double.connections == 0


def test_a_folder_without_schemas_is_named(tmp_path: Path) -> None:
    with pytest.raises(schemas.SchemaError, match=f"schema-missing: {tmp_path}") as caught:
        schemas.load_schemas(tmp_path)
    assert "  next: " in str(caught.value)


def test_a_copy_of_the_folder_is_taken(tmp_path: Path) -> None:
    for file in schemas.SCHEMA_FOLDER.glob("*.schema.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert schemas.load_schemas(tmp_path) == schemas.load_schemas()


def test_invalid_says_where_and_which_keyword() -> None:
    report = {**draw_reports(load_catalogue().cases[0])[0], "spam": "no"}
    with pytest.raises(schemas.SchemaViolation) as caught:
        schemas.validate(report, "response-report.schema.json#/$defs/envelope")
    assert (caught.value.path, caught.value.keyword) == ("/spam", "type")
    assert 'at /spam: "no" is not of type "boolean" (type)' in str(caught.value)
