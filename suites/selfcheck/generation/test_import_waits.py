"""A wait in the text before a body belongs to the body, and to no other answer."""

import json
from collections.abc import Mapping

import pytest

from suites.selfcheck.generation.import_forms import BUSY, TEXT_BUSY, lines, read, to_ruby

PRETTY = json.dumps(BUSY, indent=2)
DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
TOLD: Mapping[str, tuple[str, str]] = {
    "a header": (f"fcm 503 Retry-After: 30 {TEXT_BUSY}\n", "30"),
    "a field": (f"fcm 503 retry-after=30 body={TEXT_BUSY}\n", "30"),
    "a date": (f"fcm 503 Retry-After: {DATE} {TEXT_BUSY}\n", DATE),
    "Python, pairs": (f"fcm 503 [('Vary', 'Origin'), ('Retry-After', '30')] {TEXT_BUSY}\n", "30"),
    "Python, pairs of bytes": (f"fcm 503 [(b'retry-after', b'30')] {TEXT_BUSY}\n", "30"),
    "Python, an object": (f"fcm 503 {{'vary': 'Origin', 'retry-after': '30'}} {TEXT_BUSY}\n", "30"),
    "a long object": (f"fcm 503, { ({'vary': 'x' * 200, 'retry-after': '30'})!r}, {TEXT_BUSY}\n", "30"),
    "JSON": (f'fcm 503 headers={{"retry-after": ["30"]}} body={TEXT_BUSY}\n', "30"),
    "Elixir": (f'fcm 503 [{{"vary", "Origin"}}, {{"retry-after", "30"}}] {TEXT_BUSY}\n', "30"),
    "Go": (f"fcm 503 map[Retry-After:[30] Vary:[Origin]] {TEXT_BUSY}\n", "30"),
    "PHP": (f"fcm 503 Array ( [Retry-After] => 30 ) {TEXT_BUSY}\n", "30"),
    "escaped": (f'fcm 503 headers="Vary: x\\r\\nRetry-After: 30\\r\\n" {TEXT_BUSY}\n', "30"),
    "header lines": (f"fcm 503\nRetry-After: 30\nVary: Origin\n\n{PRETTY}\n", "30"),
    "the line above": (f"10:00 fcm 503 Retry-After: 30\n{PRETTY}\n", "30"),
    "an indented line": (f"10:00 push 503\n  Retry-After: 30\n  body: {PRETTY}\n", "30"),
    "behind it": (f"fcm 503 {TEXT_BUSY} Retry-After: 30\n10:00 fcm ok\n", "30"),
    "behind it, at the end": (f"fcm 503 {TEXT_BUSY} retry-after=30", "30"),
    "behind it, an object": (f"fcm 503 {TEXT_BUSY} {{'vary': 'x', 'retry-after': '30'}} ms=8\n", "30"),
    "behind it, JSON": (f'fcm 503 body={TEXT_BUSY} headers={{"Retry-After": ["30"]}}\n', "30"),
    "behind it, Go": (f"fcm 503 {TEXT_BUSY} map[Retry-After:[30]]\n", "30"),
    "below it": (f"fcm 503 {PRETTY}\n  Retry-After: 30\n10:00 ok\n", "30"),
    "below it, a header": (f"fcm 503 {PRETTY}\nVary: Origin\nRetry-After: 30\n10:00 ok\n", "30"),
    "behind it, with others": (f"fcm 503 {TEXT_BUSY} {{'n': 1}} retry-after: 30\n10:00 ok {{}}\n", "30"),
    "a list": (f'fcm [503, {TEXT_BUSY}, {{"Retry-After": "30"}}]\n', "30"),
    "a list, a body as text": (f'fcm [503, {json.dumps(TEXT_BUSY)}, {{"Retry-After": "30"}}]\n', "30"),
    "a list, the body first": (f'fcm [{TEXT_BUSY}, 503, {{"Retry-After": "30"}}]\n', "30"),
    "a list, the headers first": (f'fcm [503, {{"Retry-After": "30"}}, {TEXT_BUSY}]\n', "30"),
    "a list, a number": (f'fcm [503, {TEXT_BUSY}, {{"vary": "x", "retry-after": 30}}]\n', "30"),
    "a list, pairs": (f'fcm [503, {TEXT_BUSY}, [["Retry-After", "30"]]]\n', "30"),
    "a list of a file": (json.dumps([503, BUSY, {"Retry-After": "30"}], indent=2) + "\n", "30"),
    "a tuple of Python": (f"fcm {(503, BUSY, {'Retry-After': '30'})!r}\n", "30"),
    "a tuple of Elixir": (f'fcm {{:ok, 503, [{{"retry-after", "30"}}], {json.dumps(TEXT_BUSY)}}}\n', "30"),
    "a list of Ruby": (f'fcm [503, {to_ruby(BUSY)}, {{"retry-after"=>"30"}}]\n', "30"),
    "a list of Rack": (lines({"fcm": [503, {"Retry-After": "30"}, [TEXT_BUSY]]}), "30"),
    "a list in a record": (lines({"logger": "fcm", "result": [503, BUSY, {"Retry-After": "30"}]}), "30"),
    "a list in a text": (lines({"msg": f'fcm [503, {TEXT_BUSY}, {{"Retry-After": "30"}}]'}), "30"),
    "a list, a status line": (f'fcm ["503 Busy", {TEXT_BUSY}, {{"Retry-After": "30"}}]\n', "30"),
    "in a record": (lines({"status": 503, "message": f"fcm Retry-After: 30 {TEXT_BUSY}"}), "30"),
}
OTHERS: Mapping[str, str] = {
    "the entry before": f"10:00 fcm 503 Retry-After: 30\n10:00 fcm {TEXT_BUSY}\n",
    "the line of another service": f"10:00 apns 503 Retry-After: 30\n{TEXT_BUSY}\n",
    "a prefix that looks like a header": f"fcm: retry-after: 30\nfcm: {TEXT_BUSY}\n",
    "a record after a line": "10:00 fcm Retry-After: 30\n" + lines({"level": "warn", **BUSY}),
    "another answer of a list": f'fcm [{TEXT_BUSY}, {{"url": "a", "retry-after": "30"}}]\n',
    "another object of a list": json.dumps([{"url": "a", "retry-after": "30"}, BUSY], indent=1),
    "another row": f'body,retry-after\nno,30\n"{TEXT_BUSY.replace(chr(34), chr(34) * 2)}",\n',
    "the answer below": f"fcm 503 {TEXT_BUSY}\nHTTP/2 503\nretry-after: 30\n\n",
    "between two": f"fcm {TEXT_BUSY} Retry-After: 30 fcm {TEXT_BUSY}\n",
    "several": f"fcm Retry-After: 5, Retry-After: 30 {TEXT_BUSY}\n",
    "minutes": f"fcm retry_after=30 min {TEXT_BUSY}\n",
    "a unit": f"fcm retry_after=30s {TEXT_BUSY}\n",
    "another name": f"fcm min-retry-after=30 {TEXT_BUSY}\n",
    "a setting": f'job {{"id": 1, "retry_after": 90}} fcm 503 {TEXT_BUSY}\n',
}


@pytest.mark.parametrize(("content", "wait"), TOLD.values(), ids=TOLD)
def test_a_wait_before_a_body_is_read(content: str, wait: str) -> None:
    _, replay = read(content)
    assert [row["headers"] for row in replay] == [{"Retry-After": wait}]


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_a_wait_of_something_else_is_not_taken(content: str) -> None:
    _, replay = read(content, protocol="fcm_v1")
    assert replay[0]["headers"] == {}


def test_a_wait_belongs_to_one_answer() -> None:
    _, replay = read(f"fcm 503 Retry-After: 30 {TEXT_BUSY} then {TEXT_BUSY}\n")
    assert [row["headers"] for row in replay] == [{"Retry-After": "30"}, {}]
