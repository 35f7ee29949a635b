"""What a library or a framework prints of a response beside its body is no answer of its own."""

from collections.abc import Mapping

import pytest

from suites.selfcheck.generation.import_forms import DEAD, KEPT, LATER, SEND, SENT, TEXT, lines, read

pytestmark = pytest.mark.aside

READ: Mapping[str, tuple[str, dict[str, int]]] = {
    "Rust's response before the body": (
        (
            f'DEBUG push: Response {{ url: "{SEND}", status: 404, headers: {{"vary": "Origin"}} }}\n'
            f"DEBUG push: body: {TEXT}\n"
        ),
        DEAD,
    ),
    "Rust's response in JSON before the body": (
        lines({"fields": {"message": f'Response {{ url: "{SEND}", status: 200 }}'}}, {"message": str(SENT)}),
        KEPT,
    ),
    "Rust's response, and the body of another": (
        f'DEBUG push: Response {{ url: "{SEND}", status: 503 }}\nDEBUG push: body: {TEXT}\n',
        LATER | DEAD,
    ),
    "Node's response with a stream": (
        (
            f"Response {{\n  status: 404,\n  body: ReadableStream {{ locked: false }},\n  url: '{SEND}'\n}}\n"
            f"{TEXT}\n"
        ),
        DEAD,
    ),
    ".NET's response before the body": (
        (
            "fcm: StatusCode: 404, ReasonPhrase: 'Not Found', Headers:\n{\n  Vary: Origin\n"
            f"  Content-Type: application/json; charset=UTF-8\n}}\n{TEXT}\n"
        ),
        DEAD,
    ),
    "Node's response of a library": (
        (
            "Response {\n  [Symbol(Body)]: { body: PassThrough { _state: [ReadableState] }, error: null },\n"
            f"  [Symbol(Response)]: {{ url: '{SEND}', status: 404, headers: Headers {{ [Symbol(map)]:"
            " [Object: null prototype] {} }, config: { headers: [Object [AxiosHeaders]] } } }\n"
            f"{TEXT}\n"
        ),
        DEAD,
    ),
    "a span of a trace": (
        lines(
            {
                "http": {"request": {"url": SEND}, "response": {"status": 503, "content_length": 9}},
                "name": "x",
            }
        ),
        LATER,
    ),
    "Laravel": (
        (
            f'[2026-06-01 10:00:00] live.ERROR: fcm 404 {TEXT} {{"exception":"[object] (Error(code: 404):'
            f' fcm error at /a.php:3)\n[stacktrace]\n{"#0 /b.php(1): x()" * 900}\n"}} \n'
        ),
        DEAD,
    ),
}


@pytest.mark.parametrize(("content", "outcomes"), READ.values(), ids=READ)
def test_a_printed_response_belongs_to_its_body(content: str, outcomes: dict[str, int]) -> None:
    imported, _ = read(content)
    assert (imported.outcomes, imported.not_taken) == (outcomes, {})
