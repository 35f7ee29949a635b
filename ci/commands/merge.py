"""`./ci/merge --run ID DIR ...`: one verdict on all shards of a run, by the policy of the gate."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ci.commands import gate
from ci.support import exits, sharding
from ci.support.artifacts import Files
from ci.support.cli import Arguments, build_of, meant
from fixtures.core import catalogue, payloads
from fixtures.results import ledger, policy, shards
from fixtures.results.shards import Part


def main(argv: Sequence[str] | None = None) -> int:
    """Exit as the gate does; undecided if the shards are not one whole run."""
    try:
        return run(options_of(argv))
    except Exception:  # noqa: BLE001  whatever it is, it must not look like a verdict
        return exits.crashed("merge-crashed: this is no verdict")


def options_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = Arguments(prog="./ci/merge", description=__doc__)
    add = parser.add_argument
    add("folders", nargs="+", metavar="DIR", help="what the shards have written, each or all of them")
    sharding.add_run(parser)
    add("--build", default="build", metavar="DIR", help="where everything is written (default build)")
    add("--history", metavar="DIR", help="where earlier runs are remembered (default build/history)")
    options = parser.parse_args(argv)
    if not options.run:
        parser.error("--run takes the word by which the shards were told to which run they belong")
    build = build_of(options)
    options.files = Files(build)
    options.folders = [meant(options.here, folder) for folder in options.folders]
    if any(folder in (build, *build.parents) for folder in options.folders):
        parser.error(f"{build} is written anew: it can neither be a DIR nor lie in one")
    return options


def run(options: argparse.Namespace) -> int:
    """Merge what came, and decide."""
    files: Files = options.files
    found, doubts = sharding.parts_of(options.folders)
    parts = [Part(str(file), ledger.read(file)) for file in found]
    for part in parts:
        ran = f"{len(part.ledger.tests):5} tests {part.ledger.duration_s:8.1f} s"
        print(f"{part.name:14} {ran}  {part.place}")
    own, strange = shards.sorted_out(parts, sharding.expected(options.run))
    whole = shards.merged(own)
    problems = [*doubts, *strange, *whole.problems]
    files.clear()
    write(whole, files.ledger, complete=not problems)
    gather([Path(part.place).parent for part in own], files)
    began = {"environment": ledger.LOCAL, "started_at": payloads.rfc3339(payloads.now())}
    whole = replace(whole, header={**began, **whole.header}, problems=problems)
    asked = policy.load() if whole.tests else policy.NOTHING_ASKED
    verdict = policy.decide(whole, asked, catalogue.load(), duration_s=whole.duration_s)
    return gate.concluded(whole, verdict, files, files.place(options))


def write(whole: ledger.Ledger, file: Path, *, complete: bool) -> None:
    """Write the ledger of the whole run; without a footer if it is none, and so never taken for one."""
    writer = ledger.Writer(file)
    for line in [*([whole.header] if whole.header else []), *whole.tests]:
        writer.write(line)
    if complete:
        ran = {"run": whole.header["run"], "tests": len(whole.tests)}
        writer.write({"kind": "footer", **ran, "exit_status": 0, "duration_s": whole.duration_s})
    writer.close()


def gather(folders: Sequence[Path], files: Files) -> None:
    """Bring together what the shards wrote beside their ledgers: the rollout, and who honours which pact."""
    for folder in folders:
        for name in (files.rollout.name, files.verifications.name):
            if (folder / name).is_dir():
                shutil.copytree(folder / name, files.build / name, dirs_exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
