"""`./ci/broker` and `./ci/gate --broker` as people use them, with Pact's own tools and a stub over HTTP."""

from pathlib import Path

import pytest

from fixtures.contracts.broker.can_i_deploy import SHARED_EDGES
from fixtures.contracts.broker.client import TOKEN, URL
from fixtures.core.topology import get_version_number
from fixtures.targets.embedded import embedded_targets
from suites.selfcheck.commands.test_gate import find_closed_port
from suites.selfcheck.contracts.conftest import (
    BASIC,
    CANARY,
    RunHere,
    broken_pact,
    committed_pact,
    leaks,
    release_store,
    run_broker,
    run_module,
    serve_stub,
)
from suites.selfcheck.contracts.stub_broker.storage import BrokerStore
from suites.selfcheck.fail_closed.sandbox import read_verdict

pytestmark = pytest.mark.process

ENDS = ("subscribers-errors", "subscribers-postponed")
ONE = ("verify", "--provider", "subscribers-postponed")


def test_a_release_goes_all_the_way_from_its_pacts_to_yes(run_here: RunHere) -> None:
    with serve_stub() as stub:
        assert run_here(stub.url, "publish").returncode == 0
        versions = {(pact.consumer, pact.version, pact.provider) for pact in stub.store.pacts}
        assert len(versions) == 2 * len(SHARED_EDGES)
        for edge in SHARED_EDGES:
            pact = committed_pact(edge.consumer, edge.provider, "after")
            published = stub.store.find_pact(pact.consumer, pact.version, pact.provider)
            assert published is not None
            assert published.sha == pact.sha
        for name in ("events-proxy", "go-sender"):
            stub.store.deploy(name, get_version_number(name, "before"), "production")
        assert run_here(stub.url, "can-i-deploy").returncode == 2
        result = run_here(stub.url, "verify", "--publish-references")
        assert (result.returncode, result.stderr) == (0, ""), result.stdout
        assert (
            "1.12.5.0 (deployed) - directory-events-api 1.66.4.1: 35 interactions honoured" in result.stdout
        )
        assert "1.13.7.0 (pending) - directory-events-api 1.66.4.1: 77 interactions honoured" in result.stdout
        result = run_here(stub.url, "can-i-deploy")
        assert result.returncode == 0, result.stdout
        assert f"{len(SHARED_EDGES)} pacts between these versions are honoured, 0 are not" in result.stdout
        # The new versions may go where the old ones are. About the old ones, the broker knows too little.
        assert run_here(stub.url, "can-i-deploy", "--to-environment", "production").returncode == 0
        assert run_here(stub.url, "can-i-deploy", "--version", "before").returncode == 2


def test_pacts_are_published_once_and_never_changed(run_here: RunHere) -> None:
    with serve_stub() as stub:
        assert run_here(stub.url, "publish", "--version", "before").returncode == 0
        result = run_here(stub.url, "publish", "--version", "before", **BASIC, **{TOKEN: ""})
        assert result.returncode == 2  # the stub accepts only the token
        result = run_here(stub.url, "publish", "--version", "before")
        assert result.returncode == 0
        assert "with no content changes" in result.stdout
        other = broken_pact(committed_pact(*ENDS, "before"), get_version_number(ENDS[0], "before"))
        stub.store.publish(other)
        result = run_here(stub.url, "publish", "--version", "before")
        assert result.returncode == 1
        assert "Cannot change the content of the pact for subscribers-errors" in result.stdout
        assert "1 publications refused" in result.stdout


def test_a_name_and_a_password_will_do(run_here: RunHere) -> None:
    with serve_stub(release_store(), user=("me", CANARY)) as stub:
        stub.token = None
        assert run_here(stub.url, *ONE, **BASIC).returncode == 0
        assert run_here(stub.url, "can-i-deploy", **BASIC).returncode == 2


def store_with_broken_pact(*, deployed: bool) -> BrokerStore:
    """The release as it runs, and a newer consumer whose pact fails."""
    store = release_store()
    pact = broken_pact(committed_pact(*ENDS, "before"), "9.9")
    store.publish(pact, "main")
    if deployed:
        store.deploy(pact.consumer, pact.version, "test")
    return store


def test_a_pending_pact_may_fail_while_nobody_has_deployed_it(run_here: RunHere) -> None:
    with serve_stub(store_with_broken_pact(deployed=False)) as stub:
        result = run_here(stub.url, *ONE, "--publish-references")
        assert result.returncode == 0, result.stdout
        assert "9.9 (pending) - subscribers-postponed" in result.stdout
        assert "interactions fail; pending, so that does not count yet" in result.stdout
        assert [(row.pact.version, row.success) for row in stub.store.results] == [
            (get_version_number(ENDS[0], "before"), True),
            ("9.9", False),
        ]


def test_a_pact_of_a_deployed_version_is_never_pending(run_here: RunHere) -> None:
    with serve_stub(store_with_broken_pact(deployed=True)) as stub:
        (pact,) = (pact for pact in stub.store.pacts if pact.version == "9.9")
        assert stub.store.is_pending(pact, "main")  # so the broker itself would let it fail
        result = run_here(stub.url, *ONE)
        assert result.returncode == 1, result.stdout + result.stderr
        assert "9.9 (deployed) - subscribers-postponed" in result.stdout
        assert "because broken:" in result.stdout


def test_pending_pacts_that_all_fail_prove_nothing(run_here: RunHere) -> None:
    store = store_with_broken_pact(deployed=False)
    store.deployed.clear()
    with serve_stub(store) as stub:
        result = run_here(stub.url, *ONE)
        assert (result.returncode, "only-pending" in result.stdout) == (2, True)


def test_a_wrong_provider_is_told_to_the_broker_which_says_no(tmp_path: Path) -> None:
    # The old service takes the place of the new one, and its result is published under its own number.
    with serve_stub(release_store(version="after")) as stub:
        result = run_broker(stub.url, *ONE, "--version", "before", "--publish-references")
        assert result.returncode == 1
        (row,) = stub.store.results
        assert (row.provider_version, row.success) == (get_version_number(ENDS[1], "before"), False)
        after = get_version_number(ENDS[1], "after")
        for pact in list(stub.store.pacts):
            number = get_version_number(pact.provider, "after")
            stub.store.add_result(pact, number, success=pact.provider != ENDS[1])
        result = run_broker(stub.url, "can-i-deploy")
        assert result.returncode == 1
        assert (
            f"{ENDS[1]}: failed, the broker says, the verification of its pact with {ENDS[0]}"
            in result.stdout
        )
        unreachable = f"--target=subscribers-errors=http://127.0.0.1:{find_closed_port()}"
        variables = {URL: stub.url, TOKEN: CANARY}
        result = run_module(
            "ci.commands", "gate", "--broker", f"--build={tmp_path}", unreachable, **variables
        )
        verdict = read_verdict(tmp_path)
        assert verdict is not None
        assert (result.returncode, verdict["verdict"]) == (1, "no-go")
        assert [(finding["check"], finding["provider"]) for finding in verdict["findings"]] == [
            ("can-i-deploy", ENDS[1])
        ]
        assert f"{ENDS[1]} {after}" in verdict["findings"][0]["expected"]
        assert [reason.partition(":")[0] for reason in verdict["reasons"]] == [ENDS[1], "unreachable-target"]
        assert "again:    ./ci/broker can-i-deploy" in result.stdout
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert not leaks(file.read_text(encoding="utf-8", errors="replace")), file


@pytest.mark.nightly
def test_a_gate_whose_broker_is_silent_is_undecided(tmp_path: Path) -> None:
    unreachable = f"--target=subscribers-errors=http://127.0.0.1:{find_closed_port()}"
    variables = {URL: f"http://127.0.0.1:{find_closed_port()}", TOKEN: CANARY}
    result = run_module("ci.commands", "gate", "--broker", f"--build={tmp_path}", unreachable, **variables)
    verdict = read_verdict(tmp_path)
    assert verdict is not None
    assert (result.returncode, verdict["verdict"]) == (2, "undecided")
    assert [reason.partition(":")[0] for reason in verdict["reasons"]] == [
        "unreachable-target",
        "broker-silent",
    ]
    result = run_module("ci.commands", "gate", "--broker", f"--build={tmp_path}")
    assert (result.returncode, "no-broker" in result.stderr) == (64, True)


def test_a_deployment_is_verified_as_often_as_wanted_and_speaks_for_itself(run_here: RunHere) -> None:
    name = "subscribers-errors"
    with embedded_targets([name], "after") as targets, serve_stub(release_store()) as stub:
        verify = ("verify", "--provider", name, "--target", f"{name}={targets[name].url}", "--publish")
        for _ in range(2):  # it remembers events, so each run needs other ids
            result = run_here(stub.url, *verify)
            assert (result.returncode, result.stderr) == (0, ""), result.stdout
        assert {(row.pact.consumer, row.provider_version, row.success) for row in stub.store.results} == {
            ("directory-errors-listener", get_version_number(name, "after"), True),
            ("subscribers-postponed", get_version_number(name, "after"), True),
        }
        result = run_here(stub.url, *ONE, "--publish")
        assert (result.returncode, "reference-results" in result.stderr) == (64, True)
