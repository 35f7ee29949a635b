"""`./ci/serve`: serves the eight services, or the FCM emulator alone, here until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from ci.support.cli import CommandParser, ExitCode, report_crash, resolve_path
from fixtures.platform.base import FLOW
from fixtures.platform.fcm import server as emulator
from fixtures.platform.fcm.canned_answers import ANSWERS
from fixtures.platform.fcm.messages import Misuse
from fixtures.platform.fcm.request_log import LoggedRequest
from fixtures.platform.fcm.token_options import FAULTS

CA = Path("build/fcm-ca.pem")
TOKENS_SHOWN = 3
EPILOG = """
A token such as case/v1-UNREGISTERED/any-id asks for a case, case/v1-delivered;delay=2;fault=reset/any-id
for a late and broken connection; every other token is delivered.
"""


def main(argv: list[str] | None = None) -> int:
    """Serve what is named; 64 on wrong usage, before anything is served."""
    asked = sys.argv[1:] if argv is None else argv
    words = asked[2:] if asked[:1] == ["--from"] else asked
    try:
        return (
            serve_alone(asked) if words[:1] == ["fcm"] and not set(FLOW) & set(words) else serve_chain(asked)
        )
    except KeyboardInterrupt:  # before it was served
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001 - a crash of ours must not look like wrong usage
        return report_crash("serve-crashed: this says nothing")


def serve_chain(argv: list[str]) -> int:
    """Serve services."""
    from ci.serving import platform as chain  # noqa: PLC0415 - it takes a second, which FCM alone need not wait for

    return chain.main(argv)


def serve_alone(argv: list[str]) -> int:
    """Serve FCM."""
    parser = CommandParser(prog="./ci/serve", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="fcm", parser_class=SubArguments)
    add_fcm(commands)
    options = parser.parse_args(argv)
    try:
        return serve_fcm(options)
    except Misuse as misuse:
        parser.refuse(misuse)


def add_fcm(commands: Any) -> None:
    """The subcommand `fcm`."""
    about = "FCM itself, legacy and v1: answers every case on demand, checks requests, fails as told"
    parser = commands.add_parser(
        "fcm",
        help=about,
        description=about,
        epilog=EPILOG,
        allow_abbrev=False,
    )
    emulator.add_options(parser)
    add = parser.add_argument
    add("--ca", metavar="FILE", help=f"where the throwaway CA's certificate is written; {CA} by default")
    add("--json", action="store_true", help="one JSON object a line instead of text")
    add("--cases", action="store_true", help="list the cases, options and faults that tokens can ask for")


class SubArguments(argparse.ArgumentParser):
    """A subcommand's parser, with the same usage errors."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the problem, and exit."""
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"usage: {message}\n  next: {self.prog} --help\n")


def serve_fcm(options: argparse.Namespace) -> int:
    """Serve the emulator."""
    if options.cases:
        print_cases()
        return ExitCode.GO
    settings = emulator.EmulatorSettings(
        port=options.port,
        recorded=resolve_path(options.caller_folder, options.recorded) if options.recorded else None,
        bearer=options.bearer,
        server_key=options.server_key,
        token_lifetime_s=options.token_lifetime,
        ca_file=(resolve_path(options.caller_folder, options.ca) if options.ca else CA).resolve(),
    )
    say, told = (print_json, print_entry_json) if options.json else (print_where, print_entry)
    emulator.serve(settings, say, told, with_parent=False)  # `./ci/serve fcm &` has no standard input
    return ExitCode.GO


def print_cases() -> None:
    """What tokens can ask for."""
    print("A token asks for a case: case/NAME/anything\n")
    for name in ANSWERS:
        print(f"  case/{name}/1")
    print("\nwith options between semicolons: case/NAME;delay=1.5;retry-after=30;fault=NAME/anything\n")
    for name, text in FAULTS.items():
        print(f"  fault={name:20} {text}")


def print_where(where: dict[str, Any]) -> None:
    """Where the emulator is, and how a client gets there."""
    url = where["url"]
    print(f"FCM emulator   {url}")
    print(f"  legacy       POST {url}/fcm/send")
    print(f"  v1           POST {url}/v1/projects/PROJECT/messages:send")
    print(f"  token_uri    {url}/token")
    print(f"  itself       {url}/_emulator/requests, /_emulator/script, /_emulator/cases")
    print("  clients that know only https://fcm.googleapis.com, unmodified:")
    print(f"    export HTTPS_PROXY={where['proxy']} REQUESTS_CA_BUNDLE={where['ca']}")
    print(f"    export SSL_CERT_FILE={where['ca']} NODE_EXTRA_CA_CERTS={where['ca']}")
    print(f"  TLS and HTTP/2 without the proxy: {where['https']}")
    print("Ctrl-C stops it.", flush=True)


def print_json(value: dict[str, Any]) -> None:
    """One JSON object a line."""
    print(json.dumps(value), flush=True)


def print_entry_json(entry: LoggedRequest) -> None:
    """One received message as JSON."""
    print_json(entry.to_json())


def print_entry(entry: LoggedRequest) -> None:
    """One received message, for people."""
    pairs = zip(entry.tokens, entry.cases, strict=False)
    shown = [f"{token[:48]} -> {case or 'as scripted'}" for token, case in pairs][:TOKENS_SHOWN]
    more = len(entry.tokens) - len(shown)
    said = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    fault = f" {entry.fault}" if entry.fault else ""
    print(f"#{entry.number} {entry.protocol} {entry.status}{fault} {said or entry.target or '-'}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
