"""What the self-checks share: answers drawn of each case, as reports, the same on every machine."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fixtures.core import payloads, reference_validator, schemas
from fixtures.core.catalogue import Case, load
from fixtures.core.payloads import Identities, Payload
from fixtures.generation import recordings, runner
from fixtures.generation.recordings import CORPUS, Recorded

BATCHES = 3
"""Batches drawn of each case: enough to reach what the strategies promise, few enough for every gate."""

PROTOCOLS = ("legacy", "fcm_v1")
GOOGLE = "type.googleapis.com/"

Answer = Mapping[str, Any]


@functools.cache
def drawn(case: Case, *, run_seed: int = 0, batches: int = BATCHES) -> tuple[Answer, ...]:
    """Answers of a case, drawn in batches as a run draws them: the same on every machine."""
    found: list[Answer] = []
    runner.explore(
        f"selfcheck-{case.id}",
        runner.answers_of(case),
        found.extend,
        profile=runner.Profile(run_seed, batches),
    )
    return tuple(found)


@functools.cache
def reports(case: Case) -> tuple[Payload, ...]:
    """The drawn answers of a case as addressed reports."""
    identities = Identities(run=f"{load().cases.index(case):012x}")
    return tuple(payloads.address(answer, identities) for answer in drawn(case))


@functools.cache
def every_report() -> tuple[Payload, ...]:
    """The drawn reports of all cases."""
    return tuple(report for case in load().cases for report in reports(case))


def corpus_lines() -> list[dict[str, Any]]:
    """The lines of the project's corpus, as parsed."""
    return [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


def recorded(lines: Iterable[Mapping[str, Any]]) -> Iterator[Recorded]:
    """The answers of lines that all hold some."""
    for entry in recordings.read(json.dumps(line) for line in lines):
        assert isinstance(entry, Recorded), entry
        yield entry


@functools.cache
def corpus() -> tuple[Recorded, ...]:
    """The answers of the corpus."""
    return tuple(recorded(corpus_lines()))


def v1(http_status: int, error: Any = None, **members: Any) -> dict[str, Any]:
    """A v1 answer; an error without members of its own is put together from `members`."""
    body = {"error": members} if error is None else error
    return {"protocol": "fcm_v1", "http_status": http_status, "retry_after": None, "response": body}


def legacy(response: Any, http_status: int = 200) -> dict[str, Any]:
    """A legacy answer."""
    return {"http_status": http_status, "retry_after": None, "response": response}


def fcm_error(code: Any, kind: Any = f"{GOOGLE}google.firebase.fcm.v1.FcmError") -> dict[str, Any]:
    """FCM's own detail."""
    return {"@type": kind, "errorCode": code}


def apns(**members: Any) -> dict[str, Any]:
    """Apple's detail."""
    return {"@type": f"{GOOGLE}google.firebase.fcm.v1.ApnsError", **members}


def bad_request(*violations: Any) -> dict[str, Any]:
    """Google's detail about the fields of the request."""
    return {"@type": f"{GOOGLE}google.rpc.BadRequest", "fieldViolations": list(violations)}


def retry_info(delay: Any) -> dict[str, Any]:
    """Google's detail about the time to wait."""
    return {"@type": f"{GOOGLE}google.rpc.RetryInfo", "retryDelay": delay}


def both(schema: Any) -> Callable[[Any], tuple[bool, bool]]:
    """What the reference validator says of a value, and what the fast one says."""
    reference, fast = reference_validator.validator(schema), schemas.fast_validator(schema)
    return lambda value: (reference.is_valid(value), fast.is_valid(value))


def disagreements(schema: Any, values: Iterable[Any]) -> list[Any]:
    """The values that only one of the two validators takes."""
    judge = both(schema)
    return [value for value in values if len(set(judge(value))) > 1]
