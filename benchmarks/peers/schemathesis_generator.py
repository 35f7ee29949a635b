"""What Schemathesis's own generator draws for an operation of an OpenAPI document.

Run by its own interpreter, which knows nothing of this project: DOCUMENT SEED REPORTS. Prints one JSON
object: reports `a_second`, and the first of the `reports`, as many as asked for.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, seed, settings

EXAMPLES = 100


def main(document: str, first: int, count: int) -> None:
    """Draw batches for `POST /v1/reports` until there are enough reports; some in any case."""
    operation = schemathesis.openapi.from_path(document)["/v1/reports"]["POST"]
    reports: list[Any] = []

    @given(case=operation.as_strategy())
    def draw(case: schemathesis.Case) -> None:
        listed = case.body.get("reports") if isinstance(case.body, dict) else None
        reports.extend(listed if isinstance(listed, list) else [])

    health = list(HealthCheck)
    drawing = settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=health)(
        draw
    )
    started, number = time.perf_counter(), 0
    while number == 0 or len(reports) < count:
        seed(1000 * first + number)(drawing)()
        number += 1
    rate = len(reports) / (time.perf_counter() - started)
    print(json.dumps({"a_second": rate, "reports": reports[:count]}))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
