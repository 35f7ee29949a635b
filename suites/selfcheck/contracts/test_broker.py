"""What is asked of a Pact Broker, how answers are read, and that the stand-in answers as a broker does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from fixtures.contracts.broker import can_i_deploy as deploying
from fixtures.contracts.broker.can_i_deploy import DeploymentQuestion
from fixtures.contracts.broker.client import BrokerClient
from fixtures.contracts.broker.config import BrokerAccess, BrokerError, read_access
from fixtures.contracts.broker.selectors import DEPLOYED, PactQuery, select_by_consumer, select_pacts
from fixtures.core import redaction
from fixtures.targets.client import connect_deployment
from fixtures.targets.config import Deployment
from fixtures.targets.reverse_proxy import reverse_proxy
from suites.selfcheck.contracts.stub_broker.routes import Asked, Reply, answer
from suites.selfcheck.contracts.stub_broker.server import Served, serving
from suites.selfcheck.contracts.stub_broker.storage import Memory, Pact
from suites.selfcheck.http_double import serve_answers

pytestmark = pytest.mark.aside

BASE = "http://broker.example"
PAIR = DeploymentQuestion({"shop": "2", "ledger": "5"}, frozenset({("shop", "ledger")}))


def row(*versions: str | None, success: bool | None) -> dict[str, Any]:
    """A row of the matrix."""
    consumer, provider = versions or ("2", "5")
    return {
        "consumer": {"name": "shop", "version": {"number": consumer}},
        "provider": {"name": "ledger", "version": {"number": provider} if provider else None},
        "verificationResult": None if success is None else {"success": success},
    }


def said(*rows: dict[str, Any], deployable: bool | None, reason: str = "so") -> dict[str, Any]:
    """What can-i-deploy prints."""
    return {"summary": {"deployable": deployable, "reason": reason}, "matrix": list(rows)}


YES, NO, NEVER = row(success=True), row(success=False), row("2", None, success=None)
UNPUBLISHED = "No pacts or verifications have been published for version 5 of ledger"
ANSWERS: Mapping[str, tuple[dict[str, Any], str, Sequence[str]]] = {
    "yes": (said(YES, deployable=True), "go", ()),
    "no": (said(NO, deployable=False), "no-go", ()),
    "no, and something is unknown": (said(NO, NEVER, deployable=None), "no-go", ("never-verified",)),
    "yes without a row": (said(deployable=True), "undecided", ("no-pact",)),
    "yes about another version": (
        said(row("1", "5", success=True), deployable=True),
        "undecided",
        ("no-pact",),
    ),
    "never verified": (said(NEVER, deployable=None), "undecided", ("never-verified",)),
    "a version that nobody published": (
        said(YES, deployable=False, reason=UNPUBLISHED),
        "undecided",
        ("can-i-deploy",),
    ),
    "neither yes nor no": (said(YES, deployable=None), "undecided", ("can-i-deploy",)),
}


@pytest.mark.parametrize(("document", "verdict", "doubts"), ANSWERS.values(), ids=ANSWERS)
def test_only_a_yes_about_every_pair_is_a_go(
    document: dict[str, Any], verdict: str, doubts: Sequence[str]
) -> None:
    found = deploying.read_answer(PAIR, document)
    assert found.verdict.word == verdict
    assert [doubt.partition(":")[0] for doubt in found.doubts] == list(doubts)
    assert bool(found.findings) is (verdict == "no-go")


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"matrix": []},
        {"summary": {}, "matrix": []},
        said({}, deployable=True),
        {**said(deployable=True), "matrix": 3},
    ],
    ids=str,
)
def test_what_is_no_answer_is_none(document: Any) -> None:
    with pytest.raises(BrokerError, match="not-a-broker"):
        deploying.read_answer(PAIR, document)


def test_the_release_asks_for_all_its_services_at_once() -> None:
    question = deploying.release_question("after", "production")
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
    elsewhere = Served(token="t0ken")  # noqa: S106
    with serving(elsewhere), serving(Served(token="t0ken")) as here:  # noqa: S106
        document = json.dumps({"_links": {"pb:environments": {"href": f"{elsewhere.url}/environments"}}})
        here.trouble = lambda _method, path: (200, "application/hal+json", document) if path == "/" else None
        broker = BrokerClient(BrokerAccess(here.url, token="t0ken"))  # noqa: S106
        assert "_embedded" in broker.request("GET", broker.find_link("pb:environments"))
        broker.close()
    assert elsewhere.asked == []


# The stand-in.


def pact(version: str, *descriptions: str, consumer: str = "shop") -> Pact:
    """A pact with the ledger."""
    interactions = [{"description": one} for one in descriptions or ("an entry",)]
    content = {"consumer": {"name": consumer}, "provider": {"name": "ledger"}, "interactions": interactions}
    return Pact(consumer, version, "ledger", content)


def remembered(*pacts: tuple[Pact, str]) -> Memory:
    """A broker that got pacts, each on a branch."""
    memory = Memory()
    for one, branch in pacts:
        memory.have_version(one.consumer, one.version, branch)
        memory.publish(one)
    return memory


def asked(memory: Memory, method: str, path: str, body: Any = None, query: str = "") -> Reply:
    """One answer of the stand-in."""
    return answer(memory, Asked(method, path, query, body, BASE))


def chosen(memory: Memory, *selectors: Mapping[str, Any], branch: str = "main") -> list[tuple[str, Any]]:
    """The pacts that selectors choose, by their version, and whether they are pending."""
    body = {
        "consumerVersionSelectors": list(selectors),
        "providerVersionBranch": branch,
        "includePendingStatus": True,
    }
    reply = asked(memory, "POST", "/pacts/provider/ledger/for-verification", body)
    assert reply.status == 200
    return [
        (one["shortDescription"].removeprefix("consumer version "), one["verificationProperties"]["pending"])
        for one in reply.document["_embedded"]["pacts"]
    ]


def test_selectors_choose_the_latest_of_a_branch_and_all_that_is_deployed() -> None:
    memory = remembered((pact("1", "a"), "main"), (pact("2", "b"), "main"), (pact("3", "c"), "feature"))
    assert chosen(memory) == [("3", True)]
    assert chosen(memory, {"mainBranch": True}) == [("2", True)]
    assert chosen(memory, {"branch": "feature"}, {"mainBranch": True}) == [("3", True), ("2", True)]
    assert chosen(memory, {"matchingBranch": True}, branch="feature") == [("3", True)]
    assert chosen(memory, {"branch": "gone"}) == chosen(memory, {"deployedOrReleased": True}) == []
    memory.deploy("shop", "1", "test")
    memory.deploy("shop", "3", "production")
    assert chosen(memory, {"deployedOrReleased": True}) == [("1", True), ("3", True)]
    assert chosen(memory, {"deployed": True, "environment": "test"}) == [("1", True)]
    memory.deploy("shop", "2", "test")
    assert chosen(memory, {"deployed": True, "environment": "test"}) == [("2", True)]
    assert chosen(memory, {"mainBranch": True, "consumer": "nobody"}) == []


def test_a_pact_is_pending_until_a_version_on_the_branch_has_honoured_its_content() -> None:
    memory = remembered((pact("1"), "main"), (pact("2"), "main"))
    (known,) = (one for one in memory.pacts if one.version == "1")
    memory.have_version("ledger", "5", "main")
    memory.verify(known, "5", success=False)
    assert chosen(memory) == [("2", True)]
    memory.verify(known, "5", success=True)
    assert chosen(memory) == [("2", False)]
    assert chosen(memory, branch="other") == [("2", True)]


def test_what_is_deployed_binds_and_is_asked_for_without_its_pending_status() -> None:
    memory = remembered((pact("1", "a"), "main"), (pact("2", "b"), "main"), (pact("3", "a"), "feature"))
    memory.deploy("shop", "1", "production")
    with serving(Served(memory)) as served:
        broker = BrokerClient(BrokerAccess(served.url))
        (share,) = select_by_consumer(
            broker, "ledger", PactQuery(({"mainBranch": True}, {"branch": "feature"}), "main", pending=True)
        )
        assert [(one.version, one.pending) for one in share.deployed] == [("3", False)]  # the same content
        assert [(one.version, one.pending, one.descriptions) for one in share.others] == [("2", True, ("b",))]
        assert select_pacts(broker, "nobody", PactQuery(DEPLOYED, "main", pending=False)) == []
        broker.close()


def test_a_query_of_one_consumer_leaves_out_what_is_said_of_others() -> None:
    query = PactQuery(({"mainBranch": True}, {"branch": "x", "consumer": "other"}), "main", pending=True)
    assert query.for_consumer("shop").selectors == ({"mainBranch": True, "consumer": "shop"},)


def between(memory: Memory, query: str) -> tuple[Any, list[Any]]:
    """Whether versions may be deployed, and the results of the rows."""
    reply = asked(memory, "GET", "/matrix", query=query)
    rows = [
        one["verificationResult"] and one["verificationResult"]["success"] for one in reply.document["matrix"]
    ]
    return reply.document["summary"]["deployable"], rows


def test_the_matrix_says_yes_no_and_unknown_as_the_broker_does() -> None:
    memory = remembered((pact("1"), "main"), (pact("2", "b"), "main"))
    (first, second) = memory.pacts
    shop_2 = "q[][pacticipant]=shop&q[][version]=2"
    both = f"{shop_2}&q[][pacticipant]=ledger&q[][version]=5"
    assert between(memory, both) == (False, [None])  # nobody has published that version of the ledger
    memory.verify(first, "5", success=True)
    assert between(memory, both) == (None, [None])
    memory.verify(second, "5", success=False)
    assert between(memory, both) == (False, [False])
    memory.verify(second, "5", success=True)
    assert between(memory, both) == (True, [True])
    assert between(memory, f"{shop_2}&environment=production") == (None, [None])  # nothing is there
    memory.deploy("ledger", "5", "production")
    assert between(memory, f"{shop_2}&environment=production&latestby=cvpv") == (True, [True])
    alone = "q[][pacticipant]=ledger&q[][version]=5&environment=production"
    assert between(memory, alone) == (True, [])  # who needs nobody may go, and so may whom nobody needs


def published(content: str = "e30=", **members: Any) -> dict[str, Any]:
    """A publication, as in publish-contracts.markdown of the broker."""
    contract = {"consumerName": "shop", "providerName": "ledger", "specification": "pact", "content": content}
    told = {"pacticipantName": "shop", "pacticipantVersionNumber": "1", "branch": "main"}
    return {**told, "contracts": [{**contract, "contentType": "application/json"}], **members}


REFUSED: Mapping[str, tuple[str, str, Any, str, int]] = {
    "a publication without a version": (
        "POST",
        "/contracts/publish",
        published(pacticipantVersionNumber=""),
        "",
        400,
    ),
    "a pact that is no JSON": ("POST", "/contracts/publish", published("bm8="), "", 400),
    "a pact that is no Base64": ("POST", "/contracts/publish", published("?"), "", 400),
    "an empty branch": (
        "POST",
        "/pacts/provider/ledger/for-verification",
        {"includePendingStatus": True, "providerVersionBranch": " "},
        "",
        400,
    ),
    "a tag": (
        "POST",
        "/pacts/provider/ledger/for-verification",
        {"consumerVersionSelectors": [{"tag": "prod"}]},
        "",
        501,
    ),
    "an unknown provider": ("POST", "/pacts/provider/nobody/for-verification", {}, "", 404),
    "an unknown pacticipant": ("GET", "/matrix", None, "q[][pacticipant]=nobody", 400),
    "an unknown environment": ("GET", "/matrix", None, "q[][pacticipant]=shop&environment=moon", 400),
    "no selector": ("GET", "/matrix", None, "", 400),
    "an option that is left out": (
        "GET",
        "/matrix",
        None,
        "q[][pacticipant]=shop&ignore[][pacticipant]=x",
        501,
    ),
    "can-i-deploy of nothing": ("GET", "/can-i-deploy", None, "", 400),
    "a pact that nobody published": (
        "GET",
        "/pacts/provider/ledger/consumer/shop/pact-version/0",
        None,
        "",
        404,
    ),
    "a version that nobody published": ("GET", "/pacticipants/shop/versions/9", None, "", 404),
    "a taken name": ("POST", "/environments", {"name": "test"}, "", 400),
    "another method": ("DELETE", "/environments", None, "", 404),
}


@pytest.mark.parametrize(("method", "path", "body", "query", "status"), REFUSED.values(), ids=REFUSED)
def test_the_stand_in_refuses_what_a_broker_refuses(
    method: str, path: str, body: Any, query: str, status: int
) -> None:
    assert asked(remembered((pact("1"), "main")), method, path, body, query).status == status


def test_what_is_deployed_is_told_per_environment() -> None:
    memory = remembered((pact("1"), "main"))
    links = asked(memory, "GET", "/pacticipants/shop/versions/1").document["_links"]["pb:record-deployment"]
    assert [one["name"] for one in links] == ["test", "production"]
    assert asked(memory, "POST", links[1]["href"].removeprefix(BASE), {}).status == 201
    environments = asked(memory, "GET", "/environments").document["_embedded"]["environments"]
    told = [
        [
            one["_embedded"]["version"]["number"]
            for one in asked(
                memory,
                "GET",
                environment["_links"]["pb:currently-deployed-deployed-versions"]["href"].removeprefix(BASE),
            ).document["_embedded"]["deployedVersions"]
        ]
        for environment in environments
    ]
    assert told == [[], ["1"]]
    query = "pacticipant=shop&version=1&environment=production"
    assert asked(memory, "GET", "/can-i-deploy", query=query).document["summary"]["deployable"] is None


def test_a_deployment_gets_other_ids_and_nobody_notices() -> None:
    def echo(request: Any, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        return 200, {}, request.path.encode() + body

    with (
        serve_answers(echo) as there,
        reverse_proxy(connect_deployment(Deployment("x", there.url)), {"old": "new"}) as before,
    ):
        door = connect_deployment(Deployment("y", before))
        assert door.send("POST", "/v1/old-1?id=old", b"an old one").content == b"/v1/old-1?id=oldan old one"
        door.close()
        ((_, path, _, body),) = there.requests
    assert (path, body) == ("/v1/new-1?id=new", b"an new one")
