"""What the Pact Broker says to a deployment, by Pact's own command line, which is installed on demand."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
from pathlib import Path

from fixtures.contracts.broker import can_i_deploy as deploying
from fixtures.contracts.broker import pact_cli
from fixtures.contracts.broker.can_i_deploy import DeploymentAnswer, DeploymentQuestion
from fixtures.contracts.broker.client import BrokerClient
from fixtures.contracts.broker.config import BrokerAccess, BrokerError
from fixtures.core.project import ROOT

SETUP, PACT = ROOT / "ci" / "setup" / "broker.sh", ROOT / ".venv-broker" / "bin" / "pact"


def install_pact_cli() -> Path:
    """Pact's own command line."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "broker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two that begin at once would spoil it for each other
        ran = subprocess.run([str(SETUP)], stdout=subprocess.DEVNULL, check=False)  # noqa: S603  our own
    if ran.returncode:
        raise BrokerError(
            "no-command-line", SETUP.name, f"it ended with {ran.returncode}", "./ci/setup/broker.sh"
        )
    return PACT


def ask_broker(access: BrokerAccess, question: DeploymentQuestion) -> DeploymentAnswer:
    """What the broker answers."""
    with contextlib.closing(BrokerClient(access)) as broker:
        broker.find_link("self")  # says why there is no answer, which the command line does not tell apart
    return deploying.read_answer(question, pact_cli.ask_can_i_deploy(install_pact_cli(), access, question))


def ask_about_release(access: BrokerAccess | None) -> DeploymentAnswer:
    """What the broker says to the release, if it is to be asked at all; that it is silent is a doubt."""
    if access is None:
        return DeploymentAnswer(0, (), ())
    try:
        return ask_broker(access, deploying.release_question("after"))
    except BrokerError as error:
        return DeploymentAnswer(0, (), (str(error).splitlines()[0],))
