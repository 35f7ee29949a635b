"""Real clients, unmodified, reach every exception that they have for an answer of FCM."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fixtures.core.project import ROOT
from fixtures.targets.embedded import start_process

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("clients")]

HERE = Path(__file__).resolve().parent
REACHED: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(
    (HERE / "reached.json").read_text(encoding="utf-8")
)
PYTHON = Path("bin/python")


def error(http_status: int, **members: str) -> dict[str, Any]:
    """A v1 error that no case of the book gives."""
    return {"http_status": http_status, "body": {"error": {"code": http_status, "message": "m", **members}}}


SCRIPT: Mapping[str, Mapping[str, Any]] = {
    "out-of-range": {"answer": error(400, status="OUT_OF_RANGE")},
    "already-exists": {"answer": error(409, status="ALREADY_EXISTS")},
    "conflict": {"answer": error(409)},
    "cancelled": {"answer": error(499, status="CANCELLED")},
    "data-loss": {"answer": error(501, status="DATA_LOSS")},
    "expired-once": {"case": "v1-bare-401", "times": 1},
    "busy-once": {"case": "v1-UNAVAILABLE", "times": 1},
    "broken-once": {"fault": "drop-before-headers", "protocol": "fcm_v1", "times": 1},
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Where the emulator is."""
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    with start_process("fixtures.platform.fcm.server", "--ca", str(ca)) as [where]:
        yield where


@pytest.fixture(scope="module")
def service_account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Credentials of a service account in the form of Google's console, with a key that nobody else has."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("account") / "service-account.json"
    account = {
        "type": "service_account",
        "project_id": "emulated",
        "private_key_id": "0",
        "private_key": key.decode(),
        "client_email": "tests@emulated.iam.gserviceaccount.com",
        "client_id": "0",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    file.write_text(json.dumps(account), encoding="utf-8")
    return file


def driven(where: Mapping[str, Any], call: Sequence[str], reached: Mapping[str, Mapping[str, str]]) -> Any:
    """What a client makes of the tokens of each of its calls."""
    rules = [{"match": {"token": token}, **rule} for token, rule in SCRIPT.items()]
    assert httpx.post(where["url"] + "/_emulator/script", json={"rules": rules}).status_code == 200
    environment = {
        "PATH": os.environ["PATH"],
        "HTTPS_PROXY": where["proxy"],
        "REQUESTS_CA_BUNDLE": where["ca"],
        "NODE_EXTRA_CA_CERTS": where["ca"],
        "FCM_EMULATOR_HTTPS": where["https"],
    }
    asked = json.dumps({name: list(tokens) for name, tokens in reached.items()})
    done = subprocess.run(  # noqa: S603  our own program
        call,
        input=asked,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    return {name: dict(zip(tokens, said[name], strict=True)) for name, tokens in reached.items()}


def test_firebase_admin_for_python(emulator: dict[str, Any], service_account: Path) -> None:
    reached = REACHED["firebase-admin (Python)"]
    driver = HERE / "drive_firebase_admin.py"
    program = [str(ROOT / ".venv-clients" / PYTHON), "-W", "ignore", str(driver), str(service_account)]
    assert driven(emulator, program, reached) == reached


def test_firebase_admin_for_python_reaches_every_exception() -> None:
    names = {name for tokens in REACHED["firebase-admin (Python)"].values() for name in tokens.values()}
    messaging = {"QuotaExceededError", "SenderIdMismatchError", "ThirdPartyAuthError", "UnregisteredError"}
    platform = {
        "InvalidArgumentError",
        "FailedPreconditionError",
        "OutOfRangeError",
        "UnauthenticatedError",
        "PermissionDeniedError",
        "NotFoundError",
        "ConflictError",
        "AbortedError",
        "AlreadyExistsError",
        "ResourceExhaustedError",
        "CancelledError",
        "DataLossError",
        "UnknownError",
        "InternalError",
        "UnavailableError",
        "DeadlineExceededError",
    }
    assert names == messaging | platform | {"sent"}


def test_pyfcm_over_v1(emulator: dict[str, Any], service_account: Path, tmp_path: Path) -> None:
    reached = REACHED["pyfcm 2.x"]
    account = json.loads(service_account.read_text(encoding="utf-8"))
    file = tmp_path / "service-account.json"  # one whose own token_uri is the emulator's
    file.write_text(json.dumps({**account, "token_uri": emulator["url"] + "/token"}), encoding="utf-8")
    program = [str(ROOT / ".venv-clients" / PYTHON), str(HERE / "drive_pyfcm.py"), str(file)]
    assert driven(emulator, program, reached) == reached


def test_pyfcm_over_the_legacy_protocol(emulator: dict[str, Any]) -> None:
    reached = REACHED["pyfcm 1.5.4"]
    program = [str(ROOT / ".venv-clients-legacy" / PYTHON), str(HERE / "drive_pyfcm_legacy.py")]
    assert driven(emulator, program, reached) == reached


def test_firebase_admin_for_node(emulator: dict[str, Any], service_account: Path) -> None:
    reached = REACHED["firebase-admin (Node)"]
    folder = HERE / "node"
    program = [
        "node",
        "--require",
        str(folder / "hosts.cjs"),
        str(folder / "drive.cjs"),
        str(service_account),
    ]
    assert driven(emulator, program, reached) == reached


def test_the_table_of_the_docs_is_what_was_reached() -> None:
    rows = []
    for client, calls in REACHED.items():
        cases: dict[str, dict[str, None]] = {}
        for token, name in (pair for tokens in calls.values() for pair in tokens.items()):
            cases.setdefault(name, {})[token.removeprefix("case/").removesuffix("/device")] = None
        rows += [f"| {client} | {name} | {', '.join(found)} |" for name, found in cases.items()]
    assert "\n".join(rows) in (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
