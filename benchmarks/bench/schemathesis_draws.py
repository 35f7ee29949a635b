"""Reports a second of Schemathesis's own generator, for an operation of an OpenAPI document.

Run by its own interpreter, which knows nothing of this project: prints one number.
"""

from __future__ import annotations

import sys
import time
import warnings

import schemathesis
from hypothesis import HealthCheck, given, settings

EXAMPLES = 100


def main(document: str) -> None:
    """Draw batches for `POST /v1/reports`, and count the reports in them."""
    operation = schemathesis.openapi.from_path(document)["/v1/reports"]["POST"]
    count = 0

    @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def draw(case: schemathesis.Case) -> None:
        nonlocal count
        reports = case.body.get("reports") if isinstance(case.body, dict) else None
        count += len(reports) if isinstance(reports, list) else 0

    started = time.perf_counter()
    draw()
    print(count / (time.perf_counter() - started))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1])
