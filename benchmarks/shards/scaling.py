"""What more providers and more shards would cost, from one run: its tests of a provider, many times over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.shards.prediction import Costs, predict
from fixtures.results.ledger import Ledger

PROVIDERS = (10, 100, 1000)
SHARDS = (1, 10, 100, 1000)


@dataclass(frozen=True)
class Price:
    """Seconds of one worker that a run spends on one of each."""

    report: float
    case: float
    provider: float
    shard: float

    def rows(self) -> list[str]:
        """As a table."""
        return [
            "| one more | seconds of a worker |",
            "|---|---:|",
            f"| report that is drawn, delivered, observed and judged | {self.report:.4f} |",
            f"| case at one provider, with all its batches | {self.case:.2f} |",
            f"| provider, with every case | {self.provider:.1f} |",
            f"| shard, whatever it holds | {self.shard:.1f} |",
        ]


def of_providers(ran: Ledger) -> dict[str, list[Mapping[str, Any]]]:
    """The tests of each provider that have a case."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for line in ran.tests:
        if "case" in line and line.get("provider") in ran.header["versions"]:
            found.setdefault(line["provider"], []).append(line)
    return found


def price(ran: Ledger, costs: Costs) -> Price:
    """What one more of each costs, in the mean over the providers of a run."""
    tests = [line for lines in of_providers(ran).values() for line in lines]
    seconds = sum(costs.own[line["test"]] for line in tests)
    pairs = {(line["provider"], line["case"]) for line in tests}
    reports = sum(line.get("reports", 0) for line in tests)
    providers = {provider for provider, _ in pairs}
    return Price(
        seconds / reports, seconds / len(pairs), seconds / len(providers), costs.fixed * costs.workers
    )


def grown(ran: Ledger, costs: Costs, providers: int, collect_s: float) -> tuple[list[str], Costs]:
    """The tests and costs of a run with so many providers, each like those there are."""
    known = of_providers(ran)
    tests, recorded, own = list(costs.own), dict(costs.recorded), dict(costs.own)
    names = sorted(known)
    for number in range(len(names), providers):
        for line in known[names[number % len(names)]]:
            test = f"{line['test']}#{number}"
            tests.append(test)
            recorded[test] = costs.recorded[line["test"]]
            own[test] = costs.own[line["test"]]
    # Every shard collects every test, to know its own.
    fixed = costs.fixed + collect_s * (len(tests) / len(costs.own) - 1)
    return tests, replace(costs, fixed=fixed, recorded=recorded, own=own)


def table(ran: Ledger, costs: Costs, collect_s: float) -> str:
    """What one more of each costs, and what many do."""
    now = len(of_providers(ran))
    shards = " | ".join("1 shard" if of == 1 else f"{of} shards" for of in SHARDS)
    lines = [
        *price(ran, costs).rows(),
        "",
        f"| providers | tests | {shards} | bends at |",
        f"|---:|---:|{'---:|' * len(SHARDS)}---:|",
    ]
    lines += [_row(*grown(ran, costs, providers, collect_s), providers) for providers in (now, *PROVIDERS)]
    return "\n".join(lines)


def _row(tests: Sequence[str], costs: Costs, providers: int) -> str:
    walls = [predict(tests, costs, of).wall for of in SHARDS]
    bend = max(1, round(sum(costs.own.values()) / costs.workers / costs.fixed))
    shown = " | ".join(f"{wall / 60:.1f} min" for wall in walls)
    return f"| {providers} | {len(tests):,} | {shown} | {bend} shards |"
