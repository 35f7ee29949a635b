"""What each seeded fault of the cleaner replaces; its rows are in fixtures/faults/faults.toml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fixtures.release.cleanup import classify, cleaner

REMOVE_BY_POSITION = """
redis.call('LPOP', KEYS[1], #ARGV - 2)
redis.call('HSET', KEYS[2], ARGV[1], 'removed:')
return 'removed:'
"""
REMOVE_ALL_EQUAL = """
local noted = redis.call('HGET', KEYS[2], ARGV[1])
if noted then return noted end
for j = 3, #ARGV do redis.call('LREM', KEYS[1], 0, ARGV[j]) end
redis.call('HSET', KEYS[2], ARGV[1], 'removed:')
return 'removed:'
"""


def replace_line(line: str, faulty_line: str) -> Callable[[str], str]:
    def change(script: str) -> str:
        assert line in script
        return script.replace(line, faulty_line)

    return change


def take_for_old(message_format: str) -> Callable[[Any], Any]:
    """Classify the messages of a format as old."""

    def change(classify_message: Any) -> Any:
        def classify_wrongly(message: bytes, now: Any) -> Any:
            info = classify_message(message, now)
            return info._replace(format="old") if info.format == message_format else info

        return classify_wrongly

    return change


def stay_after_pops(_step_back: Any) -> Any:
    def pass_over(cursor: Any) -> None:
        cursor.remaining -= cursor.step
        cursor.position += cursor.step

    return pass_over


NOTE_RESTORED = "redis.call('HSET', KEYS[2], ARGV[1], 'restored')"
# By fault: the module or class, its attribute, and what makes a faulty value of the right one.
PATCHES: Mapping[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "cleaner-takes-the-unreadable": (classify, "classify_message", take_for_old("unreadable")),
    "cleaner-takes-the-new": (classify, "classify_message", take_for_old("new")),
    "cleaner-removes-by-position": (cleaner, "REMOVE", lambda _script: REMOVE_BY_POSITION),
    "cleaner-removes-twins": (cleaner, "REMOVE", lambda _script: REMOVE_ALL_EQUAL),
    "cleaner-removes-again": (cleaner, "REMOVE", replace_line("if noted then return noted end", "")),
    "cleaner-restores-twice": (cleaner, "RESTORE", replace_line(NOTE_RESTORED, "")),
    "cleaner-restores-at-the-end": (cleaner, "RESTORE", replace_line("LPUSH", "RPUSH")),
    "cleaner-restores-backwards": (
        cleaner,
        "RESTORE",
        replace_line("j = #ARGV, 3, -1 do", "j = 3, #ARGV do"),
    ),
    "cleaner-restores-the-popped": (cleaner, "_absent_positions", lambda _absent: lambda _noted: set()),
    "cleaner-goes-on-after-pops": (cleaner.ListCursor, "_step_back", stay_after_pops),
}
