"""Runs the adapter of a push package: python package_runner.py FOLDER MODULE:CLASS.

The interpreter of the package runs this file, so it imports nothing of the project. Each line that it reads
holds what one request of the package is about: a list of pairs of FCM's answer and the subscriber. It answers
with a line that holds their states.
"""

import importlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

MOST_PAUSES = 15  # of one request: more than fixed numbers of attempts, fewer than FCM answers


class StillSendingAgain(Exception):
    """The package pauses and sends again for as long as FCM answers so."""


def handle(adapter: Any, pairs: Sequence[tuple[Any, Any]]) -> list[Any]:
    """The state that the adapter returns for each pair."""
    if not hasattr(adapter, "handle_multicast"):
        return [call(adapter.handle, *pair) for pair in pairs]
    states = call(adapter.handle_multicast, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return states if isinstance(states, list) else [states] * len(pairs)


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """What an adapter returns; `raises` and the name of the error if it raises one."""
    pauses = itertools.count(1)

    def pause(_seconds: object) -> None:
        if next(pauses) > MOST_PAUSES:
            raise StillSendingAgain

    time.sleep = pause  # a package may pause for minutes between its attempts
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001  a package's way to say what happened
        return f"raises {type(error).__name__}"


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # what a package prints is no answer
    folder, name = sys.argv[1:]
    sys.path[0] = folder  # not the folder of this file, whose modules are not for packages
    module, _, class_name = name.partition(":")
    adapter = getattr(importlib.import_module(module), class_name)()
    print(json.dumps({"multicast": hasattr(adapter, "handle_multicast")}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps({"states": handle(adapter, json.loads(line))}), file=answers, flush=True)


if __name__ == "__main__":
    main()
