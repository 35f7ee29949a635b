"""Judges the second opinion as the gate judges a deployment: *go* with every seed, *no-go* with every fault.

    python -m suites.selfcheck.second_opinion.judge [--seed N] [--seeds N] [--only TESTS] [--fault NAME ...]

It prints a line for each run. It exits 0 if all runs end as they must, else 1.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ci.commands.selfcheck import EXAMPLES
from ci.scoring.fault_runs import COMPAT, run_tests
from fixtures.core.run_config import RunConfig
from fixtures.faults.scoring import RunResult
from suites.selfcheck.second_opinion.faults import FAULTS, build_services
from suites.selfcheck.second_opinion.web import start_server

# These suites need no HTTP, so a deployment takes no part in them.
MARKS = "not process and not catches(promise='lifecycle')"


@contextlib.contextmanager
def serve(fault: str | None = None) -> Iterator[str]:
    """Run the three providers on loopback; yield a targets file. Their effects are visible at once."""
    servers = {service.name: start_server(service) for service in build_services(fault)}
    rows = [
        f"[environments.second.services.{name}]\n"
        f'url = "http://127.0.0.1:{server.server_port}"\nobserve_within_s = 0\n'
        for name, server in servers.items()
    ]
    try:
        with tempfile.TemporaryDirectory(prefix="fcm-compat-") as folder:
            file = Path(folder) / "targets.toml"
            file.write_text("".join(rows), encoding="utf-8")
            yield str(file)
    finally:
        for server in servers.values():
            server.shutdown()


def judge_seed(seed: int, examples: int = 1, only: str = "") -> RunResult:
    """Run the compat suites against the second opinion: all tests, or those that pytest's -k selects."""
    with serve() as targets:
        config = RunConfig(targets=targets, seed=seed, examples=examples)
        return run_tests([COMPAT, "-m", MARKS, "-k", only], config)


def judge_fault(fault: str) -> RunResult:
    """Run the tests of a fault's service until one of them finds something."""
    service = FAULTS[fault]["service"]
    selection = [COMPAT, "-m", MARKS, "-k", f"{service} or test_counts", "--exitfirst"]
    with serve(fault) as targets:
        return run_tests(selection, RunConfig(targets=targets, examples=EXAMPLES))


def write_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m suites.selfcheck.second_opinion.judge")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the first seed (default 0)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="how many (default 1)")
    parser.add_argument("--only", default="", metavar="TESTS", help="of a seed, those tests only")
    parser.add_argument("--fault", action="append", default=[], choices=sorted(FAULTS), metavar="NAME")
    parser.add_argument("--all-faults", action="store_true", help="judge every fault")
    options = parser.parse_args()
    is_right = True
    for seed in range(options.seed, options.seed + options.seeds):
        result = judge_seed(seed, only=options.only)
        title = result.findings[0]["title"] if result.findings else result.problem
        is_right = is_right and result.is_clean
        write_line(f"seed {seed}: {'go' if result.is_clean else f'false alarm: {title}'}")
    for fault in sorted(FAULTS) if options.all_faults else options.fault:
        result = judge_fault(fault)
        is_right = is_right and bool(result.findings)
        rules = ", ".join(sorted({finding["rule"] for finding in result.findings}))
        write_line(f"{fault}: {f'no-go: {rules}' if rules else f'not caught: {result.problem}'}")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
