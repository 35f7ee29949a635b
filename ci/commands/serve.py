"""`./ci/serve`: serves the eight services, or the FCM emulator alone, on this machine until Ctrl-C."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from ci.serving import platform
from ci.support import cli
from ci.support.cli import command
from ci.support.command_line import CommandParser
from ci.support.exit_codes import ExitCode
from fixtures.core.project import BUILD
from fixtures.core.topology import FLOW
from fixtures.platform.fcm import server
from fixtures.platform.fcm.canned_answers import ANSWERS, FAULTS
from fixtures.platform.fcm.messages import LoggedRequest
from fixtures.results.report.templating import render_text

TOKENS_SHOWN = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Serve what the arguments name; exits 64 on wrong usage, before anything is served."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    caller_length = 2 if arguments[:1] == ["--from"] else 0
    caller, names = arguments[:caller_length], arguments[caller_length:]
    if names[:1] == ["fcm"] and not set(FLOW) & set(names):
        return serve_fcm([*caller, *names[1:]])
    return serve_platform(arguments)


@command("serve")
def serve_platform(parser: CommandParser, options: argparse.Namespace) -> int:
    """Serve the services until a signal."""
    return platform.serve(parser, options)


@command("serve fcm")
def serve_fcm(_: CommandParser, options: argparse.Namespace) -> int:
    """Serve the emulator alone."""
    if options.cases:
        print(render_text(cli.TEMPLATES / "serve-fcm-cases.txt.jinja", cases=ANSWERS, faults=FAULTS), end="")
        return ExitCode.GO
    folder = options.caller_folder
    for name in ("recorded", "script"):
        if getattr(options, name):
            setattr(options, name, cli.resolve_path(folder, getattr(options, name)))
    options.ca = cli.resolve_path(folder, options.ca) if options.ca else BUILD / "fcm-ca.pem"
    on_ready = print_json if options.json_lines else print_urls
    on_request = (lambda request: print_json(request.to_json())) if options.json_lines else print_request
    # `./ci/serve fcm &` has no standard input whose end could stop the server.
    server.serve(options, on_ready, on_request, with_parent=False)
    return ExitCode.GO


def print_urls(urls: dict[str, Any]) -> None:
    print(render_text(cli.TEMPLATES / "serve-fcm.txt.jinja", **urls), end="", flush=True)


def print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


def print_request(request: LoggedRequest) -> None:
    pairs = list(zip(request.tokens, request.cases, strict=False))[:TOKENS_SHOWN]
    tokens = ", ".join(f"{token[:48]} -> {case or 'as scripted'}" for token, case in pairs)
    if len(request.tokens) > len(pairs):
        tokens += f" and {len(request.tokens) - len(pairs)} more"
    fault = f" {request.fault}" if request.fault else ""
    recipient = tokens or request.target or "-"
    print(f"#{request.number} {request.protocol} {request.status}{fault} {recipient}", flush=True)
