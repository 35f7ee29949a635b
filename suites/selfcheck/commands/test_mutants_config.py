"""The configuration of ./ci/mutants names existing modules and tests, and a reason for each survivor."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import Any

import pytest

from fixtures.core.project import ROOT

pytestmark = pytest.mark.aside

CONFIG: dict[str, Any] = tomllib.loads(
    (ROOT / "ci" / "mutation" / "mutants.toml").read_text(encoding="utf-8")
)
REQUIRED_MODULES = ("fixtures/services/*/after.py", "fixtures/services/fcm*.py", "fixtures/checks/*.py")


def test_every_module_and_every_test_exists() -> None:
    names = [*CONFIG["modules"], *(part for tests in CONFIG["killers"].values() for part in tests)]
    assert [
        name for name in names if name.startswith(("fixtures/", "suites/")) and not (ROOT / name).is_file()
    ] == []


def test_every_killer_is_known_and_used() -> None:
    assert {module["killer"] for module in CONFIG["modules"].values()} == set(CONFIG["killers"])


def test_no_service_and_no_check_is_left_out() -> None:
    modules = {
        path.relative_to(ROOT).as_posix() for pattern in REQUIRED_MODULES for path in ROOT.glob(pattern)
    }
    assert {name for name in modules if not name.endswith("__init__.py")} <= set(CONFIG["modules"])


def test_every_equivalent_is_of_a_module_and_has_its_reason() -> None:
    for row in CONFIG.get("equivalent", ()):
        assert set(row) == {"module", "was", "becomes", "why"}, row
        assert row["module"] in CONFIG["modules"], row
        assert len(row["why"].split()) > 2, row
        source = (ROOT / row["module"]).read_text(encoding="utf-8")
        assert row["was"] in " ".join(map(str.strip, source.splitlines())), (
            f"this line does not exist any more: {row}"
        )


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        pytest.param(
            ["--module", "fixtures/nothing.py"], "unknown-module: fixtures/nothing.py", id="no module"
        ),
        pytest.param(["--sample", "0"], "bad-sample: 0", id="empty sample"),
        pytest.param(["-n", "0"], "bad-workers: 0", id="no process"),
        pytest.param(["--sample", "x"], "usage: ", id="no number"),
    ],
)
def test_wrong_usage_exits_64_and_says_what_is_allowed(arguments: list[str], slug: str) -> None:
    command = [sys.executable, "-m", "ci.commands.mutants", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert result.returncode == 64
    assert slug in result.stderr
    assert "next: ./ci/mutants" in result.stderr
