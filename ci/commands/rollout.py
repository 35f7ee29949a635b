"""`./ci/rollout`: whether the planned order of the release is safe at every step, and can be rolled back."""

import argparse
import contextlib
import os
import shutil
import sys

from ci.support.cli import Answer, command, resolve_path
from ci.support.command_line import CommandParser
from ci.support.exit_codes import VERDICT_EXIT_CODES, ExitCode
from fixtures.contracts.broker.client import BrokerClient, BrokerError, BrokerUsageError, read_access
from fixtures.core import catalogue
from fixtures.core.console import wants_color
from fixtures.core.project import BUILD
from fixtures.core.topology import RELEASE_FILE
from fixtures.release.order import (
    analysis,
    end_to_end_runs,
    pairwise_results,
    presentation,
    release_file,
    service_probe,
)
from fixtures.release.order.pairwise_results import RecordedResults

LEAST_WIDTH = 100


@command("rollout")
def main(_: CommandParser, options: argparse.Namespace) -> Answer:
    """Judge a release, and print and write the answer."""
    folder = resolve_path(options.caller_folder, options.output) if options.output else BUILD / "rollout"
    folder.mkdir(parents=True, exist_ok=True)  # before the work, which takes long
    try:
        analysed = analyse_release(options)
    except BrokerUsageError:
        raise
    except BrokerError as error:
        print(error, file=sys.stderr)
        return Answer(ExitCode.UNDECIDED, {"verdict": "undecided", "reasons": [str(error).splitlines()[0]]})
    answer = analysis.build_answer(analysed)
    presentation.write_files(folder, analysed, answer)
    if not options.json:
        width = max(LEAST_WIDTH, shutil.get_terminal_size((140, 40)).columns)
        print(presentation.format_text(answer, width=width, color=wants_color()))
        print(f"Pictures and the update map: {options.output or 'build/rollout'}/")
    return Answer(VERDICT_EXIT_CODES[answer["verdict"]], answer)


def analyse_release(options: argparse.Namespace) -> analysis.Analysis:
    """Judge the release in every state of the plan.

    The evidence are the recorded results of pairs, if there are any; else those of the reference services,
    with the end-to-end runs.
    """
    path = resolve_path(options.caller_folder, options.release) if options.release else RELEASE_FILE
    release = release_file.read_release(path)
    if options.plan is not None:
        release = release_file.with_plan(release, [name.strip() for name in options.plan.split(",")])
    recorded: list[RecordedResults] = []
    if options.results:
        folder = resolve_path(options.caller_folder, options.results)
        recorded.append(pairwise_results.read_folder(release, folder))
    if options.matrix:
        file = resolve_path(options.caller_folder, options.matrix)
        recorded.append(pairwise_results.read_file(release, file))
    if options.broker:
        with contextlib.closing(BrokerClient(read_access(os.environ, options.broker))) as broker:
            url = broker.access.url
            recorded.append(pairwise_results.read_broker_results(release, broker.fetch_matrix, url))
    if recorded or release.results or not service_probe.are_references(release):
        recorded.append(pairwise_results.read_release_results(release))
        for pair in dict.fromkeys(pair for results in recorded for pair in results.unknown_versions):
            print(f"other-version: {pair}: not of this release, so it is ignored", file=sys.stderr)
        return analysis.analyse_release(release, pairwise_results.build_table(release, recorded), None)
    table = service_probe.judge_reference_pairs(release, catalogue.load_catalogue())
    path_runs = end_to_end_runs.run_all_paths(
        processes=max(1, options.processes), show_progress=sys.stderr.isatty()
    )
    analysed = analysis.analyse_release(release, table, path_runs)
    analysis.judge_all_rollbacks(analysed)
    return analysed
