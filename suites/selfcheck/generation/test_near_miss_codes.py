"""Unknown codes are drawn near the known ones, misspelled in every way."""

import pytest

from fixtures.core.catalogue import Case, load_catalogue
from fixtures.generation.value_pools import near_misses
from suites.selfcheck.generation.edge_cases import readable_codes
from suites.selfcheck.sample_answers import draw_answers

CASES = load_catalogue().cases
UNKNOWN_CODES = [case for case in CASES if not case.known and case.id.endswith("unknown-code")]
# One run repeats itself too often to misspell in every way: unknown codes are drawn in short batches.
SEEDS = 24


def misspell(codes: list[str]) -> dict[str, set[str]]:
    """The words misspelled in each of several ways."""
    return {
        "another case": {word.lower() for word in codes} | {word.swapcase() for word in codes},
        "a letter less": {word[:-1] for word in codes},
        "a letter more": {f"{word}S" for word in codes},
        "a space before": {f" {word}" for word in codes},
        "a line end": {f"{word}\n" for word in codes},
        "letters that look alike": {word.replace("e", "е").replace("E", "Е") for word in codes},  # noqa: RUF001
    }


@pytest.mark.parametrize("case", UNKNOWN_CODES, ids=lambda case: case.id)
def test_unknown_codes_are_near_misses(case: Case) -> None:
    known_codes = [other.code for other in CASES if other.known and other.protocol == case.protocol]
    other_codes = [other.code for other in CASES if other.known and other.protocol != case.protocol]
    drawn_codes: set[str] = set()
    for run_seed in range(SEEDS):
        for answer in draw_answers(case, run_seed=run_seed, batches=15):
            error = answer["response"]["error"]
            drawn_codes |= readable_codes(error) if case.protocol == "fcm_v1" else {str(error)}
    missing = [name for name, misses in misspell(known_codes).items() if not misses & drawn_codes]
    assert not missing
    assert set(other_codes) & drawn_codes, "no code of the other protocol"
    assert not set(known_codes) & drawn_codes - {"OK"}


def test_a_near_miss_is_another_word() -> None:
    for case in CASES:
        assert case.code not in near_misses(case.code)
