"""What the suite finds of a seeded fault holds back the step with which its harm begins, at each service."""

from collections.abc import Mapping

import pytest

from ci.scoring.fault_runs import COMPAT, run_tests
from fixtures.core.catalogue import load_catalogue
from fixtures.core.run_config import RunConfig
from fixtures.core.topology import FLOW
from fixtures.faults import find_fault
from fixtures.release.order import analysis, release_file, service_probe
from fixtures.release.order.analysis import Analysis
from fixtures.release.order.orders import is_safe
from fixtures.results.report.impact import group_findings
from fixtures.results.report.plan_harm import PlanHarm
from suites.selfcheck.by_day import mark_nightly

pytestmark = pytest.mark.process

# A fault of each service that harms legacy traffic, and one that harms reports of FCM v1, with the step that
# must be held back. It is None where the version before the release does the harm. What names no case may
# harm both: so do events in trouble, and records, which wait in the container for either sender.
HELD: Mapping[str, str | None] = {
    "record-without-legacy": "directory-messages",
    "v1-part-without-data": "directory-messages",
    "first-results-repeated": None,
    "v1-report-without-protocol": "go-sender",
    "proxy-drops-nulls": "events-proxy",
    "proxy-copies-ten-members": "events-proxy",  # it drops new members of a legacy report, too
    "unknown-code-delivered": "directory-events-api",
    "v1-read-as-legacy": "go-sender",
    "legacy-403-unsubscribes": "directory-responses",
    "any-failure-unsubscribes": "go-sender",
    "listener-drops-the-code": "directory-errors-listener",
    "listener-wants-a-word": "directory-errors-listener",
    "not-registered-ignored": "subscribers-errors",
    "code-read-from-status": "go-sender",
    "nobody-is-ever-due": "subscribers-postponed",
    "new-reasons-refused": "go-sender",
}
QUICK = "v1-part-without-data"


def analyse_references() -> Analysis:
    release = release_file.read_release()
    pairs = service_probe.judge_reference_pairs(release, load_catalogue())
    return analysis.analyse_release(release, pairs, None)


def test_each_service_has_two_faults() -> None:
    assert sorted(find_fault(name).service for name in HELD) == sorted([*FLOW, *FLOW])


@pytest.mark.parametrize("name", mark_nightly(HELD, [QUICK]))
def test_the_step_that_brings_the_harm_is_held_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = find_fault(name)
    selection = [COMPAT, "-m", "not process and not nightly", "-k", f"{fault.service} and not all-"]
    result = run_tests(selection, RunConfig(variant=name, examples=1, shrink_tries=20, shrink_seconds=1))
    assert result.findings
    assert not result.broken
    answer = analysis.build_answer(analyse_references())
    promises = [finding for finding in result.findings if finding["rank"] == "promise"]
    harm = PlanHarm.from_findings(group_findings(promises), answer)
    assert (harm.steps[0].name if harm.steps else None) == HELD[name]
    assert bool(harm.present) == (HELD[name] is None)
    monkeypatch.setattr(service_probe, "load", fault.load)
    assert harm.safe_meanwhile is not None
    assert is_safe(analyse_references().space, harm.safe_meanwhile)
