"""Codes that nobody knows are drawn near those that are known, misspelled in every way."""

from __future__ import annotations

import pytest

from fixtures.core.catalogue import Case, load_catalogue
from fixtures.generation.value_pools import near_misses
from suites.selfcheck.generation.edge_cases import codes
from suites.selfcheck.sample_answers import draw_answers

pytestmark = pytest.mark.aside

CASES = load_catalogue().cases
UNKNOWN_CODES = [case for case in CASES if not case.known and case.id.endswith("unknown-code")]
SEEDS = {"legacy": 8, "fcm_v1": 4}
"""One run repeats itself too much to misspell every way, and a legacy `error` is often no string at all."""


def near(words: list[str]) -> dict[str, set[str]]:
    """Per way of misspelling, what becomes of known words."""
    return {
        "another case": {word.lower() for word in words} | {word.swapcase() for word in words},
        "a letter less": {word[:-1] for word in words},
        "a letter more": {f"{word}S" for word in words},
        "a space before": {f" {word}" for word in words},
        "a line end": {f"{word}\n" for word in words},
        "letters that look alike": {word.replace("e", "е").replace("E", "Е") for word in words},  # noqa: RUF001
    }


@pytest.mark.parametrize("case", UNKNOWN_CODES, ids=lambda case: case.id)
def test_unknown_codes_are_near_misses(case: Case) -> None:
    known = [other.code for other in CASES if other.known and other.protocol == case.protocol]
    others = [other.code for other in CASES if other.known and other.protocol != case.protocol]
    said: set[str] = set()
    for run_seed in range(SEEDS[case.protocol]):
        for answer in draw_answers(case, run_seed=run_seed, batches=15):
            error = answer["response"]["error"]
            said |= codes(error) if case.protocol == "fcm_v1" else {str(error)}
    missed = [name for name, misses in near(known).items() if not misses & said]
    assert not missed
    assert set(others) & said, "no word of the other protocol"
    assert not set(known) & said - {"OK"}


def test_near_misses_are_no_hits() -> None:
    for case in CASES:
        assert case.code not in near_misses(case.code)
