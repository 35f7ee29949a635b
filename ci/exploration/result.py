"""The result of a deep run: deep.json, the curve, examples of what was found, and a summary for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ci.exploration.rounds import Exploration
from fixtures.core import schemas
from fixtures.core.catalogue import load_catalogue
from fixtures.core.findings import Finding, describe_finding
from fixtures.scenarios.coverage import corpus
from fixtures.scenarios.coverage.coverage import MAX_KINDS, MAX_POINTS
from fixtures.scenarios.coverage.plot import draw_curve
from fixtures.scenarios.coverage.recorder import MAX_BEHAVIOURS

MAX_PRINTED = 8
MAX_PROBLEMS = 50


def create_result(exploration: Exploration, memory_mb: Mapping[str, float]) -> dict[str, Any]:
    """The content of deep.json."""
    coverage = exploration.coverage
    rate, summary = coverage.saturation()
    return {
        "seed": exploration.config.run.seed,
        "rounds": exploration.rounds,
        "tests": exploration.tests,
        "reports": coverage.reports,
        "behaviours": coverage.behaviours,
        "new_in_a_thousand": rate,
        "words": summary,
        "curve": [list(point) for point in coverage.curve],
        "coverage": coverage.coverage(load_catalogue()),
        "findings": list(coverage.findings.values()),
        "findings_left_out": coverage.left_out,
        "trouble": exploration.problems[:MAX_PROBLEMS],
        "versions": exploration.versions,
        "duration_s": round(exploration.elapsed_s, 1),
        "memory_mb": dict(memory_mb),
        "limits": {"behaviours": MAX_BEHAVIOURS, "points": MAX_POINTS, "kinds_of_findings": MAX_KINDS},
    }


def write_result(folder: Path, result: Mapping[str, Any]) -> None:
    """Write deep.json, curve.svg and, if answers were found, found.ndjson."""
    schemas.validate(result, "deep.schema.json")
    (folder / "deep.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (folder / "curve.svg").write_text(draw_curve(result["curve"], result["words"]), encoding="utf-8")
    lines = corpus.recording_lines(result["findings"])
    if lines:
        (folder / "found.ndjson").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def print_summary(folder: Path, result: Mapping[str, Any]) -> None:
    """Print what was found and covered, and what this says about more time; never a verdict."""
    findings, problems = result["findings"], result["trouble"]
    for row in findings[:MAX_PRINTED]:
        finding = Finding(**{name: value for name, value in row.items() if name not in ("round", "seed")})
        print(f"{describe_finding(finding)}\n  again:    {finding.reproduce}  (round {row['round']})\n")
    if len(findings) > MAX_PRINTED:
        print(f"... and {len(findings) - MAX_PRINTED} more kinds of findings in {folder / 'deep.json'}\n")
    coverage, memory = result["coverage"], result["memory_mb"]
    print(
        f"{result['rounds']} rounds from seed {result['seed']}, {result['tests']} tests, {result['reports']} "
        f"reports, {result['behaviours']} behaviours, {result['duration_s']:.0f} s, "
        f"at most {memory['greatest_process']:.0f} MB in any process and {memory['command']:.0f} MB here"
    )
    print(
        f"cases x keywords x providers: {coverage['reached']} of {coverage['cells']} cells reached, "
        f"{coverage['not_everywhere']} at some provider but not at every one; "
        f"{len(coverage['never_by_any_case'])} keywords that no case reached"
    )
    print(f"{result['words']} See {folder / 'curve.svg'}")
    for problem in problems[:MAX_PRINTED]:
        print(problem, file=sys.stderr)
    examples = folder / "found.ndjson"
    if examples.exists():
        print(f"found: {examples}; next: ./ci/deep --add {examples}")
    elif findings:
        print("found, but no single answer shows it: the commands above repeat it")
    elif not problems and result["reports"]:
        print("nothing was found; this is no verdict, ./ci/gate gives one")
    else:
        print("could not run: this says nothing, and is no verdict")
