"""A subscriber is postponed for as long as FCM asks, within our limits."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.core import payloads
from fixtures.core.backoff import retry_after_s, wait_s
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.payloads import IdFactory
from fixtures.services import fcm
from suites.selfcheck.sample_answers import fcm_error_detail, legacy_answer, retry_info_detail, v1_answer

CASES = load_catalogue().cases
NOW = datetime(2044, 11, 6, 8, 44, 37, tzinfo=UTC)
POSTPONES = {
    "legacy": legacy_answer({"error": "Unavailable"}),
    "fcm_v1": v1_answer(503, details=[fcm_error_detail("UNAVAILABLE")]),
}


def waits(answer: dict[str, Any]) -> tuple[float | None, float | None]:
    """The waits in seconds of the catalogue and of the services."""
    case = load_catalogue().decide(answer)
    assert case is not None
    report = payloads.address(answer, IdFactory(), sent_at=NOW)
    return wait_s(case, report, answered_at=NOW), fcm.decide(report).wait_s


RETRY_AFTER: dict[str, tuple[str | None, float]] = {
    "none": (None, 10),
    "0": ("0", 10),
    "9": ("9", 10),
    "120": ("120", 120),
    "120 with other blanks": ("\u00a0120", 10),
    "120 with spaces": (" 120\t", 120),
    "007": ("0011", 11),
    "many zeros": ("0" * 9 + "11", 11),
    "hours": ("12345", 12345),
    "a day": ("86400", 86400),
    "more than a day": ("86401", 86400),
    "huge": ("9" * 4000, 86400),
    "more digits than Python reads": ("9" * 5000, 86400),
    "negative": ("-300", 10),
    "a fraction": ("300.5", 10),
    "hexadecimal": ("0x100", 10),
    "other digits": ("٤٢٠", 10),
    "words": ("soon", 10),
    "empty": ("", 10),
    "infinity": ("inf", 10),
    "IMF-fixdate": ("Sun, 06 Nov 2044 08:49:37 GMT", 300),
    "RFC 850": ("Sunday, 06-Nov-44 08:49:37 GMT", 300),
    "asctime": ("Sun Nov  6 08:49:37 2044", 300),
    "a date that has passed": ("Sun, 06 Nov 2044 08:39:37 GMT", 10),
    "a date next year": ("Mon, 06 Nov 2045 08:49:37 GMT", 86400),
    "a date without a zone": ("Sun, 06 Nov 2044 08:49:37", 10),
    "a date of an unknown zone": ("Sun, 06 Nov 2044 08:49:37 -0000", 10),
    "no date": ("Sun, 99 Foo 2044 08:49:37 GMT", 10),
    "ISO 8601": ("2044-11-06T08:49:37Z", 10),
}


@pytest.mark.parametrize(("header", "expected"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_retry_after(header: str | None, expected: float) -> None:
    for protocol, answer in POSTPONES.items():
        assert waits({**answer, "retry_after": header}) == (expected, expected), protocol


RETRY_INFO: dict[str, tuple[Any, float]] = {
    "42s": ("42s", 42),
    "a fraction": ("30.5s", 30.5),
    "nanoseconds": ("30.000000001s", 30.000000001),
    "under the floor": ("3.5s", 10),
    "negative": ("-42s", 10),
    "more than a day": ("90000s", 86400),
    "no unit": ("42", 10),
    "another unit": ("42m", 10),
    "a number": (42, 10),
    "an exponent": ("1e3s", 10),
    "a line end": ("42s\n", 10),
    "other digits": ("٤٢s", 10),
    "null": (None, 10),
    "an object": ({"seconds": 42}, 10),
}


@pytest.mark.parametrize(("delay", "expected"), RETRY_INFO.values(), ids=RETRY_INFO)
def test_retry_info(delay: Any, expected: float) -> None:
    answer = v1_answer(503, details=[None, retry_info_detail(delay), fcm_error_detail("UNAVAILABLE")])
    assert waits(answer) == (expected, expected)


LARGEST: dict[str, tuple[int, str | None, list[str], float]] = {
    "floor of 429": (429, None, [], 60),
    "floor of 429 over both": (429, "30", ["45s"], 60),
    "Retry-After over the floor of 429": (429, "61", ["45s"], 61),
    "RetryInfo over Retry-After": (503, "30", ["45s"], 45),
    "Retry-After over RetryInfo": (503, "50", ["45s"], 50),
    "the larger RetryInfo": (503, None, ["20s", "40s", "30s"], 40),
    "RetryInfo beside garbage": (503, "soon", ["20s", "-90s"], 20),
    "no more than a day": (429, "100000", ["99999s"], 86400),
}


@pytest.mark.parametrize(("status", "header", "delays", "expected"), LARGEST.values(), ids=LARGEST)
def test_the_largest_wait_wins(status: int, header: str | None, delays: list[str], expected: float) -> None:
    details = [fcm_error_detail("QUOTA_EXCEEDED"), *map(retry_info_detail, delays)]
    assert waits({**v1_answer(status, details=details), "retry_after": header}) == (expected, expected)


def test_a_wait_of_whole_seconds_is_a_whole_number() -> None:
    for delay, expected in (("42.0s", "42"), ("42.5s", "42.5"), ("90000.5s", "86400")):
        seconds = waits(v1_answer(503, details=[retry_info_detail(delay), fcm_error_detail("UNAVAILABLE")]))
        assert [str(wait) for wait in seconds] == [expected, expected]


@pytest.mark.parametrize(
    "header", [None, 7, "", "soon", "-5", "Sun, 06 Nov 2044 08:39:37 GMT", "Sun, 06 Nov 2044 08:49:37"]
)
def test_a_header_that_asks_for_nothing_asks_for_0_s(header: Any) -> None:
    assert retry_after_s(header, NOW) == 0


def test_only_postponed_subscribers_wait() -> None:
    for case in CASES:
        answer = {**example_report(case), "retry_after": "300"}
        expected = 300 if case.outcome == "postpone" else None
        assert wait_s(case, answer, answered_at=NOW) == expected, case.id
