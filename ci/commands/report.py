"""`./ci/report [LEDGER ...]`: the report of recorded runs; shards of one environment are judged together."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ci.support import allure, exits
from ci.support.cli import Arguments, build_of, meant
from fixtures.core import catalogue, redaction
from fixtures.core.project import ROOT
from fixtures.results import ledger, policy, shards
from fixtures.results.report import exports, history
from fixtures.results.report.allure import files as allure_files
from fixtures.results.report.cells import About
from fixtures.results.report.headline import headline
from fixtures.results.report.model import Run, worst
from fixtures.results.report.pages import pages

EXIT = {"go": exits.GO, "no-go": exits.NO_GO, "undecided": exits.UNDECIDED}
ROLLOUT_PICTURES = ("timeline", "constraints", "lattice")


@dataclass(frozen=True)
class Place:
    """Where a report is written, and where earlier runs are remembered."""

    build: Path
    history: Path

    @property
    def pages(self) -> Path:
        """What people open."""
        return self.build / "report"

    @property
    def results(self) -> Path:
        """What Allure reads."""
        return self.build / "allure-results"

    @property
    def junit(self) -> Path:
        """For CI systems."""
        return self.build / "junit.xml"

    @property
    def past(self) -> Path:
        """Earlier runs."""
        return self.history / "runs.jsonl"

    def remembered(self) -> list[dict[str, Any]]:
        """Earlier runs, as far as their file can be read."""
        self.history.mkdir(parents=True, exist_ok=True)
        return history.read(self.past.read_text(encoding="utf-8")) if self.past.exists() else []

    def allure(self) -> dict[str, Path]:
        """Where Allure reads, writes and remembers."""
        past = self.history / "allure.jsonl"
        return {"results": self.results, "output": self.pages / "allure", "history": past}


@dataclass(frozen=True)
class Made:
    """The runs as the report tells them, and why there is no Allure in it, or nothing."""

    runs: Sequence[Run]
    without_allure: str


def make(runs: Sequence[Run], place: Place) -> Made:
    """Write exports, Allure and the pages; undecided if the report does not show every test."""
    allure.clear(place.pages, place.results)
    with allure.started() as node:
        executor, commit, source = surroundings(os.environ), commit_of(ROOT), source_of(os.environ)
        allure.write(place.results, allure_files(runs, source, pictures(place.build)))
        past = place.remembered()
        known = {(run["environment"], run["run"]) for run in past}
        facts = {"Commit": commit or "unknown", "Run by": executor or "a person"}
        every = all(run.key in known for run in runs)
        seen = allure.generate(node, runs, place.allure(), facts, known=every)
    if seen.problem:
        doubted = policy.doubted(runs[0].verdict, seen.problem)
        runs = [replace(runs[0], verdict=doubted), *runs[1:]]
    now = [history.remembered(run, commit) for run in runs]
    about = About(
        commit=commit,
        executor=executor,
        allure=not seen.missing,
        without_allure=seen.missing,
        changes={run["environment"]: history.changes(past, run) for run in now},
        pictures=pictures(place.build),
        links=links(place, with_allure=not seen.missing),
    )
    texts = {**pages(runs, about), **exported(runs, about)}
    allure.write(place.pages, texts)
    place.junit.write_text(exports.junit(runs), encoding="utf-8")
    place.past.write_text(history.appended(past, now), encoding="utf-8")
    return Made(runs, seen.missing)


def made_or_doubted(runs: Sequence[Run], place: Place) -> Made:
    """The report; one that cannot be made is a doubt about the run, and never hides its findings."""
    try:
        return make(runs, place)
    except Exception as error:  # noqa: BLE001  whatever it is, the verdict must be told
        print(redaction.text(traceback.format_exc()), file=sys.stderr)
        problem = redaction.text(f"report-crashed: {type(error).__name__}: {error}".splitlines()[0])
        told = [replace(run, verdict=policy.doubted(run.verdict, problem)) for run in runs]
        return Made(told, problem)


def exported(runs: Sequence[Run], about: About) -> dict[str, str]:
    """The exports beside the pages, by name."""
    changed = [line for change in about.changes.values() for line in history.told(change)]
    return {
        "exports/cases.csv": exports.cases_csv(runs),
        "exports/ctrf.json": json.dumps(exports.ctrf(runs), indent=1) + "\n",
        "exports/summary.md": exports.markdown(runs, changed=changed),
    }


def links(place: Place, *, with_allure: bool) -> list[tuple[str, str, str]]:
    """What the first page leads to: name, place, and what it is for."""
    shown = [
        ("Allure", "allure/awesome/index.html", "every test, by promise, service and code"),
        ("Dashboard", "allure/dashboard/index.html", "trend, stability, durations"),
    ]
    return [
        *(shown if with_allure else []),
        ("The catalogue", "cases.html", "what each code must do, why, and the source"),
        ("CSV", "exports/cases.csv", "code by service, for a spreadsheet"),
        ("Markdown", "exports/summary.md", "for a pull request or a ticket"),
        ("CTRF", "exports/ctrf.json", "every test, for other tools"),
        ("JUnit", os.path.relpath(place.junit, place.pages), "every test, for CI systems"),
    ]


def pictures(build: Path) -> dict[str, str]:
    """The pictures of the rollout, as far as this run made them."""
    found = {name: build / "rollout" / f"{name}.svg" for name in ROLLOUT_PICTURES}
    return {name: file.read_text(encoding="utf-8") for name, file in found.items() if file.is_file()}


def surroundings(environ: Mapping[str, str]) -> str:
    """The CI system and its build, as far as it tells."""
    for name, number in (("GITHUB_ACTIONS", "GITHUB_RUN_NUMBER"), ("GITLAB_CI", "CI_PIPELINE_ID")):
        if environ.get(name):
            return f"{name.partition('_')[0].capitalize()} build {environ.get(number, '?')}"
    return environ.get("BUILD_TAG", "")


def source_of(environ: Mapping[str, str]) -> str:
    """Where the code of this commit can be read, if the CI system tells."""
    if environ.get("GITHUB_SHA") and environ.get("GITHUB_REPOSITORY"):
        host = environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{host}/{environ['GITHUB_REPOSITORY']}/blob/{environ['GITHUB_SHA']}"
    if environ.get("CI_PROJECT_URL") and environ.get("CI_COMMIT_SHA"):
        return f"{environ['CI_PROJECT_URL']}/-/blob/{environ['CI_COMMIT_SHA']}"
    return ""


def commit_of(root: Path) -> str:
    """The commit that is checked out, with a plus where files differ from it; empty outside of Git."""
    said = allure.output_of(
        ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    )
    return said.strip()


def merged(files: Sequence[Path]) -> list[Run]:
    """A run for each environment; one that was recorded whole keeps the verdict of the gate."""
    by_environment: dict[str, list[tuple[Path, ledger.Ledger]]] = {}
    for file in files:
        read = ledger.read(file)
        by_environment.setdefault(read.environment, []).append((file, read))
    return [_run(recorded) for recorded in by_environment.values()]


def _run(recorded: Sequence[tuple[Path, ledger.Ledger]]) -> Run:
    known = catalogue.load()
    (file, one), *others = recorded
    said = file.parent / "verdict.json"
    if not others and said.is_file():
        return Run(one, json.loads(said.read_text(encoding="utf-8")), known)
    if any("shard" in read.header for _, read in recorded):
        parts = [shards.Part(str(file), read) for file, read in recorded]
        own, strange = shards.sorted_out(parts, {})
        whole = shards.merged(own)
        whole = replace(whole, problems=[*strange, *whole.problems])
    else:
        whole = ledger.merged([read for _, read in recorded])
    return Run(whole, policy.decide(whole, policy.load(), known, duration_s=whole.duration_s), known)


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with the ledgers found."""
    parser = Arguments(prog="./ci/report", description=__doc__)
    parser.add_argument("ledger", nargs="*", metavar="LEDGER", help="default build/ledger.jsonl")
    parser.add_argument(
        "--build", default="build", metavar="DIR", help="where the report goes (default build)"
    )
    parser.add_argument("--history", metavar="DIR", help="where runs are remembered (default build/history)")
    options = parser.parse_args(argv)
    build = build_of(options)
    files = [meant(options.here, file) for file in options.ledger] or [build / "ledger.jsonl"]
    for file in files:
        if not file.is_file():
            parser.refuse(
                f"no-ledger: {str(file)!r}: no such file\n  next: ./ci/gate, which writes build/ledger.jsonl"
            )
    options.ledger = files
    options.place = Place(
        build, meant(options.here, options.history) if options.history else build / "history"
    )
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Exit as the gate does, by the worst verdict of the environments; 70 if the report crashed."""
    options = options_of(argv)
    try:
        made = make(merged(options.ledger), options.place)
    except Exception:  # noqa: BLE001  whatever it is, it must not look like a verdict
        return exits.crashed("report-crashed: this is no verdict")
    print(headline(made.runs))
    tell(made, options.place)
    return EXIT[worst(made.runs)]


def tell(made: Made, place: Place) -> None:
    """Where the report is, and how to get what is missing of it."""
    print(f"report: {place.pages / 'index.html'}")
    if made.without_allure:
        print(f"  {made.without_allure}")


if __name__ == "__main__":
    sys.exit(main())
