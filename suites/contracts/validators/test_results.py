"""What the gate writes for other tools is valid by the schemas of SARIF 2.1.0 and of HAR 1.2."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft6Validator, Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.jsonschema import DRAFT6

from fixtures.results.report.har import format_har, has_exchange
from fixtures.results.report.sarif import format_sarif
from suites.selfcheck.results.sample_reports import (
    build_run,
    hostile_run,
    no_go_run,
    noticed_run,
    waived_run,
)
from suites.selfcheck.results.sample_runs import good_run

pytestmark = [pytest.mark.nightly, pytest.mark.process, pytest.mark.usefixtures("validators")]

NODE = Path(__file__).parent / "node/node_modules"
SARIF = NODE / "@microsoft/sarif-multitool-linux/sarif-2.1.0.json"


@pytest.fixture(scope="module")
def sarif(validators: None) -> Validator:  # noqa: ARG001  it brings the file
    return Draft202012Validator(json.loads(SARIF.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def har(validators: None) -> Validator:  # noqa: ARG001  it brings the files
    texts = [file.read_text(encoding="utf-8") for file in (NODE / "har-schema/lib").glob("*.json")]
    rows = [(schema["$id"], DRAFT6.create_resource(schema)) for schema in map(json.loads, texts)]
    registry: Registry[Any] = Registry().with_resources(rows)
    return Draft6Validator({"$ref": "har.json#"}, registry=registry)


def list_problems(validator: Validator, document: Any) -> list[str]:
    return [error.message for error in validator.iter_errors(document)]


def test_the_findings_are_valid(tmp_path: Path, sarif: Validator) -> None:
    makers = (no_go_run, noticed_run, hostile_run, waived_run)
    runs = [build_run(tmp_path, good_run()), *(make(tmp_path) for make in makers)]
    document = json.loads(format_sarif(runs))
    assert list_problems(sarif, document) == []
    document["runs"][1]["results"][0]["level"] = "fatal"
    assert list_problems(sarif, document) == ["'fatal' is not one of ['none', 'note', 'warning', 'error']"]


def list_traffic(folder: Path) -> Iterator[Any]:
    for run in (no_go_run(folder), hostile_run(folder)):
        for kind in run.kinds:
            if has_exchange(run, kind.smallest):
                text = format_har(run, kind.smallest)
                yield json.loads(text)


def test_the_traffic_files_are_valid(tmp_path: Path, har: Validator) -> None:
    files = list(list_traffic(tmp_path))
    assert files
    assert [problem for file in files for problem in list_problems(har, file)] == []
    del files[0]["log"]["entries"][0]["timings"]
    assert list_problems(har, files[0]) == ["'timings' is a required property"]
