"""`./ci/gate`: run the suites, read the ledger, and say go, no-go or undecided."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from ci.commands import report
from ci.commands.cleanup_states import interruptible, swept
from ci.support import endings, exits, pact_cli, progress, sharding, test_selection
from ci.support.artifacts import Files
from ci.support.cli import Arguments, add_targets, build_of, deployed_of, meant, target_options
from fixtures.contracts.broker import config as access
from fixtures.contracts.broker.config import AccessError
from fixtures.core import catalogue, payloads, redaction, schemas, terminal
from fixtures.core.findings import Finding, describe
from fixtures.core.project import ROOT
from fixtures.generation import recordings
from fixtures.release.order import text as words
from fixtures.results import ledger, policy, verdict_file
from fixtures.results.report.model import Run
from fixtures.targets import config as deployments
from fixtures.targets import target as targets
from fixtures.targets.client import Unreachable
from fixtures.targets.config import TargetError
from fixtures.targets.rate_limit import Budget

EXIT = report.EXIT
DEPLOYED = "deployments"
"""The environment of a run on deployments that names none."""
NO_TESTS = 5
SHOWN_FINDINGS = 8
WORKERS = max(1, min(os.cpu_count() or 1, 8))
EXAMPLES = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 go, 1 no-go, 2 undecided, 64 wrong usage, 70 if the gate itself crashed."""
    try:
        try:
            with interruptible():
                return run(options_of(argv))
        except OSError as error:
            return endings.not_written(error)
    except Exception:  # noqa: BLE001  whatever it is, it must not look like a verdict
        return exits.crashed("gate-crashed: this is no verdict")


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with everything in it checked that can be before anything runs."""
    parser = Arguments(prog="./ci/gate", description=__doc__)
    add = parser.add_argument
    add_targets(parser)
    add("--replay", action="append", default=[], metavar="FILE", help="recorded FCM answers, one JSON a line")
    add("--broker", action="store_true", help="ask the Pact Broker can-i-deploy as well (docs/broker.md)")
    add("--seed", type=int, default=0, help="what is drawn: the same seed draws the same (default 0)")
    add("--examples", type=int, default=EXAMPLES, help=f"batches per generated test (default {EXAMPLES})")
    add("-n", dest="workers", type=int, default=WORKERS, help=f"processes (default {WORKERS})")
    add("--build", default="build", metavar="DIR", help="where everything is written (default build)")
    add("--history", metavar="DIR", help="where earlier runs are remembered (default build/history)")
    sharding.add_options(parser)
    options = parser.parse_args(argv)
    options.replay = [str(meant(options.here, file)) for file in options.replay]
    options.files = Files(build_of(options))
    sharding.check(options, parser, options.files.history(options))
    if options.examples < 1 or options.workers < 1:
        parser.error("--examples and -n take a whole number of 1 or more")
    try:
        options.deployed = deployed_of(options)
        named = next((one.environment for one in options.deployed.values() if one.environment), None)
        nameless = DEPLOYED if options.deployed else ledger.LOCAL
        options.environment = options.environment or named or nameless
        options.access = access.of_environment(os.environ) if options.broker else None
        options.hopeless = verdict_file.hopeless()
        for file in options.replay if not options.hopeless else ():
            recordings.answers_of(Path(file))
    except (AccessError, TargetError, recordings.BrokenRecording, schemas.SchemaError) as error:
        parser.refuse(error)
    return options


def run(options: argparse.Namespace) -> int:
    """Run the suites on reachable targets, and decide."""
    started, started_at, clock = time.monotonic(), payloads.rfc3339(payloads.now()), verdict_file.clock()
    files: Files = options.files
    files.clear()
    if options.hopeless:
        return endings.at_once(files.verdict, options.hopeless)
    broker = pact_cli.of_release(options.access)
    trouble: list[str] = []
    swept(files.build, options.deployed)  # what a run left that could not clean up
    for line in deployments.told(options.deployed):
        print(line, flush=True)
    try:
        targets.describe_all(options.deployed, Budget(files.spent))
    except (Unreachable, TargetError) as error:
        said = redaction.text(str(error))
        trouble.append(said.splitlines()[0])
        print(said, file=sys.stderr)
    else:
        sharding.ask_known_failures(options.known_failures)
        trouble += run_suites(options, files)
    trouble += verdict_file.clock_doubts(clock)
    notes = swept(files.build, options.deployed)
    record = ledger.read(files.ledger) if files.ledger.exists() or not trouble else ledger.Ledger({}, (), ())
    began = {"environment": options.environment, "started_at": started_at}
    record = replace(record, header={**began, **record.header})  # where and when, without a ledger too
    verdict = policy.decide(
        record,
        policy.load() if record.tests and not options.shard else policy.NOTHING_ASKED,
        catalogue.load(),
        duration_s=time.monotonic() - started,
        trouble=[*trouble, *broker.doubts, *sharding.alone(options)],
        found=broker.findings,
    )
    verdict["notes"] = notes  # what somebody must do, whatever the verdict is
    if not options.shard:
        return concluded(record, verdict, files, files.place(options))
    verdict_file.write(files.verdict, verdict)
    tell(verdict, files)
    say(verdict)
    return EXIT[verdict["verdict"]]


def concluded(record: ledger.Ledger, verdict: Mapping[str, Any], files: Files, place: report.Place) -> int:
    """Write and tell what a whole run has come to; the exit status."""
    sharding.write_durations(place.history / "durations.json", record)
    verdict_file.write(
        files.verdict, policy.doubted(verdict, "gate-ended: it ended before its report was made")
    )
    made = report.made_or_doubted([Run(record, verdict, catalogue.load())], place)
    verdict = dict(made.runs[0].verdict)
    verdict_file.write(files.verdict, verdict)
    tell(verdict, files)
    report.tell(made, place)
    say(verdict)
    return EXIT[verdict["verdict"]]


def run_suites(options: argparse.Namespace, files: Files) -> list[str]:
    """Run pytest in a process of its own, showing progress; what went wrong with the run itself."""
    run_id = os.urandom(8).hex()
    command = [
        sys.executable,
        "-m",
        "pytest",
        *test_selection.arguments(),
        "-n",
        str(options.workers),
        "--dist=loadgroup",  # suites/plugins/scheduling.py says which tests share what takes long to make
        "--max-worker-restart=0",  # without a worker the run proves nothing; the next one may wait for ever
    ]
    command += [
        f"--rootdir={ROOT}",  # or an option's value could move it, and with it the name of every test
        f"--ledger={files.ledger}",
        f"--seed={options.seed}",
        f"--examples={options.examples}",
        f"--run-id={run_id}",
        "--tb=short",
    ]
    command += [*target_options(options), f"--spent={files.spent}", *sharding.pytest_options(options)]
    command += [f"--replay={file}" for file in options.replay]
    with files.log.open("wb") as log, _ended(_started(command, log)) as pytest:
        try:
            progress.follow(files.ledger, pytest)
        except KeyboardInterrupt:
            return ["interrupted: the run was stopped from outside"]
    if options.deployed or options.replay:
        verdict_file.clean(files.log)
    ran = ledger.read(files.ledger).header.get("run")
    if ran not in (run_id, None):
        return [f"ledger-of-another-run: {ran} instead of {run_id}"]
    if pytest.returncode not in ((0, 1, NO_TESTS) if options.shard else (0, 1)):  # a shard may hold none
        why = verdict_file.last_words(files.log)
        return [f"suites-ended-badly: pytest exited {pytest.returncode}; {why}see {files.log}"]
    return []


def _started(command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    own = verdict_file.own_environment()
    return subprocess.Popen(command, cwd=ROOT, env=own, stdout=log, stderr=log)  # noqa: S603  our own, no shell


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the block."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


def by_effect(found: Mapping[str, Any]) -> bool:
    """Put what happens to subscribers first."""
    return bool(found["check"] != "effects")


def tell(verdict: Mapping[str, Any], files: Files) -> None:
    """Print the table, what was found, and what was tested."""
    color = sys.stdout.isatty()
    if verdict["cases"]:
        print(terminal.case_table(catalogue.load(), verdict["cases"], color=color))
    distinct: dict[tuple[str, str], Mapping[str, Any]] = {}
    for found in verdict["findings"]:
        distinct.setdefault((found["provider"], found["title"]), found)
    for found in sorted(distinct.values(), key=by_effect)[:SHOWN_FINDINGS]:
        print(f"{describe(Finding(**found))}\n  again:    {found['reproduce']}\n")
    if len(distinct) > SHOWN_FINDINGS:
        print(f"... and {len(distinct) - SHOWN_FINDINGS} more kinds of findings in {files.verdict}\n")
    if rollout := verdict["rollout"]:
        print(f"rollout: {rollout['verdict']}; {words.orders(rollout)} See {files.rollout}/")
    tests = sum(suite["tests"] for suite in verdict["suites"].values())
    cases = sum(len(row) for row in verdict["cases"].values())
    print(
        f"{tests} tests, {cases} cases at providers and end to end, {verdict['reports']} reports, "
        f"seed {verdict['seed']}, {verdict['duration_s']:.1f} s"
    )
    for name, tested in verdict["versions"].items():
        print(f"  {name} {tested['version']} ({tested['target']})")


def say(verdict: Mapping[str, Any]) -> None:
    """The verdict with its reasons, last, where nobody overlooks it."""
    color = sys.stdout.isatty()
    print(terminal.verdict_line(verdict["verdict"], color=color))
    for reason in verdict["reasons"][: 2 * SHOWN_FINDINGS]:
        print(f"  because {reason}")
    for note in verdict.get("notes", ()):
        print(f"  note: {note}")


if __name__ == "__main__":
    sys.exit(main())
