"""The whole table: every fault by its name."""

from __future__ import annotations

from collections.abc import Mapping

from suites.selfcheck.closed import at_once, houses, later, network, runs
from suites.selfcheck.closed.fault import Fault

GROUPS: Mapping[str, tuple[Fault, ...]] = {
    "Nobody is there, or somebody else": network.FAULTS,
    "The deployment is wrong from the first request on": at_once.FAULTS,
    "The deployment is wrong later": later.FAULTS,
    "The run itself is disturbed": runs.FAULTS,
    "The project's own files are not as they must be": houses.FAULTS,
}
FAULTS: Mapping[str, Fault] = {fault.name: fault for group in GROUPS.values() for fault in group}
OWN_HOUSE = {fault.name for fault in (*runs.FAULTS, *houses.FAULTS)}
"""Those that change files, and so need a house to themselves."""
