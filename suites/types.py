"""What the root conftest hands to tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from fixtures.core.findings import Finding
from fixtures.scenarios.end_to_end import Journey, Mailing
from fixtures.scenarios.provider import Trial
from fixtures.services.routing import Service
from fixtures.targets.target import Target

TrialOf: TypeAlias = Callable[..., Trial]
TargetsOf: TypeAlias = Callable[[str], dict[str, Target]]
Explore: TypeAlias = Callable[..., None]
ExploreSteps: TypeAlias = Callable[..., None]
Answers: TypeAlias = list[Mapping[str, Any]]
Pairs: TypeAlias = list[tuple[Mapping[str, Any], Mapping[str, Any]]]
JourneyOf: TypeAlias = Callable[[str], Journey]
FindingsOf: TypeAlias = Callable[[str], list[Finding]]
Mailings: TypeAlias = Sequence[Mailing]
Build: TypeAlias = Callable[[str, str], Service]
