"""A deployment is judged only if its observation can show an unsubscribed subscriber."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ci.commands import doctor
from fixtures.targets.target import Unobservable
from suites.selfcheck.http_double import HttpAnswer
from suites.selfcheck.targets.own_wire import JSON, Decide, OwnPlatform, decide_rightly, run_platform
from suites.selfcheck.targets.test_code_adapters import ONLY_LEGACY, PROGRAM, write_program, write_targets
from suites.selfcheck.targets.test_own_wire import change_description, connect_to, find_problems, read_refusal

QUICK = 'judge = { promises = ["unsubscribe", "postpone"] }\nobserve_within_s = 0.3'
GONE = 'unsubscribed = ["gone"]'
BY_REPORTS = ""
BY_HAND = 'unsubscribe = { method = "POST", path = "/gone/{subscriber_id}" }\n'


class WordPlatform(OwnPlatform):
    """Keeps a device whose app is gone, and calls it gone. It writes down the last report of each device."""

    def route(self, method: str, path: str, body: Any) -> HttpAnswer:
        name = path.rpartition("/")[2]
        if method == "POST" and path.startswith("/gone/"):
            next(row for row in self.devices.values() if row["user"] == name)["state"] = "gone"
            return 204, {}, b""
        if method == "POST":
            device = self.devices.get(body["device"], {})
            super().route(method, path, body)
            if body["device"] not in self.devices and "replaced" not in self.decide_on(body):
                self.devices[body["device"]] = {**device, "state": "gone"}
            device["last_report"] = body["id"]
            return 204, {}, b""
        return super().route(method, path, body)

    @staticmethod
    def decide_on(body: Mapping[str, Any]) -> str:
        return "replaced" if "registration_id" in body["fcm"]["text"] else ""


class HidingPlatform(WordPlatform):
    """Shows each device as it was made."""

    def route(self, method: str, path: str, body: Any) -> HttpAnswer:
        status, headers, content = super().route(method, path, body)
        if method == "GET" and status == 200:
            device = {**json.loads(content)["device"], "state": "ok"}
            return status, JSON, json.dumps({"device": device}).encode()
        return status, headers, content


def never_unsubscribe(report: Mapping[str, Any]) -> str:
    outcome = decide_rightly(report)
    return "keep" if outcome == "unsubscribe" else outcome


def do_nothing(_report: Mapping[str, Any]) -> str:
    return "keep"


def write_words(file: Path, method: str, word: str = GONE) -> None:
    """Describe a platform that has a word for unsubscribed devices, and perhaps a way to make one."""
    change_description(file, 'absent = "unsubscribed"\n', "")
    change_description(file, 'active = ["ok"]', word if "active" in word else f'active = ["ok"], {word}')
    change_description(file, "teardown", f"{method}teardown")


@pytest.mark.parametrize("method", [BY_REPORTS, BY_HAND])
def test_a_right_platform_with_words_is_judged(tmp_path: Path, method: str) -> None:
    with run_platform(tmp_path, judge=QUICK, platform_class=WordPlatform) as file:
        write_words(file, method)
        assert find_problems(file) == []


@pytest.mark.parametrize(
    ("decide", "method"),
    [(never_unsubscribe, BY_REPORTS), (never_unsubscribe, BY_HAND), (do_nothing, BY_HAND)],
)
def test_a_service_that_never_unsubscribes_is_found(tmp_path: Path, decide: Decide, method: str) -> None:
    with run_platform(tmp_path, decide=decide, judge=QUICK, platform_class=WordPlatform) as file:
        write_words(file, method)
        assert "effects.subscriber v1-UNREGISTERED" in find_problems(file)


def test_a_service_that_does_nothing_is_found_where_those_removed_are_shown(tmp_path: Path) -> None:
    with run_platform(tmp_path, decide=do_nothing, judge=QUICK) as file:
        assert "effects.subscriber v1-UNREGISTERED" in find_problems(file)


@pytest.mark.parametrize(
    ("decide", "platform", "method", "word", "problem"),
    [
        (decide_rightly, HidingPlatform, BY_REPORTS, GONE, "no subscriber changed after any"),
        (do_nothing, WordPlatform, BY_REPORTS, GONE, "no subscriber changed after any"),
        (decide_rightly, HidingPlatform, BY_HAND, GONE, "by hand is shown as active"),
        (
            decide_rightly,
            WordPlatform,
            BY_REPORTS,
            'active = ["ok", "gone"], unsubscribed = ["off"]',
            'device.state = "ok" became "gone", and it is read as active still',
        ),
    ],
)
def test_an_observation_that_cannot_show_it_is_no_verdict(
    tmp_path: Path, decide: Decide, platform: type[OwnPlatform], method: str, word: str, problem: str
) -> None:
    with run_platform(tmp_path, decide=decide, judge=QUICK, platform_class=platform) as file:
        write_words(file, method, word)
        with (
            pytest.raises(Unobservable, match=f"observation-shows-no-unsubscribed: .*{problem}"),
            connect_to(file),
        ):
            pass


def test_code_that_does_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "idle_adapter.py").write_text(
        "class Idle:\n    def handle(self, answer, subscriber): ...\n", encoding="utf-8"
    )
    file = write_targets(tmp_path, '"python:idle_adapter:Idle"', f"{ONLY_LEGACY}\nobserve_within_s = 0.3")
    assert "effects.subscriber legacy-NotRegistered" in find_problems(file)


def write_idle_program(folder: Path, *lines: str) -> Path:
    idle = "Platform.deliver = lambda self, reports: None\n    platform = Platform()"
    write_program(folder, PROGRAM.replace("platform = Platform()", idle))
    return write_targets(folder, '["./adapter"]', ONLY_LEGACY, "observe_within_s = 0.1", *lines)


def test_a_program_that_does_nothing_is_found_if_it_can_unsubscribe_by_hand(tmp_path: Path) -> None:
    file = write_idle_program(tmp_path, "can_unsubscribe = true")
    assert "effects.subscriber legacy-NotRegistered" in find_problems(file)


def test_a_program_is_asked_to_unsubscribe_only_if_the_targets_file_says_so(tmp_path: Path) -> None:
    file = write_idle_program(tmp_path)
    with pytest.raises(Unobservable, match="no subscriber changed after any report"), connect_to(file):
        pass


def test_a_description_without_a_word_for_it_is_refused(tmp_path: Path) -> None:
    refusal = read_refusal(tmp_path, 'absent = "unsubscribed"\n', "")
    assert "promise-not-observable: 'unsubscribe': it is judged, and neither values nor absent" in refusal


@pytest.mark.parametrize(
    ("platform", "answer"),
    [
        (WordPlatform, "one that is unsubscribed by hand is shown so"),
        (HidingPlatform, "one that was unsubscribed by hand is shown as active"),
    ],
)
def test_the_doctor_unsubscribes_one_by_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], platform: type[OwnPlatform], answer: str
) -> None:
    judge = 'judge = { promises = ["postpone", "unsubscribe"] }'
    with run_platform(tmp_path, judge=judge, platform_class=platform) as file:
        write_words(file, BY_HAND)
        doctor.main(["--targets", str(file), "--build", str(tmp_path / "build"), "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answer in next(row["said"] for row in rows if row["question"] == "by hand")
