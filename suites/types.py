"""Types of the fixtures that tests use."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from subprocess import CompletedProcess
from typing import Any, TypeAlias

from fixtures.core.catalogue import Case
from fixtures.core.findings import Finding, OnFindings
from fixtures.scenarios.end_to_end import EndToEndScenario, Push
from fixtures.scenarios.isolated_services import IsolatedScenario
from fixtures.scenarios.later_looks import LaterLooks
from fixtures.scenarios.provider import ProviderScenario
from fixtures.scenarios.sender.scenario import SenderScenario
from fixtures.services.routing import Service
from fixtures.targets.target import Target

ScenarioOf: TypeAlias = Callable[..., ProviderScenario]
LaterLooksOf: TypeAlias = Callable[[str], LaterLooks]
AssertCaseHandled: TypeAlias = Callable[[str, Case], None]
RaiseIfFound: TypeAlias = OnFindings
TargetsOf: TypeAlias = Callable[[str], dict[str, Target]]
Explore: TypeAlias = Callable[..., None]
ExploreSteps: TypeAlias = Callable[..., None]
Answer: TypeAlias = Mapping[str, Any]
Answers: TypeAlias = list[Answer]
Pairs: TypeAlias = list[tuple[Answer, Answer]]
EndToEndScenarioOf: TypeAlias = Callable[[str], EndToEndScenario]
RunMix: TypeAlias = Callable[[str], AbstractContextManager[EndToEndScenario]]
IsolatedScenarioOf: TypeAlias = Callable[..., IsolatedScenario]
SenderScenarioOf: TypeAlias = Callable[[str, str], SenderScenario]
FindingsOf: TypeAlias = Callable[[str], list[Finding]]
Pushes: TypeAlias = Sequence[Push]
Build: TypeAlias = Callable[[str, str], Service]
RunCommand: TypeAlias = Callable[..., CompletedProcess[str]]
