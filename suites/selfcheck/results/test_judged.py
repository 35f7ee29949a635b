"""The first line of a verdict says which deployments it is about, or that it is about none."""

import pytest

from fixtures.results.report.judged import describe_judged

EMBEDDED = {"directory-responses": {"version": "1", "target": "embedded"}}
DEPLOYED = {"subscribers-errors": {"version": "2", "target": "https://push.example:8443/api"}}
ODD = {"subscribers-errors": {"version": "2", "target": "http://[odd\x1b[31m"}}


@pytest.mark.parametrize(
    ("versions", "subject"),
    [
        ({}, "nothing was judged"),
        (EMBEDDED, "embedded reference services only"),
        (DEPLOYED, "subscribers-errors at push.example:8443"),
        (EMBEDDED | DEPLOYED, "subscribers-errors at push.example:8443, others embedded"),
        (ODD, "subscribers-errors at http://[odd\\u001b[31m"),
    ],
    ids=["nothing", "embedded", "deployed", "both", "no-url"],
)
def test_the_deployments_are_named_by_their_hosts(versions: dict[str, dict[str, str]], subject: str) -> None:
    verdict = {"environment": "staging", "run": "4f1c", "versions": versions}
    assert describe_judged(verdict) == f"{subject}, environment staging, run 4f1c"
