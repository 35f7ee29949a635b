"""Lines of several processes that alternate are told apart by their prefixes, and numbers are left out."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest

import pytest

from suites.selfcheck.generation.import_forms import (
    BARE,
    BUSY,
    DEAD,
    KEPT,
    LATER,
    LEGACY,
    PRETTY,
    SENT,
    TEXT_BUSY,
    lines,
    read,
)

Prefix = str | Callable[[int], str]
GONE_LINES = ["fcm answered 404", *PRETTY.splitlines()]
BUSY_LINES = ["fcm answered 503", *json.dumps(BUSY, indent=2).splitlines()]
SENT_LINES = ["fcm answered", *json.dumps(SENT, indent=2).splitlines()]
BARE_LINES = ["fcm answered", *json.dumps(BARE, indent=2).splitlines()]
LEGACY_LINES = ["fcm answered", *json.dumps(LEGACY, indent=2).splitlines()]


def stamped(text: str) -> Callable[[int], str]:
    """A prefix with a time that goes on."""
    return lambda number: text.replace("TIME", f"2026-06-01T10:00:{number:02d}.{number * 7:06d}Z")


def mix(first: tuple[Prefix, list[str]], second: tuple[Prefix, list[str]], at_a_time: int = 1) -> str:
    """The lines of two processes, so many of each in turn."""
    number, text = 0, ""
    for start in range(0, max(len(first[1]), len(second[1])), at_a_time):
        for prefix, process_lines in (first, second):
            for line in process_lines[start : start + at_a_time]:
                number += 1
                text += f"{prefix if isinstance(prefix, str) else prefix(number)}{line}\n"
    return text


PREFIXES: Mapping[str, tuple[Prefix, Prefix]] = {
    "Compose": ("web-1  | ", "web-2  | "),
    "Compose, two services": ("push-a | ", "push-bcd | "),
    "kubectl --prefix": ("[pod/push-7d/app] ", "[pod/push-8e/app] "),
    "stern": ("push-7d app ", "push-8e app "),
    "pm2": ("0|push  | ", "1|push  | "),
    "syslog": ("Jun  1 10:00:00 web7 push[812]: ", "Jun  1 10:00:00 web7 push[813]: "),
    "threads of Java": (
        stamped("TIME [pool-1-thread-1] WARN p: "),
        stamped("TIME [pool-1-thread-2] WARN p: "),
    ),
    "two streams of Kubernetes": (stamped("TIME stdout F "), stamped("TIME stderr F ")),
    "numbers of processes": (stamped("TIME 812 "), stamped("TIME 813 ")),
    "glog": (stamped("I0601 TIME   812 push.go:33] "), stamped("I0601 TIME   813 push.go:33] ")),
    "Celery": (stamped("[TIME: WARNING/Worker-1] "), stamped("[TIME: WARNING/Worker-2] ")),
    "Heroku": (stamped("TIME app[web.1]: "), stamped("TIME app[web.2]: ")),
}


@pytest.mark.parametrize(("first", "second"), PREFIXES.values(), ids=PREFIXES)
def test_processes_that_alternate_are_told_apart(first: Prefix, second: Prefix) -> None:
    for text, outcomes in (
        (mix((first, GONE_LINES), (second, BUSY_LINES)), DEAD | LATER),
        (mix((first, GONE_LINES), (second, BUSY_LINES), 3), DEAD | LATER),
        (mix((first, SENT_LINES), (second, BARE_LINES)), KEPT | LATER),
        (mix((first, LEGACY_LINES), (second, GONE_LINES)), {"unsubscribe": 2}),
        (mix((first, GONE_LINES), (second, ["INFO idle"] * 9)), DEAD),
        (mix((first, GONE_LINES), (second, [f"fcm {TEXT_BUSY}"] * 3)), {"unsubscribe": 1, "postpone": 3}),
        (mix((first, ["fcm {", *GONE_LINES[2:]]), (second, ["fcm {", *BUSY_LINES[2:]])), DEAD | LATER),
    ):
        imported, _ = read(text)
        assert (imported.outcomes, imported.not_taken) == (outcomes, {})


def alternate(*members: Mapping[str, object], name: str = "log") -> str:
    rows = zip_longest(GONE_LINES, BUSY_LINES)
    pairs: Iterator[tuple[str | None, Mapping[str, object]]] = (
        pair for row in rows for pair in zip(row, members, strict=True)
    )
    return lines(*({name: f"{line}\n", **member} for line, member in pairs if line is not None))


@pytest.mark.parametrize(
    "text",
    [
        alternate({"container_id": "a"}, {"container_id": "b"}),
        alternate({"stream": "stdout", "time": "1"}, {"stream": "stderr", "time": "2"}),
        alternate({"kubernetes": {"pod_name": "a"}}, {"kubernetes": {"pod_name": "b"}}),
        alternate({"_PID": "7"}, {"_PID": "8"}, name="MESSAGE"),
    ],
    ids=["containers", "streams", "pods", "journald"],
)
def test_records_of_processes_that_alternate_are_told_apart(text: str) -> None:
    imported, _ = read(text)
    assert (imported.outcomes, imported.not_taken) == (DEAD | LATER, {})


def test_the_body_of_one_process_that_is_cut_off_costs_no_other() -> None:
    imported, _ = read(mix(("web-1 | ", GONE_LINES[:7]), ("web-2 | ", BUSY_LINES)))
    assert imported.outcomes == LATER
    assert imported.not_taken


@pytest.mark.parametrize("prefix", ["", "app | ", stamped("TIME WARN "), "Jun  1 10:00:00 web7 push[812]: "])
@pytest.mark.parametrize("second", [BUSY_LINES, SENT_LINES, BARE_LINES, GONE_LINES, LEGACY_LINES])
def test_processes_that_nothing_tells_apart_are_named(prefix: Prefix, second: list[str]) -> None:
    for first in (GONE_LINES, SENT_LINES, BARE_LINES):
        imported, _ = read(mix((prefix, first), (prefix, second)))
        assert imported.not_taken


def test_records_that_nothing_tells_apart_are_named() -> None:
    imported, _ = read(alternate({"time": "1"}, {"time": "2"}))
    assert not imported.outcomes
    assert imported.not_taken


def test_a_frame_is_no_word_of_its_neighbour() -> None:
    """Each framed line stays an entry of its own, so no other service's error becomes FCM's."""
    log = ["fcm ok", "billing error", *json.dumps(BARE, indent=2).splitlines()]
    imported, _ = read("".join(f"web-1 | {line}\n" for line in log))
    assert not imported.outcomes


NUMBERS: Mapping[str, str] = {
    "grep -n": "{}:",
    "grep -Hn": "app.log:{}:",
    "cat -n": "{:6d}\t",
    "less -N": "{:7d} ",
    "an editor": "{:4d}: ",
    "bat": "{:4d} \u2502 ",
    "a forum": "[{}] ",
    "zeros": "{:04d} ",
}


@pytest.mark.parametrize("form", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("first", [1, 5, 95])
def test_numbers_before_lines_are_left_out(form: str, first: int) -> None:
    imported, _ = read("".join(f"{form.format(n)}{line}\n" for n, line in enumerate(GONE_LINES, first)))
    assert (imported.outcomes, imported.not_taken) == (DEAD, {})


def test_the_context_of_a_line_that_grep_found_is_read() -> None:
    text = "".join(f"{n}{'-' if n > 12 else ':'}{line}\n" for n, line in enumerate(GONE_LINES, 12))
    imported, _ = read(text)
    assert (imported.outcomes, imported.not_taken) == (DEAD, {})
