"""Which tests judge nothing in this run, because a deployment does not promise what they prove."""

import pytest

from fixtures.core.catalogue import Case
from fixtures.core.topology import PROMISES, PROVIDERS
from fixtures.targets.deployed import judged_provider
from suites.plugins.options import get_deployments

START = "start"  # what a test needs that kills the service


def find_reason(item: pytest.Item) -> str:
    """Why a test judges nothing here; empty if it judges something."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    name, case = str(parameters.get("provider")), parameters.get("case")
    deployment = get_deployments(item.config).get(name)
    # Deployments are of the version after the release; what a pact expects of the one before is not theirs.
    expectation = parameters.get("expectation")
    version = getattr(expectation, "provider_version", parameters.get("version", "after"))
    if deployment is None or not deployment.is_judged or version != "after":
        return ""
    if deployment.own_pacts and "expectation" in parameters:
        return f"{name} is not judged on the pacts of this suite: its targets file names others"
    judged_on = judged_provider(PROVIDERS[name], deployment) if name in PROVIDERS else deployment.judged_on
    needs = {need for mark in item.iter_markers("needs") for need in mark.args}
    if isinstance(case, Case):
        needs.add(case.protocol)
    needs.update({parameters.get("protocol")} - {None})
    offered = {*judged_on.promises, *judged_on.protocols, *([START] if deployment.start else [])}
    missing = sorted(needs - offered)
    if not missing:
        return ""
    if missing[0] == START:
        return f"{name} is not started by the suite, so it is not killed"
    if missing[0] in PROMISES:
        return f"{name} does not promise {missing[0]}: {PROMISES[missing[0]]}"
    return f"{name} is not judged on {missing[0]}"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """End a test that judges nothing before its first step, and leave the reason for the ledger."""
    reason = find_reason(pyfuncitem)
    if not reason:
        return None
    pyfuncitem.user_properties.append(("not-judged", reason))
    return True
