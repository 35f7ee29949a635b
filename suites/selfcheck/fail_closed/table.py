"""The whole table: every fault by its name."""

from __future__ import annotations

from collections.abc import Mapping

from suites.selfcheck.fail_closed import (
    broken_from_start,
    broken_later,
    network_faults,
    project_faults,
    run_faults,
)
from suites.selfcheck.fail_closed.model import Fault

GROUPS: Mapping[str, tuple[Fault, ...]] = {
    "Nobody is there, or somebody else": network_faults.FAULTS,
    "The deployment is wrong from the first request on": broken_from_start.FAULTS,
    "The deployment is wrong later": broken_later.FAULTS,
    "The run itself is disturbed": run_faults.FAULTS,
    "The project's own files are not as they must be": project_faults.FAULTS,
}
FAULTS: Mapping[str, Fault] = {fault.name: fault for group in GROUPS.values() for fault in group}
OWN_HOUSE = {fault.name for fault in (*run_faults.FAULTS, *project_faults.FAULTS)}
"""Those that change files, and so need a house to themselves."""
