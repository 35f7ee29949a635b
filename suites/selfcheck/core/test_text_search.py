"""A search for many words follows the rules of patterns in schemas."""

import pytest

from fixtures.core.text_search import compile_search


def test_a_pattern_spans_lines_if_it_says_so() -> None:
    assert compile_search(r"fcm[\s\S]{0,9}error")("fcm\r\n  error")
    assert not compile_search(r"fcm.{0,9}error")("fcm\r\n  error")


@pytest.mark.parametrize("pattern", ["(?s)fcm.*error", "x|(?is:fcm.*error)"])
def test_a_flag_without_effect_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="the flag s has no effect here"):
        compile_search(pattern)


def test_half_of_a_pair_of_surrogates_hides_no_word() -> None:
    assert compile_search("error")("\ud83d error")
