"""A wrong edit of the catalogue is refused by name, and a right one changes only what it says."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core import catalogue as catalogues
from fixtures.core import schemas
from fixtures.core.catalogue import CATALOGUE_FILE, CatalogueError, load_catalogue
from suites.selfcheck.sample_answers import fcm_error_detail, legacy_answer, v1_answer

CASES = load_catalogue().cases

Change = Callable[[dict[str, Any]], None]


def find_row(data: Mapping[str, Any], case_id: str) -> dict[str, Any]:
    """A case of the file, to change in place."""
    return next(case for case in data["cases"] if case["id"] == case_id)


def change_case(case_id: str, **members: Any) -> Change:
    return lambda data: find_row(data, case_id).update(members)


def replace_all_cases(case_id: str, **members: Any) -> Change:
    """A catalogue of one changed case: an invalid one is refused quickly."""

    def change(data: dict[str, Any]) -> None:
        data["cases"] = [{**find_row(data, case_id), **members}]

    return change


def move_to_end(case_id: str) -> Change:
    return lambda data: data["cases"].append(data["cases"].pop(data["cases"].index(find_row(data, case_id))))


def repeat_id(data: dict[str, Any]) -> None:
    data["cases"].append({**data["cases"][-1], "id": "legacy-NotRegistered"})


def remove_id(data: dict[str, Any]) -> None:
    data["cases"] = data["cases"][:1]
    del data["cases"][0]["id"]


def read_unknown_source(data: dict[str, Any]) -> None:
    data["cases"] = data["cases"][:1]
    data["waits"]["back-off"]["reads"].append("the stars")


WRONG: dict[str, tuple[Change, str, str, str]] = {
    "remote reference": (
        replace_all_cases("legacy-NotRegistered", match={"allOf": [{"$ref": "http://127.0.0.1:9/x.json"}]}),
        "foreign-reference",
        "legacy-NotRegistered",
        "it refers to 'http://127.0.0.1:9/x.json', which is never fetched; allowed: a file of schemas/",
    ),
    "twin id": (repeat_id, "catalogue-twin", "legacy-NotRegistered", "two cases have this id"),
    "unknown wait": (
        change_case("v1-INTERNAL", wait="for ever"),
        "catalogue-unknown-wait",
        "v1-INTERNAL",
        "wait 'for ever'; there are: back-off",
    ),
    "unmatchable case": (
        change_case("v1-INTERNAL", match={"allOf": [{"type": "object"}, {"type": "string"}]}),
        "catalogue-unmatchable-case",
        "v1-INTERNAL",
        "no value satisfies its match",
    ),
    "impossible status": (
        change_case(
            "legacy-text-429",
            match={
                "type": "object",
                "required": ["http_status"],
                "properties": {"http_status": {"enum": [1], "minimum": 2}},
            },
        ),
        "catalogue-unmatchable-case",
        "legacy-text-429",
        "no value satisfies its match",
    ),
    "example that does not match": (
        change_case("legacy-text-404", example={"http_status": 403, "retry_after": None, "response": ""}),
        "catalogue-unmatched-example",
        "legacy-text-404",
        "does not satisfy its match",
    ),
    "impossible example": (
        change_case("v1-bare-other", example={"http_status": 102, "retry_after": None, "response": {}}),
        "catalogue-impossible-example",
        "v1-bare-other",
        "neither documented nor plausible",
    ),
    "hidden case": (
        move_to_end("v1-bare-404"),
        "catalogue-hidden-case",
        "v1-bare-404",
        "the earlier case 'v1-bare-other' matches every report",
    ),
    "hidden example": (
        change_case(
            "legacy-text-404",
            match={"properties": {"http_status": {"minimum": 403}}},
            example={"http_status": 403, "retry_after": None, "response": "x"},
        ),
        "catalogue-hidden-example",
        "legacy-text-404",
        "the earlier case 'legacy-text-403' decides its example",
    ),
    "unknown equivalent": (
        change_case("v1-UNREGISTERED", legacy_equivalent=["legacy-NotThere"]),
        "catalogue-unknown-equivalent",
        "v1-UNREGISTERED",
        "'legacy-NotThere' is no legacy case; there are: legacy-NotRegistered, ",
    ),
    "equivalent of its own protocol": (
        change_case("v1-UNREGISTERED", legacy_equivalent=["v1-delivered"]),
        "catalogue-unknown-equivalent",
        "v1-UNREGISTERED",
        "'v1-delivered' is no legacy case",
    ),
    "unequal equivalents": (
        change_case("legacy-NotRegistered", outcome="alert"),
        "catalogue-unequal-equivalents",
        "v1-UNREGISTERED",
        "its outcome is unsubscribe, but its legacy equivalent legacy-NotRegistered has alert",
    ),
    "postpone without wait": (
        replace_all_cases("v1-INTERNAL", wait=None),
        "catalogue-invalid",
        "v1-INTERNAL",
        "/wait",
    ),
    "wait without postpone": (
        replace_all_cases("v1-UNREGISTERED", wait="back-off"),
        "catalogue-invalid",
        "v1-UNREGISTERED",
        "/wait",
    ),
    "unknown member": (
        replace_all_cases("v1-INTERNAL", whyy="x"),
        "catalogue-invalid",
        "v1-INTERNAL",
        "whyy",
    ),
    "unknown outcome": (
        replace_all_cases("v1-INTERNAL", outcome="postpon"),
        "catalogue-invalid",
        "v1-INTERNAL",
        '"postpon" is not one of',
    ),
    "no id": (remove_id, "catalogue-invalid", "0", '"id" is a required'),
    "match that is no schema": (
        replace_all_cases("v1-INTERNAL", match={"type": "strnig"}),
        "catalogue-invalid",
        "v1-INTERNAL",
        "match",
    ),
    "no cases": (lambda data: data["cases"].clear(), "catalogue-invalid", "-", "/cases"),
    "unknown wait source": (read_unknown_source, "catalogue-invalid", "-", '"the stars"'),
}


def write_edited(tmp_path: Path, change: Change) -> Path:
    data = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    change(data)
    file = tmp_path / CATALOGUE_FILE.name
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


@pytest.mark.parametrize(("change", "slug", "case", "problem"), WRONG.values(), ids=WRONG)
def test_a_wrong_catalogue_is_refused(
    tmp_path: Path, change: Change, slug: str, case: str, problem: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        catalogues.load_catalogue(write_edited(tmp_path, change))
    assert (caught.value.slug, caught.value.value) == (slug, f"case {case!r}")
    message = str(caught.value)
    assert message.startswith(f"{slug}: case {case!r}: ")
    assert problem in message
    assert "\n  next: mend schemas/response-codes.json, then run ./ci/test suites/selfcheck" in message


CUT_OFF = "v1-cut-off"


def change_rule(rule_id: str, **members: Any) -> Change:
    return lambda data: next(row for row in data["unspecified"] if row["id"] == rule_id).update(members)


def repeat_rule(data: dict[str, Any]) -> None:
    data["unspecified"].append({**data["unspecified"][-1], "id": "v1-repeated"})


WRONG_RULES: dict[str, tuple[Change, str, str, str]] = {
    "matches a documented answer": (
        change_rule(CUT_OFF, match={"properties": {"response": {"type": "string"}}}),
        "unspecified-documented",
        CUT_OFF,
        "it can match a documented answer, 'page of a retired endpoint at 404'",
    ),
    "no outcome": (change_rule(CUT_OFF, outcomes=[]), "unspecified-without-outcome", CUT_OFF, "alert"),
    "unmatchable": (change_rule(CUT_OFF, match={"not": {}}), "unspecified-unmatchable", CUT_OFF, "no value"),
    "unmatched example": (
        change_rule(CUT_OFF, example={"http_status": 404, "retry_after": None, "response": "<"}),
        "unspecified-unmatched-example",
        CUT_OFF,
        "its example does not satisfy its match",
    ),
    "hidden": (repeat_rule, "unspecified-hidden-rule", "v1-repeated", "the earlier rule"),
    "no why": (change_rule(CUT_OFF, why=""), "catalogue-invalid", CUT_OFF, "why"),
}


@pytest.mark.parametrize(("change", "slug", "rule", "problem"), WRONG_RULES.values(), ids=WRONG_RULES)
def test_a_wrong_rule_for_unspecified_answers_is_refused(
    tmp_path: Path, change: Change, slug: str, rule: str, problem: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        catalogues.load_catalogue(write_edited(tmp_path, change))
    assert (caught.value.slug, caught.value.value) == (slug, f"rule {rule!r}")
    assert problem in str(caught.value)
    assert "\n  next: mend schemas/response-codes.json" in str(caught.value)


@pytest.mark.parametrize("text", ["{", "", "\ufeff{}"], ids=["truncated", "nothing", "byte order mark"])
def test_an_unreadable_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / CATALOGUE_FILE.name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(schemas.SchemaError, match=r"schema-unreadable: response-codes.json: not JSON"):
        catalogues.load_catalogue(file)


def test_a_policy_is_an_edit_of_the_catalogue_and_nothing_else(tmp_path: Path) -> None:
    def unsubscribe_strangers(data: dict[str, Any]) -> None:
        for name in ("v1-SENDER_ID_MISMATCH", "legacy-MismatchSenderId"):
            find_row(data, name)["outcome"] = "unsubscribe"

    policy = catalogues.load_catalogue(write_edited(tmp_path, unsubscribe_strangers))
    mismatch = v1_answer(403, status="PERMISSION_DENIED", details=[fcm_error_detail("SENDER_ID_MISMATCH")])
    for answer in (mismatch, legacy_answer({"error": "MismatchSenderId"})):
        before, after = load_catalogue().decide(answer), policy.decide(answer)
        assert before is not None
        assert after is not None
        assert (before.id, before.outcome, after.outcome) == (after.id, "alert", "unsubscribe")
    other_outcomes = [
        case.outcome for case in CASES if case.id not in ("v1-SENDER_ID_MISMATCH", "legacy-MismatchSenderId")
    ]
    assert other_outcomes == [
        policy[case.id].outcome for case in CASES if policy[case.id].outcome == case.outcome
    ]


def test_half_a_policy_is_refused(tmp_path: Path) -> None:
    half = change_case("v1-SENDER_ID_MISMATCH", outcome="unsubscribe")
    with pytest.raises(CatalogueError, match="catalogue-unequal-equivalents: case 'v1-SENDER_ID_MISMATCH'"):
        catalogues.load_catalogue(write_edited(tmp_path, half))
