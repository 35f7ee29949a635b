"""Questions to a Pact Broker: how its answers are read, and which pacts it selects."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import pytest

from fixtures.contracts.broker.can_i_deploy import DeploymentQuestion, read_answer, release_question
from fixtures.contracts.broker.client import BrokerAccess, BrokerClient, BrokerError, read_access
from fixtures.contracts.broker.selectors import PactQuery, select_by_consumer, select_pacts
from fixtures.contracts.pact.verification import FreshIds
from fixtures.core import redaction
from fixtures.core.own_ids import OWN_IDS, UUID_KINDS
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import connect_deployment
from fixtures.targets.embedded import embedded_client
from fixtures.targets.reverse_proxy import reverse_proxy
from suites.selfcheck.contracts.stub_broker.server import StubBroker, serve
from suites.selfcheck.contracts.test_stub_broker import pact, store_with
from suites.selfcheck.http_double import HttpAnswer, serve_answers

BASE = "http://broker.example"
PAIR = DeploymentQuestion({"shop": "2", "ledger": "5"}, frozenset({("shop", "ledger")}))


def matrix_row(*versions: str | None, success: bool | None) -> dict[str, Any]:
    consumer, provider = versions or ("2", "5")
    return {
        "consumer": {"name": "shop", "version": {"number": consumer}},
        "provider": {"name": "ledger", "version": {"number": provider} if provider else None},
        "verificationResult": None if success is None else {"success": success},
    }


def deploy_answer(*rows: dict[str, Any], deployable: bool | None, reason: str = "so") -> dict[str, Any]:
    """What can-i-deploy prints."""
    return {"summary": {"deployable": deployable, "reason": reason}, "matrix": list(rows)}


YES, NO, NEVER = matrix_row(success=True), matrix_row(success=False), matrix_row("2", None, success=None)
UNPUBLISHED = "No pacts or verifications have been published for version 5 of ledger"
ANSWERS: Mapping[str, tuple[dict[str, Any], str, Sequence[str]]] = {
    "yes": (deploy_answer(YES, deployable=True), "go", ()),
    "no": (deploy_answer(NO, deployable=False), "no-go", ()),
    "no, and something is unknown": (deploy_answer(NO, NEVER, deployable=None), "no-go", ("never-verified",)),
    "yes without a row": (deploy_answer(deployable=True), "undecided", ("no-pact",)),
    "yes about another version": (
        deploy_answer(matrix_row("1", "5", success=True), deployable=True),
        "undecided",
        ("no-pact",),
    ),
    "never verified": (deploy_answer(NEVER, deployable=None), "undecided", ("never-verified",)),
    "an unpublished version": (
        deploy_answer(YES, deployable=False, reason=UNPUBLISHED),
        "undecided",
        ("can-i-deploy",),
    ),
    "neither yes nor no": (deploy_answer(YES, deployable=None), "undecided", ("can-i-deploy",)),
}


@pytest.mark.parametrize(("document", "verdict", "doubts"), ANSWERS.values(), ids=ANSWERS)
def test_only_a_yes_about_every_pair_is_a_go(
    document: dict[str, Any], verdict: str, doubts: Sequence[str]
) -> None:
    answer = read_answer(PAIR, document)
    assert answer.verdict.word == verdict
    assert [doubt.partition(":")[0] for doubt in answer.doubts] == list(doubts)
    assert bool(answer.findings) is (verdict == "no-go")


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"matrix": []},
        {"summary": {}, "matrix": []},
        deploy_answer({}, deployable=True),
        {**deploy_answer(deployable=True), "matrix": 3},
    ],
    ids=str,
)
def test_what_is_no_answer_is_none(document: Any) -> None:
    with pytest.raises(BrokerError, match="not-a-broker"):
        read_answer(PAIR, document)


def test_the_release_asks_for_all_its_services_at_once() -> None:
    question = release_question("after", "production")
    assert question.options.count("--pacticipant") == len(question.versions) == 8
    assert question.options[-2:] == ["--to-environment", "production"]
    assert ("go-sender", "fcm") not in question.pairs
    assert ("directory-errors-listener", "directory-events-api") in question.pairs


def test_secrets_are_hidden_in_whatever_is_repeated() -> None:
    secret = "-".join(["hush"] * 3)
    access = read_access({"PACT_BROKER_USERNAME": "me", "PACT_BROKER_PASSWORD": secret}, BASE)
    basic = access.headers["Authorization"].removeprefix("Basic ")
    echoed = redaction.REDACTOR.redact_text(f"you sent {basic}, which is me:{secret}")
    assert not {basic, secret} & set(echoed.replace(",", " ").split())
    assert secret not in echoed + repr(access) + str(access)


def test_credentials_go_to_their_own_broker_whatever_a_link_says() -> None:
    elsewhere = StubBroker(token="t0ken")  # noqa: S106
    with serve(elsewhere), serve(StubBroker(token="t0ken")) as stub:  # noqa: S106
        document = json.dumps({"_links": {"pb:environments": {"href": f"{elsewhere.url}/environments"}}})
        stub.failure = lambda _method, path: (200, "application/hal+json", document) if path == "/" else None
        broker = BrokerClient(BrokerAccess(stub.url, token="t0ken"))  # noqa: S106
        assert "_embedded" in broker.request("GET", broker.find_link("pb:environments"))
        broker.close()
    assert elsewhere.requests == []


def test_what_is_deployed_binds_and_is_asked_for_without_its_pending_status() -> None:
    store = store_with((pact("1", "a"), "main"), (pact("2", "b"), "main"), (pact("3", "a"), "feature"))
    store.deploy("shop", "1", "production")
    query = PactQuery(({"mainBranch": True}, {"branch": "feature"}), "main", pending=True)
    with serve(StubBroker(store)) as stub, closing(BrokerClient(BrokerAccess(stub.url))) as broker:
        ((consumer, (deployed, remaining)),) = select_by_consumer(broker, "ledger", query).items()
        assert select_pacts(broker, "unknown", query.deployed_only) == []
    # Version 3 has the content of the deployed version 1.
    assert consumer == "shop"
    assert [(pact.version, pact.pending) for pact in deployed] == [("3", False)]
    assert [(pact.version, pact.pending, pact.descriptions) for pact in remaining] == [("2", True, ("b",))]


def test_a_query_of_one_consumer_leaves_out_selectors_of_others() -> None:
    query = PactQuery(({"mainBranch": True}, {"branch": "x", "consumer": "other"}), "main", pending=True)
    assert query.for_consumer("shop").selectors == ({"mainBranch": True, "consumer": "shop"},)


def test_a_deployment_gets_other_ids_and_answers_have_the_old_ones() -> None:
    fresh_ids, token = FreshIds(), "fcafe0a7c0de1d48a36700"
    ids = [f"fcafe0a7-c0de-400{kind}-8000-001d48a36700" for kind in (1, 2, 3, 4)]

    def echo(request: Any, body: bytes) -> HttpAnswer:
        return 200, {}, request.path.encode() + body

    with (
        serve_answers(echo) as server,
        reverse_proxy(connect_deployment(Deployment("x", server.url)), fresh_ids) as proxy_url,
    ):
        client = embedded_client("y", proxy_url)
        target, content = f"/v1/{ids[2]}", " ".join([*ids, token])
        answer = client.send("POST", target, content.encode())
        client.close()
        ((_, path, _, body),) = server.requests
    assert answer.content.decode() == target + content
    *own_ids, own_token = body.decode().split()
    assert all(OWN_IDS.is_own_id(text, kind) for text, kind in zip(own_ids, UUID_KINDS, strict=True))
    assert OWN_IDS.is_own_token(own_token)
    assert path == f"/v1/{own_ids[2]}"
