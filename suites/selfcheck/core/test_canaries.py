"""Canaries in all that a run touches are in none of the files that it leaves, nor on the terminal."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ci.support import allure
from fixtures.core.payloads import is_suite_subscriber
from fixtures.core.project import ROOT
from fixtures.targets.embedded import embedded_targets
from suites.selfcheck.core import canaries
from suites.selfcheck.core.canaries import CANARIES, HIDDEN, MEMBER, TOLD, in_files, sightings
from suites.selfcheck.fail_closed.fault_proxy import Asked, Said, Spoil, Wire, spoiled
from suites.selfcheck.fail_closed.model import KEEPER, REACTOR, TIMEOUT_S, Scene, Setting
from suites.selfcheck.fail_closed.responses import batches, looks
from suites.selfcheck.fail_closed.sandbox import Told, built, edited, gate, select_tests

pytestmark = pytest.mark.process


JSON = "application/json"
SECRETS = {"LAB_TOKEN": canaries.OAUTH, "LAB_KEY": canaries.API_KEY, "LAB_WORDS": canaries.WORDS}


def leaking(status: int) -> Spoil:
    """An answer that tells all that it knows, a part of a secret in a header and the rest in the body."""
    told = itertools.cycle(canaries.spread())

    def spoil(wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
        word = canaries.WORDS
        said = [next(told) for _ in range(9)]
        body = {
            "error": said[0],
            HIDDEN: MEMBER,
            "rest": word[len(word) // 2 :],
            "more": said[1:],
            "who": MEMBER,
        }
        wire.say(Said(status, f"text/plain; of={word[: len(word) // 2]}", json.dumps(body).encode()))

    return spoil


def leaking_rows(wire: Wire, _asked: Asked, behind: Callable[[], Said]) -> None:
    """A right answer about the wrong people, with everything in it that is nobody's business."""
    said = behind().json
    spread = list(canaries.spread())
    rows = [
        {**row, "status": "active", "token": canaries.DEVICE, "debug": spread} for row in said["subscribers"]
    ]
    stranger = {
        "subscriber_id": canaries.PERSON,
        "status": "active",
        "token": canaries.DEVICE,
        HIDDEN: MEMBER,
    }
    wire.say(Said(200, JSON, json.dumps({"subscribers": [*rows, stranger]}).encode()))


def redirecting(wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
    """A way on that holds the token of whoever asked."""
    place = f"https://login.example/?token={canaries.OAUTH}&user={canaries.EMAIL}"
    wire.say(Said(302, JSON, b""), f"Location: {place}")


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
                HIDDEN: MEMBER,
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
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small house that replays recordings as well."""
    found = built(tmp_path_factory.mktemp("house") / "house")
    tests = (
        "suites/compat/test_old_codes_still_unsubscribe.py::test_old_codes_still_unsubscribe"
        "[subscribers-errors-legacy-NotRegistered]",
        "suites/compat/test_replay.py::test_replay[subscribers-errors-documented.ndjson]",
    )
    select_tests(found, "subscribers-errors and (NotRegistered or test_replay)", tests, 1)
    return found


@pytest.fixture(scope="module")
def behind() -> Iterator[Mapping[str, str]]:
    """The reference services that tell too much."""
    with embedded_targets([REACTOR, KEEPER], "after") as found:
        yield {name: target.url for name, target in found.items()}


LEAKS: Mapping[str, tuple[Spoil, str]] = {
    "in a finding": (looks(leaking_rows), "no-go"),
    "in a refused batch": (batches(leaking(500)), "no-go"),
    "in a refused observation": (looks(leaking(500)), "undecided"),
    "in a redirect": (redirecting, "undecided"),
}


@contextlib.contextmanager
def watched(scene: Scene, spoil: Spoil, folder: Path, recorded: Sequence[Any]) -> Iterator[Setting]:
    """A run that is told secrets in every way, of a deployment that gives them away."""
    file = folder / "replay.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in recorded), encoding="utf-8")
    with spoiled(scene.behind[REACTOR], spoil) as url:
        listed = (
            f'redact = ["{HIDDEN}"]\n[environments.lab.services.{REACTOR}]\nurl = "{url}"\n'
            f'timeout_s = {TIMEOUT_S}\nbearer_env = "LAB_TOKEN"\n'
            'headers_env = { X-Api-Key = "LAB_KEY", X-Words = "LAB_WORDS" }\n'
        )
        rows = folder / "targets.toml"
        rows.write_text(listed, encoding="utf-8")
        keeper = scene.behind[KEEPER].replace("//", f"//robot:{canaries.PASSWORD}@")
        arguments = (f"--targets={rows}", "--i-own=lab", f"--replay={file}", f"--target={KEEPER}={keeper}")
        yield Setting(arguments, SECRETS)


def run_of(
    house: Path, behind: Mapping[str, str], spoil: Spoil, folder: Path, recorded: Sequence[Any] = RECORDED
) -> Told:
    """What the gate leaves of such a run, all of it in one folder."""
    scene = Scene(house, folder / "build", behind)
    (folder / "told").mkdir(parents=True)
    with watched(scene, spoil, folder / "told", recorded) as setting:
        told = gate(scene, setting, re.compile("==="))
    (scene.build / "terminal.txt").write_text(told.text, encoding="utf-8")
    return told


@pytest.mark.parametrize(("spoil", "verdict"), LEAKS.values(), ids=LEAKS)
def test_no_canary_is_in_any_file_of_a_run(
    house: Path, behind: Mapping[str, str], spoil: Spoil, verdict: str, tmp_path: Path
) -> None:
    told = run_of(house, behind, spoil, tmp_path)
    assert told.verdict is not None, told.text
    assert told.verdict["verdict"] == verdict, told.text
    found, files = in_files(tmp_path / "build")
    assert found == []
    assert files > 10, "a run leaves ledger, verdict, log, JUnit, exports, Allure's results and pages"


def test_no_canary_is_in_the_pages_of_allure(house: Path, behind: Mapping[str, str], tmp_path: Path) -> None:
    with_allure = tmp_path / "house"
    shutil.copytree(house, with_allure)
    node, problem = allure.install_allure()
    assert node, problem
    shutil.copy2(ROOT / "ci" / "setup" / "report.sh", with_allure / "ci" / "setup" / "report.sh")
    (with_allure / "ci" / "allure" / "node_modules").symlink_to(ROOT / "ci" / "allure" / "node_modules")
    run_of(with_allure, behind, looks(leaking_rows), tmp_path / "run")
    pages = list((tmp_path / "run" / "build" / "report" / "allure").rglob("*.html"))
    assert len(pages) > 1
    unpacked = "".join(map(inside, pages))
    assert "leaves the subscriber active after" in unpacked  # what was found is in there
    assert sightings("Allure", unpacked) == []
    assert in_files(tmp_path / "run" / "build")[0] == []


def inside(page: Path) -> str:
    """What a page that is one file holds as base64: Allure's data."""
    blobs = re.findall(rb"[A-Za-z0-9+/]{64,}={0,2}", page.read_bytes())
    whole = (blob[: len(blob) - len(blob) % 4] for blob in (blob.rstrip(b"=") for blob in blobs))
    return b"".join(map(base64.b64decode, whole)).decode("latin-1")


def test_without_redaction_they_would_be_everywhere(
    house: Path, behind: Mapping[str, str], tmp_path: Path
) -> None:
    careless = tmp_path / "house"
    shutil.copytree(house, careless)
    begin = "        for name in self._members if text else ():\n"
    edited(careless / "fixtures" / "core" / "redaction.py", begin, f"        return text\n{begin}")
    run_of(careless, behind, looks(leaking_rows), tmp_path / "run")
    found, _ = in_files(tmp_path / "run" / "build")
    assert {one.canary for one in found} >= set(CANARIES) - {"configured member"}
    leaky = {Path(one.where).name for one in found}
    assert leaky >= {"ledger.jsonl", "verdict.json", "pytest.log", "junit.xml", "terminal.txt", "ctrf.json"}


def test_those_who_look_would_find_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(canaries.spread()), encoding="utf-8")
    found, files = in_files(tmp_path)
    assert files == 1
    seen = {(one.canary, one.shape) for one in found}
    shapes = [shape.__name__ for shape in canaries.SHAPES]
    assert seen >= {(name, shape) for name in CANARIES if name != "configured member" for shape in shapes}
    assert ("configured member", "in_clear") in seen
    half = TOLD["OAuth token"][: len(TOLD["OAuth token"]) // 2]
    assert {one.canary for one in sightings("", half)} == {"OAuth token"}


def test_a_redacted_payload_shows_the_same_when_it_is_sent_again(
    house: Path, behind: Mapping[str, str], tmp_path: Path
) -> None:
    first = replayed(run_of(house, behind, looks(leaking_rows), tmp_path / "first"))
    assert len(first) == len(RECORDED), "each recorded answer is a finding"
    lines = [as_recorded(payload) for payload in first.values()]
    again = replayed(run_of(house, behind, looks(leaking_rows), tmp_path / "again", lines))
    assert list(again) == list(first)


def replayed(told: Told) -> dict[str, Mapping[str, Any]]:
    """What was found of recorded answers: each kind, with the payload that shows it."""
    assert told.verdict is not None, told.text
    mine = [found for found in told.verdict["findings"] if "replay.ndjson" in found["test"]]
    return {found["title"]: found["sent"][0] for found in mine}


def as_recorded(payload: Mapping[str, Any]) -> dict[str, Any]:
    """An event of a finding as a line of a recording."""
    assert is_suite_subscriber(payload["subscriber_id"])
    return {
        "http_status": payload["http_status"],
        "protocol": payload.get("protocol", "legacy"),
        "body": payload["response"],
    }
