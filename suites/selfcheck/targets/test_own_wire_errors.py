"""What is wrong with a deployment's own wire, or with its description, is told by name and is never a go."""

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.targets.client import Unreachable
from fixtures.targets.config import TargetError
from fixtures.targets.target import Unobservable
from suites.selfcheck.http_double import HttpAnswer
from suites.selfcheck.targets.own_wire import OwnPlatform, run_platform
from suites.selfcheck.targets.test_code_adapters import ONLY_LEGACY, write_program, write_targets
from suites.selfcheck.targets.test_own_wire import change_description, connect_to, find_problems


@pytest.mark.parametrize(
    "expression", ['"length(device.retry_at)"', '"no_such_function(device)"', '"sum(device.state)"']
)
def test_an_expression_that_cannot_be_evaluated_is_no_verdict(tmp_path: Path, expression: str) -> None:
    with run_platform(tmp_path) as file:
        change_description(file, 'status = "device.state"', f"status = {expression}")
        with pytest.raises(TargetError, match=f"jmespath-failed: '{expression[1:4]}"):
            find_problems(file)


class Cached(OwnPlatform):
    """Answers a look from a cache, if it has shown the device once."""

    def route(self, method: str, path: str, body: Any) -> HttpAnswer:
        cache: dict[str, HttpAnswer] = self.__dict__.setdefault("cache", {})
        if method == "GET" and path in cache:
            return cache[path]
        answer = super().route(method, path, body)
        if method == "GET" and answer[0] == 200:
            cache[path] = answer
        return answer


class Forgetful(OwnPlatform):
    """Removes devices a moment after it was told to."""

    def route(self, method: str, path: str, body: Any) -> HttpAnswer:
        self.looks = getattr(self, "looks", 0) + 1
        if method == "DELETE":
            self.user, self.removed_at = path.rpartition("/")[2], self.looks + 3
            return 204, {}, b""
        if self.looks > getattr(self, "removed_at", self.looks):
            self.remove_user(self.user)
        return super().route(method, path, body)


def test_an_observation_from_a_cache_is_no_verdict(tmp_path: Path) -> None:
    with (
        run_platform(tmp_path, judge="observe_within_s = 0.3", platform_class=Cached) as file,
        pytest.raises(Unobservable, match=r"observation-from-a-cache: a subscriber is shown as .* after it"),
        connect_to(file),
    ):
        pass


def test_a_late_removal_is_no_cache(tmp_path: Path) -> None:
    with run_platform(tmp_path, platform_class=Forgetful) as file, connect_to(file):
        pass


def answer_with(content: bytes) -> type[OwnPlatform]:
    """A platform that gives this answer to each look."""

    class Huge(OwnPlatform):
        def route(self, method: str, path: str, body: Any) -> HttpAnswer:
            if method == "GET":
                return 200, {"Content-Type": "application/json"}, content
            return super().route(method, path, body)

    return Huge


MANY_VALUES = json.dumps({"device": {"state": "ok", "token": "t"}, "log": [0] * 60_000}).encode()
DEEP = b'{"device": ' + b"[" * 200 + b"]" * 200 + b"}"
LONG_WORD = json.dumps({"device": {"state": "x" * 3_000_000, "token": "t"}}).encode()
LONG = b'{"device": {"state": "' + b"x" * 5_000_000 + b'"}}'


@pytest.mark.parametrize(
    ("content", "error", "problem"),
    [
        (MANY_VALUES, TargetError, "unreadable-observation: .*over 50000 values"),
        (DEEP, TargetError, "unreadable-observation: .*nested deeper than 100 levels"),
        (LONG_WORD, TargetError, "unknown-value: 'x{300}'"),
        (LONG, Unreachable, "its answer has no end"),
    ],
    ids=["values", "levels", "word", "bytes"],
)
def test_a_huge_observation_is_no_verdict(
    tmp_path: Path, content: bytes, error: type[Exception], problem: str
) -> None:
    with (
        run_platform(tmp_path, platform_class=answer_with(content)) as file,
        pytest.raises(error, match=problem) as caught,
        connect_to(file),
    ):
        pass
    assert len(str(caught.value)) < 2000


def test_a_program_that_answers_without_end_is_no_verdict(tmp_path: Path) -> None:
    write_program(tmp_path, "#!/bin/sh\nread line\nyes | tr -d '\\n'\n")
    file = write_targets(tmp_path, '["./adapter"]', ONLY_LEGACY)
    problem = "its answer to look is longer than 4194304 characters"
    with pytest.raises(TargetError, match=problem), connect_to(file):
        pass
