"""Which findings decide at a reference service and at a deployment, and what a policy or a service adds."""

from pathlib import Path

import pytest

from fixtures.core.errors import UserError
from fixtures.core.findings import RANKS, RULES, Finding
from fixtures.results import policy_file
from suites.plugins.ranks import DecidingRanks

DEPLOYED, REFERENCE, MIX = "subscribers-errors", "directory-responses", "all-after-v1"
PROMISES = RANKS[:1]


def make_finding(rule: str, provider: str = DEPLOYED) -> Finding:
    return Finding(rule=rule, provider=provider, title="t", sent=[], expected="x", got=None)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_decides_at_a_reference_service(rule: str) -> None:
    assert DecidingRanks({DEPLOYED: PROMISES}).decides(make_finding(rule, REFERENCE))


@pytest.mark.parametrize(
    ("rule", "ranks", "raised", "alerting", "decides"),
    [
        pytest.param("effects.subscriber", PROMISES, (), (), True, id="a promise"),
        pytest.param("answers.shape", PROMISES, (), (), False, id="a contract without pacts"),
        pytest.param("answers.shape", RANKS[:2], (), (), True, id="a contract with pacts"),
        pytest.param("effects.code", RANKS[:2], (), (), False, id="a label"),
        pytest.param("effects.code", PROMISES, ("effects.code",), (), True, id="a raised label"),
        pytest.param("effects.action", PROMISES, ("effects.code",), (), False, id="another label"),
        pytest.param("effects.no-alert", PROMISES, (), (), False, id="no word of alerts"),
        pytest.param("effects.no-alert", PROMISES, (), (DEPLOYED,), True, id="a service that alerts"),
    ],
)
def test_a_deployment_is_judged_by_rank(
    rule: str, ranks: tuple[str, ...], raised: tuple[str, ...], alerting: tuple[str, ...], *, decides: bool
) -> None:
    deciding = DecidingRanks({DEPLOYED: ranks}, frozenset(raised), alerting)
    assert deciding.decides(make_finding(rule)) is decides
    assert deciding.decides(make_finding(rule, MIX)) is decides


@pytest.mark.parametrize(("services", "decides"), [((), True), ((DEPLOYED,), False)], ids=["none", "one"])
def test_a_label_decides_in_a_mix_without_a_deployment(services: tuple[str, ...], *, decides: bool) -> None:
    deciding = DecidingRanks({DEPLOYED: PROMISES}, services_by_mix={MIX: services})
    assert deciding.decides(make_finding("effects.code", MIX)) is decides


def test_a_raised_rule_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    text = policy_file.POLICY_FILE.read_text(encoding="utf-8")
    file = tmp_path / "policy.toml"
    file.write_text(text.replace("raised_rules = []", 'raised_rules = ["effects.cod"]'), encoding="utf-8")
    with pytest.raises(UserError, match=r"bad-policy: .*: unknown rule 'effects.cod': allowed: effects.code"):
        policy_file.load_policy(file)
