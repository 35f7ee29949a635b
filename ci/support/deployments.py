"""The deployments that a command line names."""

import argparse
import os
from pathlib import Path

from ci.support.cli import resolve_path
from fixtures.core import topology
from fixtures.core.errors import UserError
from fixtures.core.run_config import RunConfig
from fixtures.core.topology import FLOW
from fixtures.release.order import release_file
from fixtures.targets import selection
from fixtures.targets.config import Deployment, TargetError


def read_target_options(options: argparse.Namespace) -> RunConfig:
    """Read the options of a run, with the path of the targets file resolved."""
    if getattr(options, "targets", None):
        options.targets = str(resolve_path(options.caller_folder, options.targets))
    return RunConfig.from_options(options)


def use_release(options: argparse.Namespace) -> None:
    """Use the release file of the options. Raises UserError if it is wrong or lacks one of our services."""
    if not options.release:
        return
    release = release_file.read_release(Path(options.release))
    if missing := sorted(set(FLOW) - release.services.keys()):
        problem = f"it lacks {', '.join(missing)}; ./ci/rollout judges other services"
        step = "name all services of ci/release.toml in it"
        raise UserError("release-without-service", repr(options.release), problem, step)
    topology.use_release(options.release)


def select_deployments(options: argparse.Namespace) -> dict[str, Deployment]:
    """The deployments that the command line names.

    Raises TargetError for one that may not be tested, and if options are about deployments and none is named.
    """
    config = read_target_options(options)
    selected = selection.resolve_run_deployments(config, os.environ)
    about = config.environment or ", ".join(config.i_own) or config.catalogue or config.pacts
    if not selected and about:
        next_step = "add --targets FILE or --target NAME=URL; without these options, references are judged"
        raise TargetError("no-deployment", repr(about), "no deployment is named", next_step)
    return selected
