"""Measures how soon the gate reports a fault: `python -m suites.selfcheck.fail_closed [NAME ...]`.

It drives each fault through the gate's own process, in a small copy of the project, and writes its row of
docs/fail-closed.md: with names, those rows only. Exits 1 if a fault does not end as it must.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fixtures.core.project import DOCS
from fixtures.targets.embedded import embedded_targets
from suites.selfcheck.fail_closed import (
    test_broken_deployments,
    test_deployments_that_break_later,
    test_earlier_runs,
    test_harm_to_others,
    test_network_faults,
    test_other_configurations,
    test_own_files,
    test_project_faults,
    test_replicas,
    test_run_faults,
    test_surroundings,
)
from suites.selfcheck.fail_closed.sandbox import (
    KEEPER,
    REACTOR,
    TIMEOUT_S,
    GateCall,
    GateFault,
    Scene,
    create_project,
    find_mistake,
    run_fault,
    run_gate,
)

PAGE = DOCS / "fail-closed.md"
ROW = re.compile(r"^\| `([\w-]+)` \| (.*?) \| (\S+) \| (\S*) \| (\S*) \|$", re.MULTILINE)
HEADING = Path(__file__).with_name("page.md").read_text(encoding="utf-8")
TABLE = "| fault | what is wrong | verdict | known after | waits |\n|---|---|---|---:|---:|\n"
GROUPS: Mapping[str, Sequence[GateFault]] = {
    "The deployment cannot be reached, or is another server": test_network_faults.FAULTS,
    "The deployment is wrong from the first request on": test_broken_deployments.FROM_THE_START,
    "The deployment is wrong later": test_deployments_that_break_later.LATER,
    "Its instances differ, or its version is another": test_replicas.FAULTS,
    "The deployment harms others, or harms later": test_harm_to_others.FAULTS,
    "The run itself is disturbed": test_run_faults.FAULTS,
    "Another run was there before, or is there, or nothing is judged": test_earlier_runs.FAULTS,
    "The project's own files are wrong": test_project_faults.FAULTS,
    "A file of the user is wrong": test_own_files.FAULTS,
    "Other files, variables and plugins take checks away": test_other_configurations.FAULTS,
    "The machine or the environment is unusual": test_surroundings.FAULTS,
}
FAULTS = {fault.name: fault for faults in GROUPS.values() for fault in faults}
CHANGE_THE_PROJECT = {
    fault.name
    for faults in (
        test_replicas.BALANCED,
        *(test_run_faults.FAULTS, test_earlier_runs.FAULTS, test_project_faults.FAULTS),
        *(test_own_files.FAULTS, test_other_configurations.FAULTS, test_surroundings.FAULTS),
    )
    for fault in faults
}


def main(names: Sequence[str]) -> int:
    """Drive the faults, print how each ended, and write the page."""
    unknown = set(names) - set(FAULTS)
    if unknown:
        print(f"unknown-fault: {', '.join(unknown)}; allowed: {', '.join(FAULTS)}", file=sys.stderr)
        return 64
    mistakes = 0
    for name, seconds, mistake in drive_faults([FAULTS[name] for name in names or FAULTS]):
        known_after = {**read_page(), name: f"{seconds:.1f}" if seconds is not None else "-"}
        print(f"{name:28} {known_after[name]:>6} s  {mistake or 'as it must'}", flush=True)
        mistakes += bool(mistake)
        PAGE.write_text(format_page(known_after), encoding="utf-8")
    return 1 if mistakes else 0


def read_page() -> dict[str, str]:
    """The seconds by fault that the page holds; "" is a run without a fault."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    known_after = {name: seconds for name, _, _, seconds, _ in ROW.findall(text)}
    healthy = re.search(r"\*go\* in (\S+) s", text)
    return {**known_after, "": healthy[1] if healthy else "?"}


def drive_faults(faults: Sequence[GateFault]) -> Iterator[tuple[str, float | None, str]]:
    """Each fault with the seconds until its reason was printed, and the mistake; first a run without any."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-closed-") as folder:
        root = Path(folder)
        project = create_project(root / "project")
        with embedded_targets([REACTOR, KEEPER], "after") as targets:
            urls = {name: target.url for name, target in targets.items()}
            run_gate(Scene(project, root / "warm", urls), GateCall(), re.compile("GO"))  # fills the caches
            healthy = run_gate(Scene(project, root / "healthy", urls), GateCall(), re.compile("GO"))
            yield "", healthy.known_s, "" if healthy.exit_status == 0 else healthy.text
            for fault in faults:
                project_of_fault = project
                if fault.name in CHANGE_THE_PROJECT:
                    project_of_fault = root / f"project-{fault.name}"
                    shutil.copytree(project, project_of_fault, symlinks=True)
                result = run_fault(fault, Scene(project_of_fault, root / fault.name, urls))
                yield fault.name, result.known_s, find_mistake(fault, result)


def format_page(known_after: Mapping[str, str]) -> str:
    """The page in Markdown."""
    parts = [HEADING.format(healthy=known_after[""], timeout_s=TIMEOUT_S)]
    for group, faults in GROUPS.items():
        rows = "".join(
            f"| `{fault.name}` | {fault.what} | {fault.verdict} | {known_after.get(fault.name, '?')} "
            f"| {fault.waits_s or '-'} |\n"
            for fault in faults
        )
        parts.append(f"\n## {group}\n\n{TABLE}{rows}")
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
