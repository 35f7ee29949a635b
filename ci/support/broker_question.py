"""Asks a Pact Broker whether versions may be deployed."""

from contextlib import closing
from pathlib import Path

from ci.support.own_environment import install_environment
from fixtures.contracts.broker import pact_cli
from fixtures.contracts.broker.can_i_deploy import (
    DeploymentAnswer,
    DeploymentQuestion,
    read_answer,
    release_question,
)
from fixtures.contracts.broker.client import BrokerAccess, BrokerClient, BrokerError
from fixtures.core.project import ROOT


def install_pact_cli() -> Path:
    """Install Pact's command line if it is missing, and return its path. Raises BrokerError."""
    if exit_code := install_environment("broker"):
        problem = f"its set-up ended with {exit_code}"
        raise BrokerError("no-command-line", "pact", problem, "./ci/setup/broker.sh")
    return ROOT / ".venv-broker" / "bin" / "pact"


def ask_broker(access: BrokerAccess, question: DeploymentQuestion) -> DeploymentAnswer:
    """The broker's answer. Raises BrokerError."""
    with closing(BrokerClient(access)) as broker:
        broker.require_services(question.versions)  # Pact's command line does not say why there is no answer
    document = pact_cli.ask_can_i_deploy(install_pact_cli(), access, question)
    return read_answer(question, document)


def ask_about_release(access: BrokerAccess | None) -> DeploymentAnswer:
    """The broker's answer about the release. Without a broker it is empty; an error becomes a doubt."""
    if access is None:
        return DeploymentAnswer(0, (), ())
    try:
        return ask_broker(access, release_question("after"))
    except BrokerError as error:
        return DeploymentAnswer(0, (), (str(error).splitlines()[0],))
