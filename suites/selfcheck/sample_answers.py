"""Sample answers for the self-checks: drawn for each case, recorded, and written by hand."""

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fixtures.core import payloads, reference_validator, schemas
from fixtures.core.catalogue import Case, load_catalogue
from fixtures.core.payloads import CountedIds, Payload
from fixtures.generation import recordings, runner
from fixtures.generation.recordings import CORPUS, RecordedAnswer

# Enough batches of each case for the tests of the strategies, and few enough for every gate.
BATCHES = 3

PROTOCOLS = ("legacy", "fcm_v1")
GOOGLE = "type.googleapis.com/"

Answer = Mapping[str, Any]


@functools.cache
def draw_answers(case: Case, *, run_seed: int = 0, batches: int = BATCHES) -> tuple[Answer, ...]:
    """Draw answers of a case in batches, as a run does. The same seed draws the same on every machine."""
    answers: list[Answer] = []
    runner.explore(
        f"selfcheck-{case.id}",
        runner.batches_for(case),
        answers.extend,
        profile=runner.Profile(run_seed, batches),
    )
    return tuple(answers)


@functools.cache
def draw_reports(case: Case) -> tuple[Payload, ...]:
    """Draw answers of a case, and turn them into reports with ids."""
    ids = CountedIds(run=f"{load_catalogue().cases.index(case):012x}")
    return tuple(payloads.address(answer, ids) for answer in draw_answers(case))


@functools.cache
def draw_all_reports() -> tuple[Payload, ...]:
    return tuple(report for case in load_catalogue().cases for report in draw_reports(case))


def read_corpus_lines() -> list[dict[str, Any]]:
    """The lines of the project's corpus as JSON."""
    return [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


def parse_recorded(lines: Iterable[Mapping[str, Any]]) -> Iterator[RecordedAnswer]:
    """Parse lines of a recording that are all valid."""
    for entry in recordings.read_recording(json.dumps(line) for line in lines):
        assert isinstance(entry, RecordedAnswer), entry
        yield entry


@functools.cache
def read_corpus() -> tuple[RecordedAnswer, ...]:
    return tuple(parse_recorded(read_corpus_lines()))


def v1_answer(http_status: int, error: Any = None, **members: Any) -> dict[str, Any]:
    """A v1 answer with the given error object, or with an error object made of `members`."""
    body = {"error": members} if error is None else error
    return {"protocol": "fcm_v1", "http_status": http_status, "retry_after": None, "response": body}


def legacy_answer(response: Any, http_status: int = 200) -> dict[str, Any]:
    return {"http_status": http_status, "retry_after": None, "response": response}


def fcm_error_detail(code: Any, kind: Any = f"{GOOGLE}google.firebase.fcm.v1.FcmError") -> dict[str, Any]:
    return {"@type": kind, "errorCode": code}


def apns_detail(**members: Any) -> dict[str, Any]:
    return {"@type": f"{GOOGLE}google.firebase.fcm.v1.ApnsError", **members}


def bad_request_detail(*violations: Any) -> dict[str, Any]:
    return {"@type": f"{GOOGLE}google.rpc.BadRequest", "fieldViolations": list(violations)}


def retry_info_detail(delay: Any) -> dict[str, Any]:
    return {"@type": f"{GOOGLE}google.rpc.RetryInfo", "retryDelay": delay}


def compile_validators(schema: Any) -> Callable[[Any], tuple[bool, bool]]:
    """Return a function that validates a value with the reference validator and with the fast one."""
    reference, fast = reference_validator.build_validator(schema), schemas.compile_validator(schema)
    return lambda value: (reference.is_valid(value), fast.is_valid(value))


def find_disagreements(schema: Any, values: Iterable[Any]) -> list[Any]:
    """The values that only one of the two validators accepts."""
    validate = compile_validators(schema)
    return [value for value in values if len(set(validate(value))) > 1]
