"""Ask the Pact Broker about a deployment, by Pact's own command line, which is installed on demand."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
from pathlib import Path

from fixtures.contracts.broker import can_i_deploy, pact_cli
from fixtures.contracts.broker.can_i_deploy import DeploymentAnswer, DeploymentQuestion
from fixtures.contracts.broker.client import BrokerAccess, BrokerClient, BrokerError
from fixtures.core.project import BUILD, ROOT

SETUP = ROOT / "ci" / "setup" / "broker.sh"


def install_pact_cli() -> Path:
    """Install Pact's command line if it is missing, and return its path. Raises BrokerError."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "broker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two installations at once would spoil each other
        process = subprocess.run([str(SETUP)], stdout=subprocess.DEVNULL, check=False)  # noqa: S603  our own
    if process.returncode:
        problem = f"it ended with {process.returncode}"
        raise BrokerError("no-command-line", SETUP.name, problem, "./ci/setup/broker.sh")
    return ROOT / ".venv-broker" / "bin" / "pact"


def ask_broker(access: BrokerAccess, question: DeploymentQuestion) -> DeploymentAnswer:
    """The broker's answer. Raises BrokerError."""
    with contextlib.closing(BrokerClient(access)) as broker:
        broker.find_link("self")  # this error says why there is no answer; the command line's does not
    document = pact_cli.ask_can_i_deploy(install_pact_cli(), access, question)
    return can_i_deploy.read_answer(question, document)


def ask_about_release(access: BrokerAccess | None) -> DeploymentAnswer:
    """The broker's answer about the release. Without a broker it is empty; an error becomes a doubt."""
    if access is None:
        return DeploymentAnswer(0, (), ())
    try:
        return ask_broker(access, can_i_deploy.release_question("after"))
    except BrokerError as error:
        return DeploymentAnswer(0, (), (str(error).splitlines()[0],))
