"""Real, unmodified clients raise each exception that they have for an answer of FCM."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.core.project import ROOT
from fixtures.platform.fcm.service_account import create_service_account
from fixtures.targets.embedded import start_process

pytestmark = pytest.mark.process

HERE = Path(__file__).resolve().parent
# The result of each token, by client and by the client's call.
EXPECTED_RESULTS: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(
    (HERE / "expected_results.json").read_text(encoding="utf-8")
)
PYTHON = Path("bin/python")


def error(http_status: int, **members: str) -> dict[str, Any]:
    """A v1 error that is no canned answer."""
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
# Rules for other recipients than tokens.
RULES: Sequence[Mapping[str, Any]] = (
    {"match": {"fid": "scripted-fid"}, "case": "v1-SENDER_ID_MISMATCH"},
    {"match": {"topic": "quiet"}, "case": "v1-QUOTA_EXCEEDED"},
    {"match": {"condition": "'quiet' in topics && 'b' in topics"}, "case": "v1-QUOTA_EXCEEDED"},
    {"match": {"live_activity_token": "scripted-activity"}, "case": "v1-THIRD_PARTY_AUTH_ERROR"},
)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The URLs of an emulator process."""
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    with start_process("fixtures.platform.fcm.server", "--ca", str(ca)) as [urls]:
        yield urls


@pytest.fixture(scope="module")
def service_account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service account file with a new key, in the format of Google's console."""
    file = tmp_path_factory.mktemp("account") / "service-account.json"
    account = create_service_account("https://oauth2.googleapis.com/token")
    file.write_text(json.dumps(account), encoding="utf-8")
    return file


def run_client(
    urls: Mapping[str, Any], command: Sequence[str], expected: Mapping[str, Mapping[str, str]]
) -> Any:
    """The results of a client for the tokens of each of its calls."""
    rules = [*({"match": {"token": token}, **rule} for token, rule in SCRIPT.items()), *RULES]
    assert httpx.post(urls["url"] + "/_emulator/script", json={"rules": rules}).status_code == 200
    environment = {
        "PATH": os.environ["PATH"],
        "HTTPS_PROXY": urls["proxy"],
        "REQUESTS_CA_BUNDLE": urls["ca"],
        "SSL_CERT_FILE": urls["ca"],
        "NODE_EXTRA_CA_CERTS": urls["ca"],
        "FCM_EMULATOR_HTTPS": urls["https"],
    }
    inputs = {name: list(tokens) for name, tokens in expected.items()}
    process = subprocess.run(  # noqa: S603  our own program
        command,
        input=json.dumps(inputs),
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    results = json.loads(process.stdout)
    return {name: dict(zip(tokens, results[name], strict=True)) for name, tokens in expected.items()}


@pytest.mark.nightly
@pytest.mark.usefixtures("clients")
def test_firebase_admin_for_python(emulator: dict[str, Any], service_account: Path) -> None:
    expected = EXPECTED_RESULTS["firebase-admin (Python)"]
    driver = HERE / "drive_firebase_admin.py"
    program = [str(ROOT / ".venv-packages" / PYTHON), "-W", "ignore", str(driver), str(service_account)]
    assert run_client(emulator, program, expected) == expected


def test_firebase_admin_for_python_reaches_every_exception() -> None:
    calls = EXPECTED_RESULTS["firebase-admin (Python)"]
    names = {name for call in ("send", "send_each", "multicast") for name in calls[call].values()}
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


@pytest.mark.nightly
@pytest.mark.usefixtures("clients")
def test_pyfcm_over_v1(emulator: dict[str, Any], service_account: Path, tmp_path: Path) -> None:
    expected = EXPECTED_RESULTS["pyfcm 2.x"]
    account = json.loads(service_account.read_text(encoding="utf-8"))
    file = tmp_path / "service-account.json"  # with the emulator as its token_uri
    file.write_text(json.dumps({**account, "token_uri": emulator["url"] + "/token"}), encoding="utf-8")
    program = [str(ROOT / ".venv-packages" / PYTHON), str(HERE / "drive_pyfcm.py"), str(file)]
    assert run_client(emulator, program, expected) == expected


@pytest.mark.nightly
@pytest.mark.usefixtures("clients")
def test_pyfcm_over_the_legacy_protocol(emulator: dict[str, Any]) -> None:
    expected = EXPECTED_RESULTS["pyfcm 1.5.4"]
    program = [str(ROOT / ".venv-clients-legacy" / PYTHON), str(HERE / "drive_pyfcm_legacy.py")]
    assert run_client(emulator, program, expected) == expected


@pytest.mark.nightly
@pytest.mark.usefixtures("clients")
def test_firebase_admin_for_node(emulator: dict[str, Any], service_account: Path) -> None:
    expected = EXPECTED_RESULTS["firebase-admin (Node)"]
    folder = HERE / "node"
    program = [
        "node",
        "--require",
        str(folder / "hosts.cjs"),
        str(folder / "drive.cjs"),
        str(service_account),
    ]
    assert run_client(emulator, program, expected) == expected


def test_the_table_in_the_docs_shows_the_expected_results() -> None:
    assert "\n".join(list_rows()) in (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")


def list_rows() -> list[str]:
    """The rows of the table, one for each client and exception or code."""
    rows = []
    for client, calls in EXPECTED_RESULTS.items():
        cases: dict[str, dict[str, None]] = {}
        for call, results in calls.items():
            prefix = f"{call} " if "subscribe" in call.lower() else ""
            for token, name in results.items():
                token_cell = token.replace("case/", "").removesuffix("/device").replace("|", "\\|")
                cases.setdefault(name, {})[prefix + token_cell] = None
        rows += [f"| {client} | {name} | {', '.join(tokens)} |" for name, tokens in cases.items()]
    return rows
