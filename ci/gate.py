"""`./ci/gate`: run the suites, read the ledger, and say go, no-go or undecided."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from ci import endings, exits, progress, report
from ci.arguments import Arguments, add_targets, deployed_of, meant, target_options
from fixtures import (
    catalogue,
    closing,
    deployments,
    ledger,
    payloads,
    policy,
    recordings,
    redaction,
    schemas,
    targets,
    terminal,
)
from fixtures.budget import Budget
from fixtures.deployments import TargetError
from fixtures.door import Unreachable
from fixtures.report.runs import Run
from fixtures.rollout import words
from fixtures.verdict import Finding, describe

ROOT = Path(__file__).resolve().parent.parent
EXIT = report.EXIT
DEPLOYED = "deployments"
"""The environment of a run on deployments that names none."""
SHOWN_FINDINGS = 8
WORKERS = max(1, min(os.cpu_count() or 1, 8))


@dataclass(frozen=True)
class Files:
    """What a run leaves behind."""

    build: Path

    @property
    def ledger(self) -> Path:
        """The record of every test."""
        return self.build / "ledger.jsonl"

    @property
    def verdict(self) -> Path:
        """The answer."""
        return self.build / "verdict.json"

    @property
    def verifications(self) -> Path:
        """Which versions honour which contracts."""
        return self.build / "verifications"

    @property
    def spent(self) -> Path:
        """How much deployments were asked."""
        return self.build / "spent.sqlite"

    @property
    def log(self) -> Path:
        """What pytest printed."""
        return self.build / "pytest.log"

    @property
    def rollout(self) -> Path:
        """Whether the plan is safe, with pictures."""
        return self.build / "rollout"

    def place(self, options: argparse.Namespace) -> report.Place:
        """Where the report goes."""
        history = meant(options.here, options.history) if options.history else self.build / "history"
        return report.Place(self.build, history)

    def clear(self) -> None:
        """Take away what an earlier run left, so that nothing old can speak for this one."""
        self.build.mkdir(parents=True, exist_ok=True)
        reports = (self.build / name for name in ("allure-results", "report"))
        for folder in (self.rollout, self.verifications, *reports):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.ledger, self.verdict, self.build / "junit.xml", self.log, self.spent):
            file.unlink(missing_ok=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 go, 1 no-go, 2 undecided, 64 wrong usage, 70 if the gate itself crashed."""
    endings.ending_like_ctrl_c()
    try:
        try:
            return run(options_of(argv))
        except OSError as error:
            return endings.not_written(error)
    except Exception:  # noqa: BLE001  whatever it is, it must not look like a verdict
        print(redaction.text(traceback.format_exc()), file=sys.stderr)
        print("gate-crashed: this is no verdict", file=sys.stderr)
        return exits.CRASH


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with everything in it checked that can be before anything runs."""
    parser = Arguments(prog="./ci/gate", description=__doc__)
    add = parser.add_argument
    add_targets(parser)
    add("--replay", action="append", default=[], metavar="FILE", help="recorded FCM answers, one JSON a line")
    add("--seed", type=int, default=0, help="what is drawn: the same seed draws the same (default 0)")
    add("--examples", type=int, default=3, help="batches per generated test (default 3)")
    add("-n", dest="workers", type=int, default=WORKERS, help=f"processes (default {WORKERS})")
    add("--build", default="build", metavar="DIR", help="where everything is written (default build)")
    add("--history", metavar="DIR", help="where earlier runs are remembered (default build/history)")
    options = parser.parse_args(argv)
    options.replay = [str(meant(options.here, file)) for file in options.replay]
    options.files = Files(ROOT / "build" if options.build == "build" else meant(options.here, options.build))
    if options.examples < 1 or options.workers < 1:
        parser.error("--examples and -n take a whole number of 1 or more")
    try:
        options.deployed = deployed_of(options)
        named = next((one.environment for one in options.deployed.values() if one.environment), None)
        nameless = DEPLOYED if options.deployed else ledger.LOCAL
        options.environment = options.environment or named or nameless
        options.hopeless = closing.hopeless()
        for file in options.replay if not options.hopeless else ():
            recordings.answers_of(Path(file))
    except (TargetError, recordings.BrokenRecording, schemas.SchemaError) as error:
        parser.refuse(error)
    return options


def run(options: argparse.Namespace) -> int:
    """Run the suites on reachable targets, and decide."""
    started, started_at, clock = time.monotonic(), payloads.rfc3339(payloads.now()), closing.clock()
    files: Files = options.files
    files.clear()
    if options.hopeless:
        return endings.at_once(files.verdict, options.hopeless)
    trouble: list[str] = []
    for line in deployments.told(options.deployed):
        print(line, flush=True)
    try:
        targets.describe_all(options.deployed, Budget(files.spent))
    except (Unreachable, TargetError) as error:
        said = redaction.text(str(error))
        trouble.append(said.splitlines()[0])
        print(said, file=sys.stderr)
    else:
        trouble += run_suites(options, files)
    trouble += closing.clock_doubts(clock)
    record = ledger.read(files.ledger) if files.ledger.exists() or not trouble else ledger.Ledger({}, (), ())
    began = {"environment": options.environment, "started_at": started_at}
    record = replace(record, header={**began, **record.header})  # where and when, without a ledger too
    verdict = policy.decide(
        record,
        policy.load() if record.tests else policy.NOTHING_ASKED,
        catalogue.load(),
        duration_s=time.monotonic() - started,
        trouble=trouble,
    )
    closing.write(files.verdict, policy.doubted(verdict, "gate-ended: it ended before its report was made"))
    made = report.made_or_doubted([Run(record, verdict, catalogue.load())], files.place(options))
    verdict = dict(made.runs[0].verdict)
    closing.write(files.verdict, verdict)
    tell(verdict, files)
    report.tell(made, files.place(options))
    say(verdict)
    return EXIT[verdict["verdict"]]


def run_suites(options: argparse.Namespace, files: Files) -> list[str]:
    """Run pytest in a process of its own, showing progress; what went wrong with the run itself."""
    run_id = os.urandom(8).hex()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "suites",
        "-m",
        "not process and not aside and not nightly",
        "-n",
        str(options.workers),
        "--dist=loadgroup",  # the tests of the rollout share one judged release
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
    command += [*target_options(options), f"--spent={files.spent}"]
    command += [f"--replay={file}" for file in options.replay]
    with files.log.open("wb") as log, _ended(_started(command, log)) as pytest:
        try:
            progress.follow(files.ledger, pytest)
        except KeyboardInterrupt:
            return ["interrupted: the run was stopped from outside"]
    if options.deployed or options.replay:
        closing.clean(files.log)
    ran = ledger.read(files.ledger).header.get("run")
    if ran not in (run_id, None):
        return [f"ledger-of-another-run: {ran} instead of {run_id}"]
    if pytest.returncode not in (0, 1):
        why = closing.last_words(files.log)
        return [f"suites-ended-badly: pytest exited {pytest.returncode}; {why}see {files.log}"]
    return []


def _started(command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    own = closing.own_environment()
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


if __name__ == "__main__":
    sys.exit(main())
