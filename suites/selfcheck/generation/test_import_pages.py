"""JSON in a page is read, with its quotation marks as entities."""

import json

import pytest

from suites.selfcheck.generation.import_forms import (
    BARE,
    DEAD,
    ESCAPED,
    GONE,
    KEPT,
    LATER,
    LEGACY,
    PRETTY,
    SEND,
    SENT,
    TEXT,
    TEXT_BUSY,
    lines,
    read,
)


def in_page(text: str, mark: str = "&quot;") -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', mark)


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        (f"fcm {in_page(TEXT)}\n", DEAD),
        (f"<pre>fcm\n{in_page(PRETTY)}\n</pre>\n", DEAD),
        (f"<p>fcm {in_page(PRETTY).replace('  ', '&nbsp; ').replace(chr(10), '<br>')}</p>\n", DEAD),
        (f"fcm {in_page(TEXT, '&#34;')}\n", DEAD),
        (f"fcm {in_page(TEXT, '&#x22;')}\n", DEAD),
        (f"fcm {in_page(in_page(TEXT))}\n", DEAD),
        (f"fcm {repr(GONE).replace(chr(39), '&#39;')}\n", DEAD),
        (f"<td>{in_page(TEXT)}</td><td>{in_page(TEXT_BUSY)}</td>\n", DEAD | LATER),
        (f"fcm {in_page(json.dumps(LEGACY))}\n", DEAD),
        (f"fcm {in_page(json.dumps(SENT))}\n", KEPT),
        (f"fcm {in_page(json.dumps(BARE))}\n", LATER),
        (f'<log msg="fcm {in_page(ESCAPED)}"/>\n', DEAD),
        (lines({"msg": f"fcm {in_page(TEXT)}"}), DEAD),
        (lines({"status": 404, "url": SEND, "body": in_page(TEXT)}), DEAD),
    ],
)
def test_json_in_a_page_is_read(text: str, outcomes: dict[str, int]) -> None:
    imported, _ = read(text)
    assert (imported.outcomes, imported.not_taken) == (outcomes, {})


def test_json_in_a_page_that_is_cut_off_is_named() -> None:
    imported, _ = read(f"fcm {in_page(TEXT)[:150]}...\n")
    assert (imported.outcomes, imported.not_taken) == ({}, {"cut-off": 1})
