"""Findings with one cause are one line and one page, however many answers show it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.findings import Finding
from fixtures.results.report.causes import Cause, find_causes
from fixtures.results.report.impact import group_findings

SERVICE = "subscribers-errors"
CATALOGUE = load_catalogue()
LIVE_CASES = [case.id for case in CATALOGUE.cases if case.outcome != "unsubscribe"]


def find_wrong(
    case: str,
    change: Mapping[str, Any] | None = None,
    provider: str = SERVICE,
    rule: str = "effects.subscriber",
) -> dict[str, Any]:
    """A finding: a service unsubscribes a live user at the documented answer of a case, or a changed one."""
    report = {**example_report(CATALOGUE[case]), **(change or {})}
    return Finding(
        rule=rule,
        provider=provider,
        case=case,
        title=f"unsubscribes after {case}",
        sent=[report],
        expected="x",
        got={"status": "unsubscribed"},
    ).to_json()


def explain(*findings: dict[str, Any]) -> tuple[Cause, ...]:
    """The causes, if all cases without a finding pass."""
    failed_cases = {finding["case"] for finding in findings if finding["provider"] == SERVICE}
    states = {case.id: "failed" if case.id in failed_cases else "passed" for case in CATALOGUE.cases}
    return find_causes(group_findings(findings), {SERVICE: states}, CATALOGUE)


def list_cases_with(status: int) -> list[str]:
    return [case for case in LIVE_CASES if CATALOGUE[case].example["http_status"] == status]


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_one_wrong_rule_about_a_status_is_one_cause(status: int) -> None:
    documented = [find_wrong(case) for case in list_cases_with(status)]
    other_cases = [case for case in ("v1-UNAVAILABLE", "v1-INTERNAL") if case not in list_cases_with(status)]
    drawn_findings = [find_wrong(case, {"http_status": status}) for case in other_cases]
    (cause,) = explain(*documented, *drawn_findings)
    assert cause.title == f"{SERVICE}: unsubscribes live users on every HTTP status {status}"
    assert cause.extent == f"{len(documented + drawn_findings)} kinds of answers"
    assert cause.kinds[0].smallest["answer_class"] == "documented"


def test_one_wrong_rule_about_a_code_is_one_cause() -> None:
    cases = ["v1-UNAVAILABLE", "v1-QUOTA_EXCEEDED"]
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "ODD"}
    bodies = [
        {"http_status": status, "response": {"error": {"code": status, "status": word, "details": [detail]}}}
        for status, word in ((400, "ONE"), (503, "TWO"))
    ]
    (cause,) = explain(*map(find_wrong, cases, bodies))
    assert cause.title == f"{SERVICE}: unsubscribes live users on every error code ODD"


def test_two_wrong_rules_are_two_causes_the_greater_one_first() -> None:
    findings = [find_wrong(case) for case in (*list_cases_with(429), *list_cases_with(404))]
    causes = explain(*findings)
    assert [len(cause.kinds) for cause in causes] == sorted((len(c.kinds) for c in causes), reverse=True)
    assert {str(cause.feature) for cause in causes} == {"HTTP status 404", "HTTP status 429"}


def test_one_case_that_shows_two_things_is_not_every_answer_like_it() -> None:
    finding = find_wrong("legacy-Unavailable")
    (cause,) = explain(finding, {**finding, "title": "does it again at legacy-Unavailable"})
    assert cause.describe() == f"{SERVICE}: unsubscribes live users on legacy-Unavailable"


def test_a_feature_that_as_many_right_answers_have_explains_nothing() -> None:
    findings = [find_wrong(case) for case in ("legacy-text-5xx", "v1-UNAVAILABLE")]
    assert len(list_cases_with(503)) == 2 * len(findings)
    assert [cause.feature for cause in explain(*findings)] == [None] * len(findings)


def test_a_feature_is_shared_by_all_cases_of_a_title() -> None:
    findings = [find_wrong(case) for case in ("v1-UNAVAILABLE", "v1-SENDER_ID_MISMATCH")]
    titled = [{**finding, "title": title} for finding in findings for title in ("one", "another")]
    assert [cause.feature for cause in explain(*titled)] == [None, None]


def test_a_single_finding_keeps_its_own_title() -> None:
    (cause,) = explain(find_wrong("v1-UNAVAILABLE"))
    assert cause.title == f"{SERVICE}: unsubscribes after v1-UNAVAILABLE"
    assert not cause.extent


def test_a_feature_that_right_answers_have_explains_little() -> None:
    """Not "every answer of FCM v1": most of these are handled rightly."""
    causes = explain(*map(find_wrong, ("v1-UNAVAILABLE", "v1-INTERNAL", "v1-QUOTA_EXCEEDED")))
    assert all("FCM v1" not in cause.title for cause in causes)


def test_what_a_service_shows_alone_explains_the_same_end_to_end() -> None:
    case, *other_cases = list_cases_with(404)
    mixed = find_wrong(case, provider="all-after-v1", rule="chain.subscriber")
    unexplained = find_wrong("v1-INTERNAL", provider="mixed", rule="chain.subscriber")
    causes = explain(*map(find_wrong, (case, *other_cases)), mixed, unexplained)
    assert [cause.provider for cause in causes] == [SERVICE, "mixed"]
    assert causes[0].extent.endswith("and 1 end to end")


def test_services_are_blamed_apart() -> None:
    findings = [find_wrong(case, provider=name) for case in list_cases_with(404)
                for name in (SERVICE, "directory-responses")]  # fmt: skip
    assert Counter(cause.provider for cause in explain(*findings)) == {SERVICE: 1, "directory-responses": 1}


def test_every_kind_has_one_cause() -> None:
    findings = [find_wrong(case, provider=name) for case in LIVE_CASES
                for name in (SERVICE, "mixed", "all-after-v1")]  # fmt: skip
    kinds = group_findings(findings)
    causes = explain(*findings)
    slugs = Counter(kind.slug for cause in causes for kind in (*cause.kinds, *cause.end_to_end))
    assert slugs == Counter(kind.slug for kind in kinds)
    assert len(causes) < len(kinds) / 4
