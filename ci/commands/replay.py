"""`./ci/replay` is an adapter program for a targets file: a push package is judged with its own client.

An FCM on loopback answers each token as its report says. The package sends and reads, and a class with
`handle` says what it did.
"""

import argparse
import json
import sys
from pathlib import Path

from ci.serving.package_fcm import replay_to_package
from ci.support.cli import command, resolve_path
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode

ARGUMENTS = {
    "subscribe": "subscribers", "deliver": "reports", "look": "ids", "reset": "subscribers",
    "unsubscribe": "subscribers",
}  # fmt: skip


@command("replay")
def main(_parser: CommandParser, options: argparse.Namespace) -> int:
    """Answer the lines of an adapter program until they end: exit 0, 64 if the package cannot be judged."""
    # Not resolved: the interpreter of a virtual environment is a link.
    python = str(Path(options.caller_folder, options.python))
    folder = resolve_path(options.caller_folder, ".")
    with replay_to_package(python, folder, options.adapter) as handler:
        for line in sys.stdin:
            request = json.loads(line)
            result = getattr(handler, request["do"])(request[ARGUMENTS[request["do"]]])
            print(json.dumps({"subscribers": result} if request["do"] == "look" else {}), flush=True)
    return ExitCode.GO
