"""`./ci/gate --otlp` hands a finished run to OpenTelemetry's SDK, which is in an environment of its own."""

import subprocess
import sys
from collections.abc import Mapping

from ci.support.own_environment import install_environment
from fixtures.core.errors import UserError
from fixtures.core.outside import quote_outside
from fixtures.core.project import ROOT
from fixtures.results.build_folder import RunFiles

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HTTP = "http/protobuf"
TIME_LIMIT_S = 60
QUOTE_LENGTH = 300


def prepare(environ: Mapping[str, str]) -> None:
    """Read OpenTelemetry's variables, and install its SDK if it is missing. Raises UserError."""
    if not any(environ.get(name) for name in ENDPOINTS):
        raise UserError(
            "no-otlp-endpoint", ENDPOINTS[1], "is not set", f"export {ENDPOINTS[1]}=http://127.0.0.1:4318"
        )
    protocol = next(filter(None, map(environ.get, PROTOCOLS)), HTTP)
    if protocol != HTTP:
        raise UserError("bad-otlp-protocol", protocol, f"allowed: {HTTP}", f"export {PROTOCOLS[1]}={HTTP}")
    if exit_code := install_environment("otlp"):
        raise UserError(
            "no-opentelemetry", "--otlp", f"its set-up ended with {exit_code}", "./ci/setup/otlp.sh"
        )


def send_spans(files: RunFiles) -> None:
    """Send the run of these files, and print how many spans, or why none. It decides nothing."""
    program = [str(ROOT / ".venv-otlp" / "bin" / "python"), "-m", "ci.support.span_sender"]
    try:
        process = subprocess.run(  # noqa: S603  our own
            [*program, str(files.verdict), str(files.ledger)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = f"{type(error).__name__} after at most {TIME_LIMIT_S} s"
    else:
        if process.returncode == 0:
            print(process.stdout, end="")
            return
        first, *rest = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
        problem = quote_outside(rest[-1] if first.startswith("Traceback") else first, QUOTE_LENGTH)
    step = f"see whether a collector listens at {ENDPOINTS[1]}; the verdict stands without"
    print(UserError("spans-not-sent", "--otlp", problem, step), file=sys.stderr)
