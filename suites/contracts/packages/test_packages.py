"""The suites find in real push packages what docs/packages.md says, and nothing else."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.core.findings import Finding
from fixtures.core.project import ROOT
from fixtures.results.ledger import read_ledger
from fixtures.scenarios.provider import ProviderScenario
from fixtures.targets.deployed import connect_target
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.selection import resolve_deployments

pytestmark = pytest.mark.process

HERE = Path(__file__).resolve().parent
TARGETS = HERE / "targets.toml"
SERVICE = "subscribers-errors"
# What the package does with a case that breaks a promise, by environment of the targets file.
EXPECTED: Mapping[str, Mapping[str, str]] = json.loads(
    (HERE / "expected_findings.json").read_text(encoding="utf-8")
)
CASE_TESTS = (
    f"{SERVICE} and (test_new_codes_do_not_break or test_old_codes or test_unknown_codes) and not near_misses"
)


def judge(environment: str, batches: Iterable[Sequence[Case]], folder: Path) -> dict[str | None, str]:
    """What the package does wrong, by case, with the examples of these cases. Each batch comes at once."""
    deployment = resolve_deployments([], str(TARGETS), environment, [])[SERVICE]
    limiter, inventory = RateLimiter(folder / "spent"), Inventory(folder / INVENTORY_FILE)
    findings: list[Finding] = []
    with contextlib.closing(connect_target(deployment, limiter, inventory)) as target:
        scenario = ProviderScenario(target, lambda _answer: [])
        for batch in batches:
            if entries := scenario.entries(example_report(case) for case in batch):
                findings += scenario.deliver_to_new_subscribers(entries)[1]
    return {
        row.case: row.title.removesuffix(f" after {row.case}") for row in findings if row.rank == "promise"
    }


@pytest.mark.nightly
@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("environment", EXPECTED)
def test_the_examples_of_all_cases(environment: str, tmp_path: Path) -> None:
    batches = [[case] for case in load_catalogue().cases]
    assert judge(environment, batches, tmp_path) == EXPECTED[environment]


@pytest.mark.nightly
@pytest.mark.usefixtures("packages")
def test_python_gcm_loses_the_other_results_of_a_multicast_when_it_sends_again(tmp_path: Path) -> None:
    catalogue = load_catalogue()
    multicast = [catalogue["legacy-NotRegistered"], catalogue["legacy-Unavailable"]]
    assert judge("python-gcm", [multicast], tmp_path) == {
        "legacy-NotRegistered": "leaves the subscriber active"
    }


@pytest.mark.nightly
@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("environment", EXPECTED)
def test_the_suites(environment: str, tmp_path: Path) -> None:
    ledger_file = tmp_path / "ledger.jsonl"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "suites/compat",
        "-q",
        "-k",
        CASE_TESTS,
        "--seed=0",
        "--examples=1",
    ]
    options = [f"--targets={TARGETS}", f"--environment={environment}", f"--ledger={ledger_file}"]
    result = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    rows = read_ledger(ledger_file).tests
    assert {row["result"] for row in rows} == {"passed", "failed", "not-judged"}, result.stdout[-2000:]
    failed_cases = {finding["case"] for row in rows for finding in row.get("findings", ())}
    assert failed_cases == set(EXPECTED[environment])


def test_the_page_shows_all_findings() -> None:
    page = (ROOT / "docs" / "packages.md").read_text(encoding="utf-8")
    sections = {text.split("`")[1]: text for text in page.split("\n## ")[1:]}
    assert sections.keys() == EXPECTED.keys()
    for environment, section in sections.items():
        rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
        listed = {case: row[2].strip() for row in rows for case in row[1].replace("`", "").split()}
        assert {case: f"leaves the subscriber {state}" for case, state in listed.items()} == EXPECTED[
            environment
        ]
        lines = len(
            (HERE / section.split("(../suites/contracts/packages/")[1].split(")")[0]).read_text().splitlines()
        )
        assert f"{lines} lines" in section
        assert lines <= 40
