"""The OpenAPI documents are valid, refer to no other files, and mean what the schemas mean."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import referencing
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing.jsonschema import DRAFT202012

from ci.commands import regenerate
from ci.support.exit_codes import ExitCode
from fixtures.contracts.api_docs import asyncapi, openapi
from fixtures.contracts.api_docs.bundle import (
    COMPONENTS,
    bundle_components,
    component_name,
    resolve_reference,
)
from fixtures.contracts.api_docs.examples import example_reports
from fixtures.contracts.api_docs.interfaces import ID, INTERFACES
from fixtures.core import reference_validator, schemas
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import error_event
from fixtures.generation import malformed
from fixtures.generation.malformed import ENVELOPE, EVENT
from suites.selfcheck import sample_answers

DOCUMENTS: Mapping[str, Any] = {
    "platform": asyncapi.make_document(),
    **{service: openapi.make_document(service) for service in INTERFACES},
}


def references(value: Any) -> Iterator[str]:
    """Every `$ref` inside a JSON value."""
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield value["$ref"]
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from references(member)


def component(document: Any, name: str) -> Draft202012Validator:
    """The validator of a component, with no other schemas than those of the document."""
    registry = referencing.Registry[Any]().with_resource(
        "urn:document", DRAFT202012.create_resource(document)
    )
    return Draft202012Validator(
        {"$ref": f"urn:document{COMPONENTS}{component_name(name)}"},
        registry=registry,
        format_checker=reference_validator.FORMAT_CHECKER,
    )


@pytest.mark.parametrize("service", INTERFACES)
def test_a_document_is_valid(service: str) -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENTS[service]).iter_errors()) == []


def test_the_validator_notices_a_wrong_document() -> None:
    paths = {"/v1/reports/{report_id}": {"get": {"responses": {"200": {"description": "OK."}}}}}
    invalid = {**DOCUMENTS["go-sender"], "paths": paths}
    assert [error.message for error in OpenAPIV31SpecValidator(invalid).iter_errors()] != []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_stands_alone(name: str) -> None:
    document = DOCUMENTS[name]
    resource = DRAFT202012.create_resource(document)
    resolver = referencing.Registry[Any]().with_resource("urn:document", resource).resolver("urn:document")
    targets = set(references(document))
    assert {target[0] for target in targets} == {"#"}
    assert all(resolver.lookup(target).contents for target in targets)
    assert schemas.BASE_URI not in str(document)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_component_is_there_in_vain(name: str) -> None:
    document = DOCUMENTS[name]
    used = {reference.rpartition("/")[2] for reference in references(document)}
    assert document["components"]["schemas"].keys() - used == set()


@pytest.mark.parametrize("service", INTERFACES)
def test_operations_have_names_of_their_own(service: str) -> None:
    operations = [does for path in DOCUMENTS[service]["paths"].values() for does in path.values()]
    assert (
        len({does["operationId"] for does in operations})
        == len(operations)
        == len(INTERFACES[service].endpoints)
    )


def test_a_component_means_what_its_schema_means() -> None:
    validator = component(DOCUMENTS["subscribers-errors"], EVENT)
    samples = (
        report for case in load_catalogue().cases[::10] for report in sample_answers.draw_reports(case)[:5]
    )
    good = [error_event(report, "any") for report in (*samples, *(report for _, report in example_reports()))]
    assert [validator.is_valid(entry) for entry in good] == [True] * len(good)
    bad = [rule.apply_to(entry) for rule in malformed.malformed_rules(EVENT) for entry in good[::10]]
    assert [validator.is_valid(entry) for entry in bad] == [schemas.is_valid(entry, EVENT) for entry in bad]
    assert not any(map(validator.is_valid, bad))


def test_a_legacy_report_is_none_of_v1_and_the_other_way_round() -> None:
    document = DOCUMENTS["events-proxy"]
    either = component(document, "response-report.schema.json")
    legacy = component(document, "legacy-response-report.schema.json")
    for case, report in example_reports():
        assert either.is_valid(report)
        assert legacy.is_valid(report) == (case.protocol == "legacy")


def test_a_name_that_two_schemas_would_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.contracts.api_docs.bundle.component_name", lambda _target: "Same")
    with pytest.raises(ValueError, match="would both be the component Same"):
        bundle_components([ID, ENVELOPE])


def test_a_reference_to_elsewhere_is_refused() -> None:
    with pytest.raises(ValueError, match=r"x\.schema\.json refers to https://json-schema\.org/"):
        resolve_reference("https://json-schema.org/draft/2020-12/schema", "x.schema.json")


def test_the_documents_are_current() -> None:
    assert regenerate.main(["documents", "--check"]) == ExitCode.GO


Run: TypeAlias = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`./ci/regenerate documents` in a folder of its own: its exit code, and what it writes to stderr."""

    def run_command(*options: str) -> tuple[int, str]:
        code = regenerate.main(["documents", "--folder", str(tmp_path), *options])
        return code, capsys.readouterr().err

    return run_command


def test_a_document_that_is_not_current_is_named(run: Run, tmp_path: Path) -> None:
    assert run() == run("--check") == (0, "")
    (tmp_path / "openapi" / "go-sender.json").write_text("{}", encoding="utf-8")
    (tmp_path / "asyncapi" / "platform.json").unlink()
    problem = "stale-document: asyncapi/platform.json, openapi/go-sender.json"
    assert run("--check") == (1, f"{problem}\n  next: ./ci/regenerate documents\n")
    assert run() == run("--check") == (0, "")


def test_a_document_of_no_service_is_named_and_left_alone(run: Run, tmp_path: Path) -> None:
    assert run() == (0, "")
    stray = tmp_path / "openapi" / "retired.json"
    stray.write_text("{}", encoding="utf-8")
    problem = "stray-document: openapi/retired.json: it is not generated\n  next: delete it\n"
    assert run("--check") == (1, problem)
    assert run() == (0, "")
    assert stray.exists()


def test_a_folder_that_cannot_be_written_to_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit, match="64"):
        regenerate.main(["documents", "--folder", str(file)])
    assert capsys.readouterr().err.startswith("folder-unwritable:")
