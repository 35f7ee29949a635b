"""Whoever reads a ledger, a verdict or a report learns where a target is, and no password of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from fixtures.core.topology import PROVIDERS
from fixtures.core.urls import shown
from fixtures.targets.target import Target
from suites.plugins.ledger import reproduction

pytestmark = pytest.mark.aside

SECRET = "https://robot:s3cret@staging.example:8443/errors"  # noqa: S105  a made-up one
SAFE = "https://***@staging.example:8443/errors"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (SECRET, SAFE),
        ("https://token@staging.example", "https://***@staging.example"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
    ],
    ids=["user and password", "token", "neither"],
)
def test_a_url_is_shown_without_its_secret(url: str, told: str) -> None:
    assert shown(url) == told


def test_neither_the_description_nor_the_command_tells_a_password() -> None:
    target = Target(PROVIDERS["subscribers-errors"], "1.0", SECRET, embedded=False)
    assert target.describe() == {"version": "1.0", "target": SAFE}
    options = SimpleNamespace(
        seed=1, examples=2, target=[f"subscribers-errors={SECRET}"], replay=[], variant=""
    )
    told = reproduction("suites/x.py::y", cast("Any", SimpleNamespace(option=options, stash={})))
    assert "s3cret" not in told
    assert f"subscribers-errors={SAFE}" in told
