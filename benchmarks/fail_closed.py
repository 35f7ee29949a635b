"""How soon the gate knows that something is wrong: `python -m benchmarks.fail_closed [NAME ...]`.

Each fault of the table is driven through the gate's own process, in a small copy of the project, and its row
of docs/fail-closed.md is written: with names, those rows only. Exits 1 if a fault does not end as it must.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fixtures.core.project import ROOT
from fixtures.targets import target as targets
from suites.selfcheck.fail_closed.model import KEEPER, REACTOR, TIMEOUT_S, Fault, Scene, Setting
from suites.selfcheck.fail_closed.sandbox import amiss, built, gate, ran
from suites.selfcheck.fail_closed.table import FAULTS, GROUPS, OWN_HOUSE

PAGE = ROOT / "docs" / "fail-closed.md"
ROW = re.compile(r"^\| `([\w-]+)` \| .* \| (\S*) \| (\S*) \|$", re.MULTILINE)
HEADING = f"""# What the gate says when something is wrong

Whatever goes wrong around a run, the answer is never *go*. Each row is a fault, made at the socket or in
the files where it belongs, and driven through the real process of the gate. `python -m
benchmarks.fail_closed` does that for all and writes this page; `./ci/test` for those that are known at
once, and one of each other kind; `./ci/test suites -m nightly` for the rest. They run in a small copy of
the project, whose suites hold few tests and whose policy asks for those; where nothing is wrong, it says
*go* in {{healthy}} s, most of which is the start of its processes.

**Known after** is when the reason could be read on the terminal, in seconds from the start of the command;
**waits** is how much of that is a configured time-out: deployments have {TIMEOUT_S:g} s for an answer here.
A verdict of `none` means that the gate could not write one, or did not live to: it exits 2 or more, and
what an earlier run wrote is gone.
"""
TABLE = "| fault | what is wrong | verdict | known after | waits |\n|---|---|---|---:|---:|\n"


def main(names: Sequence[str]) -> int:
    """Drive the faults, print what came of each, and write the page."""
    unknown = set(names) - set(FAULTS)
    if unknown:
        print(f"unknown-fault: {', '.join(unknown)}; allowed: {', '.join(FAULTS)}", file=sys.stderr)
        return 64
    wrong = 0
    for name, seconds, problem in driven([FAULTS[name] for name in names or FAULTS]):
        known = {**measured_before(), name: f"{seconds:.1f}" if seconds is not None else "-"}
        print(f"{name:28} {known[name]:>6} s  {problem or 'as it must'}", flush=True)
        wrong += bool(problem)
        PAGE.write_text(page(known), encoding="utf-8")
    return 1 if wrong else 0


def measured_before() -> dict[str, str]:
    """What the page says so far."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    known = {name: seconds for name, seconds, _ in ROW.findall(text)}
    healthy = re.search(r"\*go\* in (\S+) s", text)
    return {**known, "": healthy[1] if healthy else "?"}


def driven(faults: Sequence[Fault]) -> Iterator[tuple[str, float | None, str]]:
    """Each fault with the seconds until its reason was known, and what went wrong; first none at all."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-closed-") as folder:
        root = Path(folder)
        house = built(root / "house")
        with targets.embedded([REACTOR, KEEPER], "after") as found:
            behind = {name: target.url for name, target in found.items()}
            told = gate(Scene(house, root / "warm", behind), Setting(), re.compile("GO"))
            told = gate(Scene(house, root / "well", behind), Setting(), re.compile("GO"))
            yield "", told.known_s, "" if told.exit_status == 0 else told.text
            for fault in faults:
                yield _one(fault, root, house, behind)


def _one(fault: Fault, root: Path, house: Path, behind: Mapping[str, str]) -> tuple[str, float | None, str]:
    place = house
    if fault.name in OWN_HOUSE:
        place = root / f"house-{fault.name}"
        shutil.copytree(house, place)
    told = ran(fault, Scene(place, root / fault.name, behind))
    return fault.name, told.known_s, amiss(fault, told)


def page(known: Mapping[str, str]) -> str:
    """The table as people read it."""
    parts = [HEADING.format(healthy=known[""])]
    for group, faults in GROUPS.items():
        rows = [
            f"| `{one.name}` | {one.what} | {one.verdict} | {known.get(one.name, '?')} "
            f"| {one.waits_s or '-'} |\n"
            for one in faults
        ]
        parts.append(f"\n## {group}\n\n{TABLE}{''.join(rows)}")
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
