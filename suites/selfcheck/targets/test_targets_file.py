"""The targets file is read as it is meant, and what is wrong in it is said without a secret."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from fixtures.core.project import ROOT
from fixtures.targets.client import RawResponse, TargetClient, Unreachable
from fixtures.targets.config import TargetError, describe_deployments, read_targets_file, resolve_deployments
from suites.selfcheck.http_double import serve_answers

pytestmark = pytest.mark.aside

EXAMPLE = ROOT / "ci" / "targets.example.toml"
SERVICE = "[environments.e.services.subscribers-errors]\n"
URL = 'url = "http://127.0.0.1:1"\n'
CANARY = "c4naryAbcdefghijklmnopqrstuvwxyz0123456789"


def test_the_example_is_one() -> None:
    staging, denied = read_targets_file(EXAMPLE, "staging")
    assert set(staging) == {"directory-events-api", "directory-responses", "subscribers-errors"}
    assert denied.hosts == ("push.example.com", "*.prod.example.com", "10.20.0.0/16")
    assert staging["subscribers-errors"].limits.requests_per_second == 50
    assert staging["subscribers-errors"].environment_limits.requests == 100_000
    for other in ("local", "by-requests", "by-sql"):
        assert list(resolve_deployments([], str(EXAMPLE), other, [])) == ["subscribers-errors"]


def test_what_will_be_touched_is_told() -> None:
    text = "\n".join(describe_deployments(resolve_deployments([], str(EXAMPLE), "staging", ["staging"])))
    for word in (
        "https://staging.example/subscribers-errors",
        "50 a second",
        "100000 requests",
        "push.example.com",
    ):
        assert word in text
    assert describe_deployments({}) == []
    text = "\n".join(describe_deployments(resolve_deployments([], str(EXAMPLE), "by-requests", [])))
    assert "made by PUT /users/{subscriber_id} at http://127.0.0.1:9000" in text
    assert "made by the database in STAGING_DATABASE" in "\n".join(
        describe_deployments(resolve_deployments([], str(EXAMPLE), "by-sql", []))
    )


def test_the_command_line_goes_over_the_file_but_not_over_its_deny_list(tmp_path: Path) -> None:
    file = written(tmp_path, 'deny = ["127.0.0.2"]\n' + SERVICE + URL)
    mixed = resolve_deployments(
        ["subscribers-errors=http://127.0.0.1:2", "directory-responses=http://[::1]:3"], str(file), None, []
    )
    assert {name: one.url for name, one in mixed.items()} == {
        "subscribers-errors": "http://127.0.0.1:2",
        "directory-responses": "http://[::1]:3",
    }
    with pytest.raises(TargetError, match="denied-target"):
        resolve_deployments(["directory-responses=http://127.0.0.2"], str(file), None, ["127.0.0.2"])


WRONG: Mapping[str, tuple[str, str]] = {
    "no TOML": ("[", "bad-targets-file"),
    "no environment": ("", "bad-targets-file"),
    "a member that nobody knows": (SERVICE + URL + "retries = 3", "bad-targets-file"),
    "no URL": (SERVICE + 'version = "1"', "bad-targets-file"),
    "a URL that is none": (SERVICE + 'url = "http://:80"', "bad-target-url"),
    "a service that nobody knows": (SERVICE.replace("subscribers", "subscriber") + URL, "unknown-service"),
    "two ways to say who asks": (
        SERVICE + URL + 'bearer_env="A_B"\nbearer_command=["a"]',
        "bad-targets-file",
    ),
    "a key without its certificate": (SERVICE + URL + 'client_key = "k"', "bad-targets-file"),
    "a file that is not there": (SERVICE + URL + 'ca_bundle = "none.pem"', "no-such-file"),
    "a queue where there is none": (SERVICE + URL + 'queue = "http://127.0.0.1/0/q"', "no-queue-there"),
    "a host to deny that is a URL": ('deny = ["https://a.example"]\n' + SERVICE + URL, "bad-targets-file"),
    "a host to deny that is none": ('deny = ["a..b"]\n' + SERVICE + URL, "bad-deny"),
}


@pytest.mark.parametrize(("text", "slug"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, slug: str) -> None:
    with pytest.raises(TargetError, match=f"^{slug}: "):
        resolve_deployments([], str(written(tmp_path, text)), None, [])


def test_the_nearest_environment_is_proposed() -> None:
    with pytest.raises(TargetError, match=r"(?s)unknown-environment: 'stagin'.*--environment staging"):
        read_targets_file(EXAMPLE, "stagin")
    with pytest.raises(TargetError, match="unknown-environment: 'None'"):
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
    with pytest.raises(
        TargetError, match=r"^secret-in-targets: 'environments.e.services.subscribers-errors"
    ) as told_so:
        resolve_deployments([], str(written(tmp_path, text)), None, ["e"])
    assert CANARY not in str(told_so.value)


# --- who asks


def test_a_deployment_is_told_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        headers = asked_with(tmp_path, row + '\nheaders_env = {X-Api-Key = "MINE_TOKEN"}')
        assert headers["authorization"].startswith(authorization)
        assert headers["x-api-key"] == "abc"
    assert "SignedHeaders=content-type;host;x-amz-date" in headers["authorization"]


def test_who_cannot_say_who_asks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_TOKEN", "ä")
    command = f'bearer_command = ["{sys.executable}", "-c", "print(12); raise SystemExit(3)"]'
    for row, slug in {
        'bearer_env = "NOBODY_SET_THIS"': "no-secret: 'NOBODY_SET_THIS'",
        'bearer_env = "MINE_TOKEN"': "bad-secret: 'MINE_TOKEN'",
        command: r"bearer-command-failed: .* ended with 3",
        'bearer_command = ["no-such-command"]': "bearer-command-failed: 'no-such-command'",
    }.items():
        with pytest.raises(TargetError, match=slug):
            asked_with(tmp_path, row)


def test_both_sides_show_their_certificates(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.cert_pem.write_to_path(tmp_path / "other.pem")
    authority.issue_cert("me.example").private_key_and_cert_chain_pem.write_to_path(tmp_path / "me.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(tls)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with serve_answers(tls=tls) as somebody:
        assert through(tmp_path, somebody.url, 'ca_bundle = "ca.pem"\nclient_certificate = "me.pem"').certificate_expires
        for row, problem in {
            'ca_bundle = "other.pem"\nclient_certificate = "me.pem"': "CERTIFICATE_VERIFY_FAILED",
            'client_certificate = "me.pem"': "CERTIFICATE_VERIFY_FAILED",
            'ca_bundle = "ca.pem"': "unreachable-target",
        }.items():
            with pytest.raises(Unreachable, match=f"(?s){problem}"):
                through(tmp_path, somebody.url, row)
    assert len(somebody.requests) == 1


def asked_with(folder: Path, row: str) -> Mapping[str, str]:
    """The headers that a deployment sees."""
    with serve_answers() as somebody:
        through(folder, somebody.url, row)
    return somebody.requests[0][2]


def through(folder: Path, url: str, row: str) -> RawResponse:
    """One request to a deployment as a targets file says."""
    file = written(folder, f'{SERVICE}url = "{url}"\n{row}')
    door = TargetClient(resolve_deployments([], str(file), None, [])["subscribers-errors"])
    try:
        return door.send("POST", "/v1/errors", b"{}", {"Content-Type": "application/json"})
    finally:
        door.close()


def written(folder: Path, text: str) -> Path:
    """A targets file."""
    file = folder / "targets.toml"
    file.write_text(text, encoding="utf-8")
    return file
