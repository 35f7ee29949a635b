"""Answers without JSON are read from tables, and from entries whose fields have names."""

import json

import pytest

from suites.selfcheck.generation.import_forms import GONE, PRETTY, read

DEAD = json.dumps(GONE)
NO_JSON = [
    {"at": "1", "status": 503, "body": ""},
    {"at": "2", "status": 500, "body": None},
    {"at": "3", "status": 502, "body": "<html><title>Bad Gateway</title></html>"},
]
BESIDE = {"at": "4", "status": 404, "body": DEAD}


def read_outcomes(content: str) -> dict[str, int]:
    account, _ = read(content)
    return dict(account.outcomes)


def to_csv(*rows: dict[str, object]) -> str:
    cells = [['"' + str(cell or "").replace('"', '""') + '"' for cell in row.values()] for row in rows]
    return ",".join(rows[0]) + "\n" + "".join(",".join(row) + "\n" for row in cells)


@pytest.mark.parametrize("position", range(len(NO_JSON) + 1))
def test_rows_without_json_are_answers(position: int) -> None:
    rows = [*NO_JSON[:position], BESIDE, *NO_JSON[position:]]
    assert read_outcomes(to_csv(*rows)) == {"unsubscribe": 1, "postpone": 3}


def test_a_table_whose_header_is_missing_loses_no_row() -> None:
    rows = "".join(to_csv(BESIDE).splitlines(keepends=True)[1:]).replace(",", ";", 2)
    assert read_outcomes(f"sep=;\n{rows}") == {"unsubscribe": 1}


def test_rows_with_other_json_are_none() -> None:
    other = {"at": "1", "status": 400, "body": json.dumps({"error": {"type": "OAuthException", "code": 190}})}
    assert read_outcomes(to_csv(BESIDE, other)) == {"unsubscribe": 1}


def test_rows_of_requests_are_answers() -> None:
    rows = {
        "name": "POST",
        "data": "https://fcm.googleapis.com/v1/projects/p/messages:send",
        "resultCode": 503,
    }
    assert read_outcomes(to_csv(rows)) == {"postpone": 1}


def test_rows_of_another_server_are_none() -> None:
    shop = [{**row, "url": "https://shop.example/pay"} for row in NO_JSON]
    fcm = {**BESIDE, "url": "https://fcm.googleapis.com/v1/projects/p/messages:send"}
    assert read_outcomes(to_csv(*shop, fcm, *shop)) == {"unsubscribe": 1}


def test_records_of_a_log_are_no_table() -> None:
    """A log holds what many servers answered, in records of one form."""
    log = "".join(f"{json.dumps(row)}\n" for row in (BESIDE, *NO_JSON))
    assert read_outcomes(log) == {"unsubscribe": 1}


def test_a_table_without_any_answer_of_fcm_gives_none() -> None:
    assert read_outcomes(to_csv(*NO_JSON)) == {}


PAGE = (
    'level=error http_status=503 retry_after=30 response="<html>\\"503\\"</html>" '
    "url=https://fcm.googleapis.com/v1/projects/p/messages:send\n"
)
RESULT = (
    'level=error http_status=200 response="{\\"multicast_id\\":1,'
    '\\"results\\":[{\\"error\\":\\"NotRegistered\\"}]}"\n'
)


@pytest.mark.parametrize(
    ("log", "outcomes"),
    [
        (PAGE, {"postpone": 1}),
        (PAGE + RESULT, {"postpone": 1, "unsubscribe": 1}),
        (RESULT + PAGE, {"postpone": 1, "unsubscribe": 1}),
        (PAGE.replace("fcm.googleapis.com/v1", "shop.example/v9"), {}),
    ],
)
def test_fields_of_an_entry_hold_an_answer(log: str, outcomes: dict[str, int]) -> None:
    assert read_outcomes(log) == outcomes


def test_an_exchange_of_curl_is_one_entry() -> None:
    exchange = (
        "* Connected to fcm.googleapis.com (192.0.2.1) port 443\n"
        "> POST /v1/projects/p/messages:send HTTP/2\n> host: fcm.googleapis.com\n>\n"
        f"< HTTP/2 404 \n< content-type: application/json\n<\n{PRETTY}\n* Connection #0 left intact\n"
    )
    account, _ = read(exchange)
    assert (dict(account.outcomes), dict(account.not_taken)) == ({"unsubscribe": 1}, {})
