"""A row of the table of what may go wrong: what it is, what the gate must say, and how it is made."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

REACTOR, KEEPER = "subscribers-errors", "directory-responses"
TIMEOUT_S = 1.0
"""What a deployment has for one answer."""


@dataclass(frozen=True)
class Scene:
    """Where a fault takes place: a house of its own, and the reference services behind it."""

    house: Path
    build: Path
    behind: Mapping[str, str]
    """The URL of each reference service."""


@dataclass(frozen=True)
class Setting:
    """How the gate is called while a fault is there."""

    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    meddle: Callable[[subprocess.Popen[str]], None] | None = None
    """What is done to the gate while it runs."""
    most_bytes: int | None = None
    """How long a file may become."""


Made: TypeAlias = "Callable[[Scene], AbstractContextManager[Setting]]"


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and the verdict and the reason that it must come to."""

    name: str
    what: str
    verdict: str
    """`undecided` or `no-go`; or `none`, where the gate may not even begin or does not live to say it."""
    because: str
    """What must be told, as a pattern: in the verdict and on the terminal."""
    made: Made
    waits_s: float = 0.0
    """The configured time-outs that must pass before anybody can know."""
