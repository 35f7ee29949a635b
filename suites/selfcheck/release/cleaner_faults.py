"""What each seeded fault of the cleaner replaces; its rows are in fixtures/faults/cleaner.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fixtures.release.cleanup import classify, cleaner, lua

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


@dataclass(frozen=True)
class Patch:
    """An attribute of a module or class, and what makes a faulty value of the right one."""

    owner: Any
    attribute: str
    change: Callable[[Any], Any]


def change_script(line: str, faulty_line: str) -> Callable[[str], str]:
    def change(script: str) -> str:
        assert line in script
        return script.replace(line, faulty_line)

    return change


def take_for_old(message_format: str) -> Callable[[Any], Any]:
    """Classify the messages of a format as old."""

    def change(look: Any) -> Any:
        def look_wrongly(message: bytes, now: Any) -> Any:
            info = look(message, now)
            return info._replace(format="old") if info.format == message_format else info

        return look_wrongly

    return change


def stay_after_pops(_step_back: Any) -> Any:
    def pass_over(cursor: Any) -> None:
        cursor.remaining -= cursor.step
        cursor.position += cursor.step

    return pass_over


PATCHES: Mapping[str, Patch] = {
    "cleaner-takes-the-unreadable": Patch(classify, "classify_message", take_for_old("unreadable")),
    "cleaner-takes-the-new": Patch(classify, "classify_message", take_for_old("new")),
    "cleaner-removes-by-position": Patch(cleaner, "REMOVE", lambda _script: REMOVE_BY_POSITION),
    "cleaner-removes-twins": Patch(cleaner, "REMOVE", lambda _script: REMOVE_ALL_EQUAL),
    "cleaner-removes-again": Patch(lua, "REMOVE", change_script("if noted then return noted end", "")),
    "cleaner-restores-twice": Patch(
        cleaner, "RESTORE", change_script("redis.call('HSET', KEYS[2], ARGV[1], 'restored')", "")
    ),
    "cleaner-restores-at-the-end": Patch(cleaner, "RESTORE", change_script("LPUSH", "RPUSH")),
    "cleaner-restores-backwards": Patch(
        cleaner, "RESTORE", change_script("for j = #ARGV, 3, -1 do", "for j = 3, #ARGV do")
    ),
    "cleaner-restores-the-popped": Patch(cleaner, "_absent_positions", lambda _absent: lambda _noted: set()),
    "cleaner-goes-on-after-pops": Patch(cleaner.ListCursor, "_step_back", stay_after_pops),
}
