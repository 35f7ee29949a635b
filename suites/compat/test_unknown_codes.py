"""Unknown codes alert a person and change no subscriber."""

import pytest

from fixtures.core.catalogue import Case, load_catalogue
from fixtures.generation.strategies import near_misses_of_codes
from suites.compat.parameters import at_each_provider, each_provider
from suites.types import AssertCaseHandled, ScenarioOf

pytestmark = pytest.mark.catches(promise="unknown-codes")


@at_each_provider(case for case in load_catalogue().cases if not case.known)
def test_unknown_codes(assert_case_handled: AssertCaseHandled, provider: str, case: Case) -> None:
    assert_case_handled(provider, case)


@each_provider
def test_near_misses_of_known_codes_are_unknown(scenario_of: ScenarioOf, provider: str) -> None:
    scenario_of(provider).assert_all_handled(near_misses_of_codes())
