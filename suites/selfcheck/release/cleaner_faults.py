"""What each seeded fault of the cleaner replaces; its rows are in fixtures/faults/faults.toml."""

import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fixtures.release.cleanup import classify, cleaner, steps
from fixtures.release.cleanup.cursor import ListCursor

FAULTY_SCRIPTS = tomllib.loads(Path(__file__).with_name("faulty_scripts.toml").read_text(encoding="utf-8"))


def spoil_script(row: Mapping[str, str], script: str) -> str:
    """Replace the line that a row names, or the whole script if it names none."""
    line = row.get("line", script)
    assert line in script
    return script.replace(line, row["faulty"])


def take_for_old(classify_message: Any, *, name: str) -> Any:
    """Classify the messages of a format as old."""

    def classify_wrongly(message: bytes, now: Any) -> Any:
        info = classify_message(message, now)
        return info._replace(format="old") if info.format == name else info

    return classify_wrongly


def pass_over(read: Any, *, direction: int) -> Any:
    """Pass over as many messages as others popped (1) or pushed (-1) at the head since the last step."""

    def read_wrongly(cursor: Any) -> Any:
        position, messages = cursor.position, read(cursor)
        shift = max(0, direction * (position - cursor.position))
        cursor.position += shift
        cursor.unread -= shift
        return messages[shift:]

    return read_wrongly


# By fault: the module or class, its attribute, and what makes a faulty value of the right one.
PATCHES: Mapping[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "cleaner-takes-the-unreadable": (classify, "classify_message", partial(take_for_old, name="unreadable")),
    "cleaner-takes-the-new": (classify, "classify_message", partial(take_for_old, name="new")),
    "cleaner-restores-the-popped": (cleaner, "_absent_positions", lambda _absent: lambda _noted: set()),
    "cleaner-goes-on-after-pops": (ListCursor, "read", partial(pass_over, direction=1)),
    "cleaner-goes-on-after-pushes": (ListCursor, "read", partial(pass_over, direction=-1)),
    "cleaner-leaves-the-aside": (cleaner, "put_aside_back", lambda _put_back: lambda _containers: 0),
    "cleaner-doubles-after-a-loss": (cleaner, "_digest", lambda _digest: lambda _message: object()),
    **{name: (steps, row["script"], partial(spoil_script, row)) for name, row in FAULTY_SCRIPTS.items()},
}
