"""Old codes still unsubscribe: every legacy case ends as it did before the release."""

import pytest

from fixtures.core.catalogue import Case, load_catalogue
from suites.compat.parameters import at_each_provider
from suites.types import AssertCaseHandled

pytestmark = pytest.mark.catches(promise="old-codes")


@at_each_provider(case for case in load_catalogue().of_protocol("legacy") if case.known)
def test_old_codes_still_unsubscribe(
    assert_case_handled: AssertCaseHandled, provider: str, case: Case
) -> None:
    assert_case_handled(provider, case)
