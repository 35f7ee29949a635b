"""./ci/replay lets a package ask an FCM that answers each token as the report of its subscriber says."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.project import ROOT
from fixtures.scenarios.later_looks import LaterLooks
from fixtures.scenarios.provider import ProviderScenario
from fixtures.targets.config import TargetError
from fixtures.targets.target import Target
from suites.selfcheck.targets.test_code_adapters import write_module, write_targets
from suites.selfcheck.targets.test_own_wire import connect_to

ConnectPackage: TypeAlias = Callable[[str], contextlib.AbstractContextManager[Target]]

CATALOGUE = load_catalogue()
# A package that knows nothing of the suite: it asks Google's address, and reads what it gets.
PACKAGE = """\
    import json, time, urllib.error, urllib.request

    def ask(token):
        body = json.dumps({"message": {"token": token}}).encode()
        url = "https://fcm.googleapis.com/v1/projects/p/messages:send"
        request = urllib.request.Request(url, body, {"Authorization": "Bearer any"})
        try:
            return json.load(urllib.request.urlopen(request))
        except urllib.error.HTTPError as error:
            answer = error.read().decode()
            if error.code == 429:
                time.sleep(float(error.headers.get("Retry-After", 60)))
                return ask(token)
            return answer

    class Package:
        def handle(self, answer, subscriber):
            return "gone" if "UNREGISTERED" in ask(subscriber["token"]) else "active"

    class Silent:
        def handle(self, answer, subscriber):
            return "active"

    class Deaf:
        def handle(self, answer, subscriber):
            ask(subscriber["token"])
            return "active"

    class Ending:
        def handle(self, answer, subscriber):
            raise SystemExit(3)

    class Printing(Package):
        def __init__(self):
            print("a package may print")
"""
VALUES = """\
values = { active = ["active"], unsubscribed = ["gone"], postponed = ["raises StillSendingAgain"] }
judge = { protocols = ["fcm_v1"], promises = ["unsubscribe", "postpone"] }
"""


@pytest.fixture
def connect_package(tmp_path: Path) -> ConnectPackage:
    """Connect a class of the package as a deployment."""
    write_module(tmp_path, "package", PACKAGE)

    def connect(name: str) -> contextlib.AbstractContextManager[Target]:
        adapter = f'["{ROOT}/ci/replay", "--python={ROOT}/.venv/bin/python", "package:{name}"]'
        return connect_to(write_targets(tmp_path, adapter, VALUES))

    return connect


@pytest.mark.parametrize(
    ("python", "name", "problem"),
    [
        (".venv/bin/no-python", "Package", "no-interpreter"),
        (".venv/bin/python", "Missing", "package-ended"),
        (".venv/bin/python", "Ending", "package-ended"),
    ],
)
def test_a_package_that_cannot_run_is_refused_by_name(
    tmp_path: Path, python: str, name: str, problem: str
) -> None:
    write_module(tmp_path, "package", PACKAGE)
    adapter = f'["{ROOT}/ci/replay", "--python={ROOT}/{python}", "package:{name}"]'
    file = write_targets(tmp_path, adapter, VALUES)
    with pytest.raises(TargetError, match=problem), connect_to(file) as target:
        find_problems(target, "v1-delivered")


def find_problems(target: Target, *cases: str) -> list[str | None]:
    """The cases of which an example has the wrong effect."""
    scenario = ProviderScenario(target, lambda _answer: [])
    entries = scenario.entries(example_report(CATALOGUE[case]) for case in cases)
    _, findings = scenario.deliver_to_new_subscribers(entries)
    return [finding.case for finding in findings if finding.rank == "promise"]


def test_each_token_gets_the_answer_of_its_report(connect_package: ConnectPackage) -> None:
    with connect_package("Printing") as target:
        cases = ("v1-UNREGISTERED", "v1-delivered", "v1-QUOTA_EXCEEDED", "v1-text-404", "v1-INTERNAL")
        assert find_problems(target, *cases) == ["v1-INTERNAL"]  # the package leaves it as it is


def test_a_package_that_sends_nothing_is_no_verdict(connect_package: ConnectPackage) -> None:
    with (
        pytest.raises(TargetError, match="nothing-sent: package:Silent"),
        connect_package("Silent") as target,
    ):
        find_problems(target, "v1-delivered")


def test_a_package_that_never_unsubscribes_is_found(tmp_path: Path) -> None:
    write_module(tmp_path, "package", PACKAGE)
    adapter = f'["{ROOT}/ci/replay", "--python={ROOT}/.venv/bin/python", "package:Deaf"]'
    values = VALUES.replace('["gone"]', '["unsubscribed"]')
    with connect_to(write_targets(tmp_path, adapter, values, "can_unsubscribe = true")) as target:
        assert find_problems(target, "v1-UNREGISTERED") == ["v1-UNREGISTERED"]


def test_what_is_shown_and_not_judged_does_not_change_a_bystander(connect_package: ConnectPackage) -> None:
    with connect_package("Package") as target:
        looks = LaterLooks.begin(ProviderScenario(target, lambda _answer: []))
        assert len(looks.bystanders) == 6
        assert looks.look_at_bystanders() == []
