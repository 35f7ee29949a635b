"""`./ci/serve`: serves the eight services, or the FCM emulator alone, on this machine until Ctrl-C."""

from __future__ import annotations

import json
import sys
from typing import Any

from ci.serving import platform
from ci.support.cli import CommandParser, ExitCode, report_crash, resolve_path
from fixtures.core.project import BUILD
from fixtures.core.topology import FLOW
from fixtures.platform.fcm import server
from fixtures.platform.fcm.canned_answers import ANSWERS, FAULTS
from fixtures.platform.fcm.messages import EmulatorError, LoggedRequest

TOKENS_SHOWN = 3
DESCRIPTION = "FCM itself, legacy and v1: gives every answer on demand, checks requests, fails on demand"
EPILOG = """
A token such as case/v1-UNREGISTERED/any-id asks for a case, case/v1-delivered;delay=2;fault=reset/any-id
for a late and broken connection; every other token is delivered. The default of --ca is build/fcm-ca.pem.
"""


def main(argv: list[str] | None = None) -> int:
    """Serve what the arguments name; exits 64 on wrong usage, before anything is served."""
    arguments = sys.argv[1:] if argv is None else argv
    caller_length = 2 if arguments[:1] == ["--from"] else 0
    caller, names = arguments[:caller_length], arguments[caller_length:]
    try:
        if names[:1] == ["fcm"] and not set(FLOW) & set(names):
            return serve_fcm([*caller, *names[1:]])
        return platform.main(arguments)
    except KeyboardInterrupt:  # before anything was served
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001 - a crash of ours must not look like wrong usage
        return report_crash("serve-crashed: this says nothing")


def serve_fcm(arguments: list[str]) -> int:
    """Serve the emulator alone."""
    parser = CommandParser(prog="./ci/serve fcm", description=DESCRIPTION)
    parser.epilog = EPILOG
    server.add_options(parser)
    add = parser.add_argument
    add("--json", action="store_true", help="one JSON object a line instead of text")
    add("--cases", action="store_true", help="list the cases, options and faults that tokens can ask for")
    options = parser.parse_args(arguments)
    if options.cases:
        print_cases()
        return ExitCode.GO
    folder = options.caller_folder
    if options.recorded:
        options.recorded = resolve_path(folder, options.recorded)
    options.ca = resolve_path(folder, options.ca) if options.ca else BUILD / "fcm-ca.pem"
    on_ready = print_json if options.json else print_urls
    on_request = (lambda request: print_json(request.to_json())) if options.json else print_request
    try:
        # `./ci/serve fcm &` has no standard input whose end could stop the server.
        server.serve(options, on_ready, on_request, with_parent=False)
    except EmulatorError as error:
        parser.refuse(error)
    return ExitCode.GO


def print_cases() -> None:
    print("A token asks for a case: case/NAME/anything\n")
    for name in ANSWERS:
        print(f"  case/{name}/1")
    print("\nwith options between semicolons: case/NAME;delay=1.5;retry-after=30;fault=NAME/anything\n")
    for name, text in FAULTS.items():
        print(f"  fault={name:20} {text}")


def print_urls(urls: dict[str, Any]) -> None:
    url = urls["url"]
    print(f"FCM emulator   {url}")
    print(f"  legacy       POST {url}/fcm/send")
    print(f"  v1           POST {url}/v1/projects/PROJECT/messages:send")
    print(f"  token_uri    {url}/token")
    print(f"  itself       {url}/_emulator/requests, /_emulator/script, /_emulator/cases")
    print("  clients that know only https://fcm.googleapis.com, unmodified:")
    print(f"    export HTTPS_PROXY={urls['proxy']} REQUESTS_CA_BUNDLE={urls['ca']}")
    print(f"    export SSL_CERT_FILE={urls['ca']} NODE_EXTRA_CA_CERTS={urls['ca']}")
    print(f"  TLS and HTTP/2 without the proxy: {urls['https']}")
    print("Ctrl-C stops it.", flush=True)


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


if __name__ == "__main__":
    sys.exit(main())
