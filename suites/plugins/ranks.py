"""Which findings make a test fail: those of some ranks, by what was tested. The others are notices."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from fixtures.core.findings import RANKS, RULES, Finding
from fixtures.core.topology import VERSION_MIXES
from fixtures.faults import runtime
from fixtures.faults.tolerant import TolerantVariant
from fixtures.targets.version_mixes import takes_part
from suites.plugins.options import get_deployments, get_policy, get_run_config

DECIDING_RANKS = pytest.StashKey["DecidingRanks"]()


@dataclass(frozen=True)
class DecidingRanks:
    """The ranks that decide at each service. At a reference service, which is not named, all of them do."""

    ranks_by_service: Mapping[str, Collection[str]]
    raised_rules: frozenset[str] = frozenset()
    # The services that say they alert. Reference services do.
    alerting: Collection[str] = ()
    # The services of each version mix that are no reference services, if they are not those of `after`.
    services_by_mix: Mapping[str, Collection[str]] = field(default_factory=dict)

    def decides(self, finding: Finding) -> bool:
        """Whether a finding makes its test fail. In a version mix, every service has its say."""
        services: Iterable[str] = [finding.provider]
        if mix := VERSION_MIXES.get(finding.provider):
            after = [name for name, version in mix.versions.items() if version == "after"]
            services = self.services_by_mix.get(finding.provider, after)
        return finding.rule in self.raised_rules or all(self._decides_at(name, finding) for name in services)

    def _decides_at(self, service: str, finding: Finding) -> bool:
        if service not in self.ranks_by_service:
            return True
        says_so = RULES[finding.rule].only_if != "alerts" or service in self.alerting
        return says_so and finding.rank in self.ranks_by_service[service]


def get_deciding_ranks(config: pytest.Config) -> DecidingRanks:
    """The ranks that decide in this run.

    At a deployment, labels are notices, and so is its contract with our consumers unless the targets file
    says `pacts = "suite"`. A tolerant variant is judged like a deployment.
    """
    if DECIDING_RANKS not in config.stash:
        ranks = {
            name: RANKS[:2] if deployment.suite_pacts else RANKS[:1]
            for name, deployment in get_deployments(config).items()
        }
        variant = runtime.find_variant(get_run_config(config).variant)
        if isinstance(variant, TolerantVariant):
            ranks |= dict.fromkeys(variant.services, RANKS[:2] if variant.keeps_pacts else RANKS[:1])
        alerting = [name for name, deployment in get_deployments(config).items() if deployment.alerts]
        # Where it is found, the deployment's own pacts take the place of ours.
        raised_rules = get_policy(config).raised_rules | {"pact.own-interaction"}
        deployed = {name: row for name, row in get_deployments(config).items() if row.is_judged}
        services = {
            mix: [name for name in deployed if takes_part(deployed, name, mix)] for mix in VERSION_MIXES
        }
        by_mix = services if deployed else {}
        config.stash[DECIDING_RANKS] = DecidingRanks(ranks, raised_rules, alerting, by_mix)
    return config.stash[DECIDING_RANKS]
