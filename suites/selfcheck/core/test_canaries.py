"""No secret that a run meets is left in its files or on the terminal."""

import base64
import contextlib
import itertools
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ci.support import allure
from fixtures.core.project import ROOT
from fixtures.targets.embedded import embedded_targets
from suites.selfcheck.by_day import mark_nightly_rows
from suites.selfcheck.core import canaries
from suites.selfcheck.core.canaries import (
    CANARIES,
    HIDDEN_MEMBER,
    LEARNT,
    MEMBER,
    find_canaries,
    search_files,
)
from suites.selfcheck.fail_closed import sandbox
from suites.selfcheck.fail_closed.behaviours import forward, on_batches, on_observations
from suites.selfcheck.fail_closed.fault_proxy import (
    Behaviour,
    ProxiedRequest,
    ProxiedResponse,
    run_proxy,
)
from suites.selfcheck.fail_closed.sandbox import (
    KEEPER,
    REACTOR,
    TIMEOUT_S,
    GateCall,
    GateResult,
    Scene,
)

pytestmark = pytest.mark.process


JSON = "application/json"
SECRETS = {"LAB_TOKEN": canaries.OAUTH, "LAB_KEY": canaries.API_KEY, "LAB_WORDS": canaries.WORDS}


def leak_text(status: int) -> Behaviour:
    """An answer full of canaries, with a part of a secret in a header and the rest of it in the body."""
    sentences = itertools.cycle(canaries.all_sentences())

    def behave(request: ProxiedRequest) -> None:
        word = canaries.WORDS
        texts = [next(sentences) for _ in range(9)]
        body = {
            "error": texts[0],
            HIDDEN_MEMBER: MEMBER,
            "rest": word[len(word) // 2 :],
            "more": texts[1:],
            "who": MEMBER,
        }
        request.respond(
            ProxiedResponse(status, f"text/plain; of={word[: len(word) // 2]}", json.dumps(body).encode())
        )

    return behave


def leak_in_rows(request: ProxiedRequest) -> None:
    """The expected rows, with canaries in them and with the row of another subscriber."""
    answer = request.fetch().json
    spread = list(canaries.all_sentences())
    rows = [
        {**row, "status": "active", "token": canaries.DEVICE, "debug": spread}
        for row in answer["subscribers"]
    ]
    stranger = {
        "subscriber_id": canaries.PERSON,
        "status": "active",
        "token": canaries.DEVICE,
        HIDDEN_MEMBER: MEMBER,
    }
    request.respond(ProxiedResponse(200, JSON, json.dumps({"subscribers": [*rows, stranger]}).encode()))


def leak_at_teardown(request: ProxiedRequest) -> None:
    """A failure full of canaries when a provider state is left."""
    is_teardown = request.path.startswith("/_pact/") and b'"teardown"' in request.body
    (leak_text(500) if is_teardown else forward)(request)


def leak_in_redirect(request: ProxiedRequest) -> None:
    """A redirect whose address contains canaries."""
    url = f"https://login.example/?token={canaries.OAUTH}&user={canaries.EMAIL}"
    request.respond(ProxiedResponse(302, JSON, b""), f"Location: {url}")


RECORDED = [
    {"http_status": 200, "body": {"results": [{"message_id": "0:1", "registration_id": canaries.DEVICE}]}},
    {
        "http_status": 404,
        "headers": {"Authorization": f"Bearer {canaries.OAUTH}", "X-Key": canaries.API_KEY},
        "body": {
            "error": {
                "code": 404,
                "message": f"{canaries.DEVICE} of {canaries.EMAIL} was not found",
                "status": "NOT_FOUND",
                HIDDEN_MEMBER: MEMBER,
                "details": [
                    {
                        "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
                        "errorCode": "UNREGISTERED",
                    },
                    {"@type": "x", "asked": [canaries.in_base64(canaries.EMAIL), canaries.PERSON]},
                ],
            }
        },
    },
]


@pytest.fixture(scope="module")
def project_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small copy of the project that replays recordings as well."""
    project = sandbox.create_project(tmp_path_factory.mktemp("project") / "project")
    old_codes = "suites/compat/test_old_codes_still_unsubscribe.py::test_old_codes_still_unsubscribe"
    tests = (
        f"{old_codes}[subscribers-errors-legacy-NotRegistered]",
        "suites/compat/test_replay.py::test_replay[subscribers-errors-documented.ndjson]",
    )
    sandbox.select_tests(project, "subscribers-errors and (NotRegistered or test_replay)", tests, 1)
    return project


@pytest.fixture(scope="module")
def service_urls() -> Iterator[Mapping[str, str]]:
    """The URLs of the reference services service_urls the leaking proxy."""
    with embedded_targets([REACTOR, KEEPER], "after") as targets:
        yield {name: target.url for name, target in targets.items()}


LEAKS: Mapping[str, tuple[Behaviour, str]] = {
    "in a refused batch": (on_batches(leak_text(500)), "no-go"),
    "in a refused observation": (on_observations(leak_text(500)), "undecided"),
    "in a redirect": (leak_in_redirect, "undecided"),
    "in a tear-down": (leak_at_teardown, "go"),
}


@contextlib.contextmanager
def leaking_call(
    scene: Scene, behaviour: Behaviour, folder: Path, recorded: Sequence[Any]
) -> Iterator[GateCall]:
    """A run that is given secrets in every possible way, against a deployment that leaks them."""
    file = folder / "replay.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in recorded), encoding="utf-8")
    with run_proxy(scene.service_urls[REACTOR], behaviour) as url:
        listed = (
            f'redact = ["{HIDDEN_MEMBER}"]\n[environments.lab.services.{REACTOR}]\nurl = "{url}"\n'
            f'timeout_s = {TIMEOUT_S}\nbearer_env = "LAB_TOKEN"\n'
            'headers_env = { X-Api-Key = "LAB_KEY", X-Words = "LAB_WORDS" }\n'
        )
        rows = folder / "targets.toml"
        rows.write_text(listed, encoding="utf-8")
        keeper = scene.service_urls[KEEPER].replace("//", f"//robot:{canaries.PASSWORD}@")
        arguments = (f"--targets={rows}", "--i-own=lab", f"--replay={file}", f"--target={KEEPER}={keeper}")
        temporary = folder / "temporary"
        temporary.mkdir()
        yield GateCall(arguments, {**SECRETS, "TMPDIR": str(temporary)})


def run_leaking_gate(
    project_copy: Path,
    service_urls: Mapping[str, str],
    behaviour: Behaviour,
    folder: Path,
    recorded: Sequence[Any] = RECORDED,
) -> GateResult:
    """The result of such a run. All that it writes is in one folder, or in the project."""
    scene = Scene(project_copy, folder / "build", service_urls)
    (folder / "inputs").mkdir(parents=True)
    with leaking_call(scene, behaviour, folder / "inputs", recorded) as call:
        result = sandbox.run_gate(scene, call, re.compile("==="))
    (scene.build / "terminal.txt").write_text(result.text, encoding="utf-8")
    return result


@pytest.mark.parametrize(("behaviour", "verdict"), mark_nightly_rows(LEAKS, ["in a refused batch"]))
def test_no_canary_is_in_any_file_of_a_run(
    project_copy: Path, service_urls: Mapping[str, str], behaviour: Behaviour, verdict: str, tmp_path: Path
) -> None:
    result = run_leaking_gate(project_copy, service_urls, behaviour, tmp_path)
    assert result.verdict is not None, result.text
    assert result.verdict["verdict"] == verdict, result.text
    all_sightings, files = search_files(tmp_path / "build")
    assert all_sightings == []
    assert files > 10, "a run leaves ledger, verdict, log, JUnit, exports, Allure's results and pages"
    for folder in (tmp_path / "inputs" / "temporary", project_copy / ".hypothesis", project_copy / "build"):
        assert search_files(folder)[0] == []


@pytest.mark.nightly
def test_no_canary_is_in_the_pages_of_allure(
    project_copy: Path, service_urls: Mapping[str, str], tmp_path: Path
) -> None:
    with_allure = tmp_path / "project"
    shutil.copytree(project_copy, with_allure)
    node, problem = allure.find_node(install=True)
    assert node, problem
    shutil.copy2(ROOT / "ci" / "setup" / "report.sh", with_allure / "ci" / "setup" / "report.sh")
    (with_allure / "ci" / "allure" / "node_modules").symlink_to(ROOT / "ci" / "allure" / "node_modules")
    result = run_leaking_gate(with_allure, service_urls, on_observations(leak_in_rows), tmp_path / "run")
    assert result.exit_status == 1, result.text
    pages = list((tmp_path / "run" / "build" / "report" / "allure").rglob("*.html"))
    assert len(pages) > 1
    unpacked = "".join(map(decode_page, pages))
    assert "leaves the subscriber active after" in unpacked  # what was found is in there
    assert find_canaries("Allure", unpacked) == []
    assert search_files(tmp_path / "run" / "build")[0] == []


def decode_page(page: Path) -> str:
    """The base64 data inside a page of Allure, decoded."""
    blobs = re.findall(rb"[A-Za-z0-9+/]{64,}={0,2}", page.read_bytes())
    blocks = (blob[: len(blob) - len(blob) % 4] for blob in (blob.rstrip(b"=") for blob in blobs))
    return b"".join(map(base64.b64decode, blocks)).decode("latin-1")


@pytest.mark.nightly
def test_without_redaction_they_would_be_everywhere(
    project_copy: Path, service_urls: Mapping[str, str], tmp_path: Path
) -> None:
    careless = tmp_path / "project"
    shutil.copytree(project_copy, careless)
    begin = "        text = self._mask_fragments(self._mask_broken_lines(text, allowed))\n"
    sandbox.edit_file(careless / "fixtures" / "core" / "redaction.py", begin, f"        return text\n{begin}")
    run_leaking_gate(careless, service_urls, on_observations(leak_in_rows), tmp_path / "run")
    all_sightings, _ = search_files(tmp_path / "run" / "build")
    assert {sighting.canary for sighting in all_sightings} >= set(CANARIES) - {"configured member"}
    leaky = {Path(sighting.where).name for sighting in all_sightings}
    assert leaky >= {"ledger.jsonl", "verdict.json", "pytest.log", "junit.xml", "terminal.txt", "ctrf.json"}


def test_those_who_look_would_find_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(canaries.all_sentences()), encoding="utf-8")
    all_sightings, files = search_files(tmp_path)
    assert files == 1
    found_shapes = {(sighting.canary, sighting.encoding) for sighting in all_sightings}
    assert found_shapes >= {
        (name, shape) for name in CANARIES if name != "configured member" for shape in canaries.ENCODINGS
    }
    assert ("configured member", "in_clear") in found_shapes
    half = LEARNT["OAuth token"][: len(LEARNT["OAuth token"]) // 2]
    assert {sighting.canary for sighting in find_canaries("", half)} == {"OAuth token"}


@pytest.mark.nightly
def test_a_redacted_payload_shows_the_same_when_it_is_sent_again(
    project_copy: Path, service_urls: Mapping[str, str], tmp_path: Path
) -> None:
    first = replayed_findings(
        run_leaking_gate(project_copy, service_urls, on_observations(leak_in_rows), tmp_path / "first")
    )
    assert len(first) == len(RECORDED), "each recorded answer is a finding"
    lines = [to_recorded(payload) for payload in first.values()]
    second = replayed_findings(
        run_leaking_gate(project_copy, service_urls, on_observations(leak_in_rows), tmp_path / "again", lines)
    )
    assert list(second) == list(first)


def replayed_findings(result: GateResult) -> dict[str, Mapping[str, Any]]:
    """The first payload of each kind of finding about recorded answers."""
    assert result.verdict is not None, result.text
    findings = [row for row in result.verdict["findings"] if "replay.ndjson" in row["test"]]
    return {finding["title"]: finding["sent"][0] for finding in findings}


def to_recorded(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of a finding as a line of a recording."""
    return {
        "http_status": payload["http_status"],
        "protocol": payload.get("protocol", "legacy"),
        "body": payload["response"],
    }
