"""The deployments that a command line names."""

import argparse
import os

from ci.support.cli import resolve_path
from fixtures.core.run_config import RunConfig
from fixtures.targets import selection
from fixtures.targets.config import Deployment, TargetError


def read_target_options(options: argparse.Namespace) -> RunConfig:
    """Read the options of a run, with the path of the targets file resolved."""
    if getattr(options, "targets", None):
        options.targets = str(resolve_path(options.caller_folder, options.targets))
    return RunConfig.from_options(options)


def select_deployments(options: argparse.Namespace) -> dict[str, Deployment]:
    """The deployments that the command line names.

    Raises TargetError for one that may not be tested, and if options are about deployments and none is named.
    """
    config = read_target_options(options)
    may_test = selection.owned_names(config.i_own, os.environ)
    selected = selection.resolve_deployments(
        config.target, config.targets or None, config.environment or None, may_test
    )
    if not selected and (name := config.environment or ", ".join(config.i_own)):
        next_step = "add --targets FILE or --target NAME=URL; without these options, references are judged"
        raise TargetError("no-deployment", repr(name), "no deployment is named", next_step)
    return selected
