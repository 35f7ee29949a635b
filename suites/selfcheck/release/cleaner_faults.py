"""What each seeded fault of the cleaner replaces; its rows are in fixtures/faults/faults.toml."""

import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fixtures.release.cleanup import classify, cleaner

FAULTY_SCRIPTS = tomllib.loads(Path(__file__).with_name("faulty_scripts.toml").read_text(encoding="utf-8"))


def spoil_script(row: Mapping[str, str], script: str) -> str:
    """Replace the line that a row names, or the whole script if it names none."""
    line = row.get("line", script)
    assert line in script
    return script.replace(line, row["faulty"])


def take_for_old(classify_message: Any, *, taken: str) -> Any:
    """Classify the messages of a format as old."""

    def classify_wrongly(message: bytes, now: Any) -> Any:
        info = classify_message(message, now)
        return info._replace(format="old") if info.format == taken else info

    return classify_wrongly


def stay_after_pops(_step_back: Any) -> Any:
    def pass_over(cursor: Any) -> None:
        cursor.remaining -= cursor.step
        cursor.position += cursor.step

    return pass_over


# By fault: the module or class, its attribute, and what makes a faulty value of the right one.
PATCHES: Mapping[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "cleaner-takes-the-unreadable": (classify, "classify_message", partial(take_for_old, taken="unreadable")),
    "cleaner-takes-the-new": (classify, "classify_message", partial(take_for_old, taken="new")),
    "cleaner-restores-the-popped": (cleaner, "_absent_positions", lambda _absent: lambda _noted: set()),
    "cleaner-goes-on-after-pops": (cleaner.ListCursor, "_step_back", stay_after_pops),
    **{name: (cleaner, row["script"], partial(spoil_script, row)) for name, row in FAULTY_SCRIPTS.items()},
}
