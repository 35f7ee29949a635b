"""Starts the three providers, and prints their base URLs as one line of JSON.

    python -m suites.selfcheck.second_opinion [--fault NAME]

They end on SIGTERM, or when stdin closes.
"""

import argparse
import json
import signal
import sys

from suites.selfcheck.second_opinion.faults import FAULTS, build_services
from suites.selfcheck.second_opinion.web import start_server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m suites.selfcheck.second_opinion", description=__doc__)
    parser.add_argument(
        "--fault", metavar="NAME", choices=sorted(FAULTS), help="a mistake that one provider makes"
    )
    fault = parser.parse_args().fault
    servers = {service.name: start_server(service) for service in build_services(fault)}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    urls = {name: f"http://127.0.0.1:{server.server_port}" for name, server in servers.items()}
    sys.stdout.write(json.dumps(urls) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
