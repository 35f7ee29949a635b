"""Sends a finished run as OpenTelemetry spans: one for the run, and in it one for each test.

It runs in .venv-otlp, which has the SDK, and reads verdict.json and the ledger, in which secrets are masked.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode, set_span_in_context

SPANS_PER_REQUEST = 500
NANOSECONDS = 1_000_000_000
TEST_ATTRIBUTES = ("suite", "result", "provider", "case", "promise", "reports", "worker")


def main(verdict_file: str, ledger_file: str) -> int:
    """Exit 1 if the collector did not take every span."""
    verdict = json.loads(Path(verdict_file).read_text(encoding="utf-8"))
    ledger = Path(ledger_file)  # without it, no test could start
    text = ledger.read_text(encoding="utf-8") if ledger.exists() else ""
    spans = build_spans(verdict, [json.loads(line) for line in text.splitlines()], os.environ)
    exporter = OTLPSpanExporter()
    for start in range(0, len(spans), SPANS_PER_REQUEST):
        if exporter.export(spans[start : start + SPANS_PER_REQUEST]) is not SpanExportResult.SUCCESS:
            return 1
    print(f"spans: {len(spans)} sent")
    return 0


def build_spans(
    verdict: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], environ: Mapping[str, str]
) -> list[ReadableSpan]:
    """The spans of a run. TRACEPARENT, which CI systems set, names their parent."""
    about = verdict.get("provenance", {})
    names = {"service.name": environ.get("OTEL_SERVICE_NAME", "fcm-compat")}
    names |= {"service.version": about["fcm-compat"]} if about else {}
    finished, provider = InMemorySpanExporter(), TracerProvider(resource=Resource.create(names))
    provider.add_span_processor(SimpleSpanProcessor(finished))
    tracer = provider.get_tracer("fcm-compat")
    header = next((line for line in lines if line["kind"] == "header"), None)
    began_s = datetime.fromisoformat(header["started_at"]).timestamp() if header else time.time()
    began = round(began_s * NANOSECONDS)
    parent = extract({"traceparent": environ.get("TRACEPARENT", "")})
    run = tracer.start_span("gate", parent, start_time=began, attributes=describe_run(verdict))
    in_run = set_span_in_context(run)
    for line in lines:
        if line["kind"] == "test":
            start = began + round(line.get("started_s", 0) * NANOSECONDS)
            test = tracer.start_span(line["test"], in_run, start_time=start, attributes=describe_test(line))
            reason = line.get("message", "") if line["result"] in {"failed", "broken", "skipped"} else None
            end_span(test, start, line["duration_s"], reason)
    reason = None if verdict["verdict"] == "go" else "; ".join(verdict["reasons"])
    end_span(run, began, verdict["duration_s"], reason)
    return list(finished.get_finished_spans())


def end_span(span: Any, start: int, duration_s: float, error: str | None) -> None:
    """End a span, as an error if there is a text of one, even if it is empty."""
    if error is not None:
        span.set_status(Status(StatusCode.ERROR, error))
    span.end(start + round(duration_s * NANOSECONDS))


def describe_run(verdict: Mapping[str, Any]) -> dict[str, Any]:
    about = {
        f"fcm_compat.{name}": verdict[name] for name in ("verdict", "run", "environment", "seed", "reports")
    }
    about["fcm_compat.findings"] = len(verdict["findings"])
    provenance = verdict.get("provenance", {})
    return about | {f"fcm_compat.{name.replace(' ', '_')}": text for name, text in provenance.items()}


def describe_test(line: Mapping[str, Any]) -> dict[str, Any]:
    about = {f"fcm_compat.{name}": line[name] for name in TEST_ATTRIBUTES if name in line}
    findings = [finding["id"] for finding in line.get("findings", ())]
    file = {"code.file.path": line["test"].partition("::")[0], "test.case.name": line["test"]}
    return about | file | ({"fcm_compat.findings": findings} if findings else {})


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
