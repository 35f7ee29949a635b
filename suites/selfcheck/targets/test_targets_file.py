"""The targets file is read correctly, and its errors never quote a secret."""

import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import trustme

from fixtures.core.project import ROOT
from fixtures.targets.client import Unreachable
from fixtures.targets.config import TargetError, read_targets_file
from fixtures.targets.deployed import connect_deployment, describe_deployments
from fixtures.targets.http import RawResponse
from fixtures.targets.selection import resolve_deployments
from suites.selfcheck.http_double import serve_answers

EXAMPLE = ROOT / "ci" / "targets.example.toml"
SERVICE = "[environments.e.services.subscribers-errors]\n"
URL = 'url = "http://127.0.0.1:1"\n'
CANARY = "c4naryAbcdefghijklmnopqrstuvwxyz0123456789"


def test_the_example_is_valid() -> None:
    staging, deny = read_targets_file(EXAMPLE, "staging")
    assert set(staging) == {"directory-events-api", "directory-responses", "subscribers-errors"}
    assert deny.hosts == ("push.example.com", "*.prod.example.com", "10.20.0.0/16")
    assert staging["subscribers-errors"].limits.requests_per_second == 50
    assert staging["subscribers-errors"].environment_limits.requests == 100_000
    for environment in ("local", "by-requests", "by-sql"):
        assert list(resolve_deployments([], str(EXAMPLE), environment, [])) == ["subscribers-errors"]


def describe_example(environment: str, may_test: Sequence[str] = ()) -> str:
    return "\n".join(describe_deployments(resolve_deployments([], str(EXAMPLE), environment, may_test)))


def test_a_run_says_what_it_will_change() -> None:
    text = describe_example("staging", ["staging"])
    for part in (
        "https://staging.example/subscribers-errors",
        "50 a second",
        "100000 requests",
        "push.example.com",
    ):
        assert part in text
    assert describe_deployments({}) == []
    made_by_requests = "made by PUT /users/{subscriber_id} at http://127.0.0.1:9000"
    assert made_by_requests in describe_example("by-requests")
    assert "made by the database in STAGING_DATABASE" in describe_example("by-sql")


def test_the_command_line_overrides_the_file_but_not_its_deny_list(tmp_path: Path) -> None:
    file = write_file(tmp_path, 'deny = ["127.0.0.2"]\n' + SERVICE + URL)
    options = ["subscribers-errors=http://127.0.0.1:2", "directory-responses=http://[::1]:3"]
    deployments = resolve_deployments(options, str(file), None, [])
    assert {name: deployment.url for name, deployment in deployments.items()} == {
        "subscribers-errors": "http://127.0.0.1:2",
        "directory-responses": "http://[::1]:3",
    }
    with pytest.raises(TargetError, match="denied-target"):
        resolve_deployments(["directory-responses=http://127.0.0.2"], str(file), None, ["127.0.0.2"])


WRONG: Mapping[str, tuple[str, str]] = {
    "no TOML": ("[", "bad-targets-file"),
    "no environment": ("", "bad-targets-file"),
    "an unknown member": (SERVICE + URL + "retries = 3", "bad-targets-file"),
    "no URL": (SERVICE + 'version = "1"', "bad-targets-file"),
    "a wrong URL": (SERVICE + 'url = "http://:80"', "bad-target-url"),
    "an unknown service": (SERVICE.replace("subscribers", "subscriber") + URL, "unknown-service"),
    "two kinds of credentials": (
        SERVICE + URL + 'bearer_env="A_B"\nbearer_command=["a"]',
        "bad-targets-file",
    ),
    "a key without its certificate": (SERVICE + URL + 'client_key = "k"', "bad-targets-file"),
    "a file that is not there": (SERVICE + URL + 'ca_bundle = "none.pem"', "no-such-file"),
    "a queue where there is none": (SERVICE + URL + 'queue = "http://127.0.0.1/0/q"', "no-queue-there"),
    "a host to deny that is a URL": ('deny = ["https://a.example"]\n' + SERVICE + URL, "bad-targets-file"),
    "a host to deny that is no host": ('deny = ["a..b"]\n' + SERVICE + URL, "bad-deny"),
}


@pytest.mark.parametrize(("text", "slug"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, slug: str) -> None:
    with pytest.raises(TargetError, match=f"^{slug}: "):
        resolve_deployments([], str(write_file(tmp_path, text)), None, [])


def test_the_nearest_environment_is_proposed() -> None:
    with pytest.raises(TargetError, match=r"(?s)unknown-environment: 'stagin'.*--environment staging"):
        read_targets_file(EXAMPLE, "stagin")
    with pytest.raises(TargetError, match=r"no-environment: .*example.toml': it has several"):
        read_targets_file(EXAMPLE, None)
    with pytest.raises(TargetError, match=r"(?s)no-targets-file.*targets.example.toml"):
        read_targets_file(Path("none.toml"), None)


SECRETS: Mapping[str, str] = {
    "a bearer": SERVICE + URL + f'bearer = "{CANARY}"',
    "a password in a URL": SERVICE + f'url = "https://me:{CANARY}@staging.example"',
    "a key in a query": SERVICE + f'url = "https://staging.example/?key={CANARY}"',
    "in place of a variable": SERVICE + URL + f'bearer_env = "{CANARY}"',
    "in place of a header's variable": SERVICE + URL + f'headers_env = {{X-Key = "{CANARY}"}}',
    "in a command": SERVICE + URL + f'bearer_command = ["echo", "{CANARY}"]',
    "a JSON web token": SERVICE + URL + f'bearer_command = ["echo", "eyJhbGciOi.{CANARY}.x"]',
    "an AWS key": SERVICE + URL + 'version = "AKIAIOSFODNN7EXAMPLE"',
    "a private key": SERVICE + URL + 'client_key = "-----BEGIN PRIVATE KEY-----"',
    "a member called so": SERVICE + URL + 'api_key = "short"',
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    problem = r"^secret-in-targets: 'environments.e.services.subscribers-errors"
    with pytest.raises(TargetError, match=problem) as caught:
        resolve_deployments([], str(write_file(tmp_path, text)), None, ["e"])
    assert CANARY not in str(caught.value)


# --- credentials


def test_a_deployment_gets_its_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = f'bearer_command = ["{sys.executable}", "-c", "print(1 + 1)"]'
    monkeypatch.setenv("MINE_TOKEN", "abc")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    aws = 'aws_sigv4 = {service = "execute-api", region = "eu-west-1"}'
    for row, authorization in {
        'bearer_env = "MINE_TOKEN"': "Bearer abc",
        command: "Bearer 2",
        aws: "AWS4-HMAC-SHA256 Credential=id/",
    }.items():
        headers = capture_headers(tmp_path, row + '\nheaders_env = {X-Api-Key = "MINE_TOKEN"}')
        assert headers["authorization"].startswith(authorization)
        assert headers["x-api-key"] == "abc"
    assert "SignedHeaders=content-type;host;x-amz-date" in headers["authorization"]


def test_a_missing_secret_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_TOKEN", "ä")
    command = f'bearer_command = ["{sys.executable}", "-c", "print(12); raise SystemExit(3)"]'
    for row, slug in {
        'bearer_env = "NOT_SET_ANYWHERE"': "no-secret: 'NOT_SET_ANYWHERE'",
        'bearer_env = "MINE_TOKEN"': "bad-secret: 'MINE_TOKEN'",
        command: r"bearer-command-failed: .* ended with 3",
        'bearer_command = ["no-such-command"]': "bearer-command-failed: 'no-such-command'",
    }.items():
        with pytest.raises(TargetError, match=slug):
            capture_headers(tmp_path, row)


def test_both_sides_show_their_certificates(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    authority.issue_cert("me.example").private_key_and_cert_chain_pem.write_to_path(tmp_path / "me.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(tls)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serve_answers(tls=tls) as double:
        both = 'ca_bundle = "ca.pem"\nclient_certificate = "me.pem"'
        assert send_request(tmp_path, double.url, both).certificate_expires
        for row, problem in {
            'ca_bundle = "other.pem"\nclient_certificate = "me.pem"': "CERTIFICATE_VERIFY_FAILED",
            'client_certificate = "me.pem"': "CERTIFICATE_VERIFY_FAILED",
            'ca_bundle = "ca.pem"': "unreachable-target",
        }.items():
            with pytest.raises(Unreachable, match=f"(?s){problem}"):
                send_request(tmp_path, double.url, row)
    assert len(double.requests) == 1


def capture_headers(folder: Path, row: str) -> Mapping[str, str]:
    """The headers that a deployment gets, with this row in the targets file."""
    with serve_answers() as double:
        send_request(folder, double.url, row)
    return double.requests[0][2]


def send_request(folder: Path, url: str, row: str) -> RawResponse:
    """Send one request to a deployment with this row in the targets file."""
    file = write_file(folder, f'{SERVICE}url = "{url}"\n{row}')
    client = connect_deployment(resolve_deployments([], str(file), None, [])["subscribers-errors"])
    try:
        return client.send("POST", "/v1/errors", b"{}", {"Content-Type": "application/json"})
    finally:
        client.close()


def write_file(folder: Path, text: str) -> Path:
    file = folder / "targets.toml"
    file.write_text(text, encoding="utf-8")
    return file
