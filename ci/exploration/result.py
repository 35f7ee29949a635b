"""What a deep run leaves behind: deep.json, the curve, what was found as examples, and words for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ci.exploration.rounds import Dig
from fixtures.core import schemas
from fixtures.core.catalogue import load
from fixtures.core.findings import Finding, describe
from fixtures.scenarios.coverage import corpus
from fixtures.scenarios.coverage.coverage import MOST_KINDS, MOST_POINTS
from fixtures.scenarios.coverage.plot import picture
from fixtures.scenarios.coverage.recorder import MOST

SHOWN = 8
MOST_TROUBLE = 50


def result_of(dug: Dig, seed: int, seconds: float, memory_mb: Mapping[str, float]) -> dict[str, Any]:
    """What deep.json says."""
    explored = dug.explored
    rate, words = explored.saturation()
    return {
        "seed": seed,
        "rounds": dug.rounds,
        "tests": dug.tests,
        "reports": explored.reports,
        "behaviours": explored.behaviours,
        "new_in_a_thousand": rate,
        "words": words,
        "curve": [list(point) for point in explored.curve],
        "coverage": explored.coverage(load()),
        "findings": list(explored.found.values()),
        "findings_left_out": explored.left_out,
        "trouble": dug.trouble[:MOST_TROUBLE],
        "versions": dug.versions,
        "duration_s": round(seconds, 1),
        "memory_mb": dict(memory_mb),
        "limits": {"behaviours": MOST, "points": MOST_POINTS, "kinds_of_findings": MOST_KINDS},
    }


def write(folder: Path, dug: Dig, result: Mapping[str, Any]) -> None:
    """Write all of it."""
    schemas.validate(result, "deep.schema.json")
    (folder / "deep.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (folder / "curve.svg").write_text(picture(dug.explored.curve, result["words"]), encoding="utf-8")
    lines = corpus.lines(result["findings"])
    if lines:
        text = "".join(f"{line}\n" for line in lines)
        (folder / "found.ndjson").write_text(text, encoding="utf-8")


def tell(folder: Path, result: Mapping[str, Any]) -> None:
    """Print what was found, what was covered, and what it says about more time; never a verdict."""
    for row in result["findings"][:SHOWN]:
        finding = Finding(**{name: value for name, value in row.items() if name not in ("round", "seed")})
        print(f"{describe(finding)}\n  again:    {finding.reproduce}  (round {row['round']})\n")
    if len(result["findings"]) > SHOWN:
        print(f"... and {len(result['findings']) - SHOWN} more kinds of findings in {folder / 'deep.json'}\n")
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
    for reason in result["trouble"][:SHOWN]:
        print(reason, file=sys.stderr)
    examples = folder / "found.ndjson"
    if examples.exists():
        print(f"found: {examples}; next: ./ci/deep --add {examples}")
    elif result["findings"]:
        print("found, but no single answer shows it: the commands above repeat it")
    elif not result["trouble"] and result["reports"]:
        print("nothing was found; this is no verdict, ./ci/gate gives one")
    else:
        print("could not run: this says nothing, and is no verdict")
