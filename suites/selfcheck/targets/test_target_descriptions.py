"""A ledger, a verdict and a report state the address of a target, but no password in it."""

import pytest

from fixtures.core.run_config import RunConfig
from fixtures.core.topology import PROVIDERS
from fixtures.core.urls import redact_url
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import prepare_target
from fixtures.targets.rate_limit import RateLimiter

SECRET = "https://robot:s3cret@staging.example:8443/errors"  # noqa: S105  a made-up one
SAFE = "https://***@staging.example:8443/errors"


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        (SECRET, SAFE),
        ("https://token@staging.example", "https://***@staging.example"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
    ],
    ids=["user and password", "token", "neither"],
)
def test_a_url_is_shown_without_its_secret(url: str, redacted: str) -> None:
    assert redact_url(url) == redacted


def test_neither_the_description_nor_the_command_contains_a_password() -> None:
    deployment = Deployment("subscribers-errors", SECRET)
    target = prepare_target(deployment, RateLimiter(), PROVIDERS[deployment.name])
    assert target.describe() == {"version": "unstated", "target": SAFE}
    target.close()
    run = RunConfig(seed=1, examples=2, target=(f"subscribers-errors={SECRET}",))
    command = run.reproduce("suites/x.py::y")
    assert "s3cret" not in command
    assert f"subscribers-errors={SAFE}" in command
