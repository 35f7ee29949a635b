"""The stub of the Pact Broker answers as a broker does."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from suites.selfcheck.contracts.stub_broker.routes import make_application
from suites.selfcheck.contracts.stub_broker.storage import BrokerStore, StoredPact

BASE = "http://broker.example"


class StubReply(NamedTuple):
    """The status and the document of an answer."""

    status: int
    document: Any


def pact(version: str, *descriptions: str, consumer: str = "shop") -> StoredPact:
    """A pact with the ledger."""
    interactions = [{"description": text} for text in descriptions or ("an entry",)]
    content = {"consumer": {"name": consumer}, "provider": {"name": "ledger"}, "interactions": interactions}
    return StoredPact(consumer, version, "ledger", content)


def store_with(*pacts: tuple[StoredPact, str]) -> BrokerStore:
    """A store with pacts, each on a branch."""
    store = BrokerStore()
    for stored, branch in pacts:
        store.publish(stored, branch)
    return store


def request(store: BrokerStore, method: str, path: str, body: Any = None, query: str = "") -> StubReply:
    client = make_application(store).test_client()
    response = client.open(path, BASE, method=method, json=body, query_string=query)
    return StubReply(response.status_code, response.json)


def select(store: BrokerStore, *selectors: Mapping[str, Any], branch: str = "main") -> list[tuple[str, Any]]:
    """The versions of the pacts that selectors match, and whether these are pending."""
    body = {
        "consumerVersionSelectors": list(selectors),
        "providerVersionBranch": branch,
        "includePendingStatus": True,
    }
    reply = request(store, "POST", "/pacts/provider/ledger/for-verification", body)
    assert reply.status == 200
    return [
        (row["shortDescription"].removeprefix("consumer version "), row["verificationProperties"]["pending"])
        for row in reply.document["_embedded"]["pacts"]
    ]


def test_selectors_choose_the_latest_of_a_branch_and_all_that_is_deployed() -> None:
    store = store_with((pact("1", "a"), "main"), (pact("2", "b"), "main"), (pact("3", "c"), "feature"))
    assert select(store) == [("3", True)]
    assert select(store, {"mainBranch": True}) == [("2", True)]
    assert select(store, {"branch": "feature"}, {"mainBranch": True}) == [("3", True), ("2", True)]
    assert select(store, {"matchingBranch": True}, branch="feature") == [("3", True)]
    assert select(store, {"branch": "gone"}) == select(store, {"deployedOrReleased": True}) == []
    store.deploy("shop", "1", "test")
    store.deploy("shop", "3", "production")
    assert select(store, {"deployedOrReleased": True}) == [("1", True), ("3", True)]
    assert select(store, {"deployed": True, "environment": "test"}) == [("1", True)]
    store.deploy("shop", "2", "test")
    assert select(store, {"deployed": True, "environment": "test"}) == [("2", True)]
    assert select(store, {"mainBranch": True, "consumer": "unknown"}) == []


def test_a_pact_is_pending_until_a_version_on_the_branch_has_honoured_its_content() -> None:
    store = store_with((pact("1"), "main"), (pact("2"), "main"))
    first = store.pacts[0]
    store.ensure_version("ledger", "5", "main")
    store.add_result(first, "5", success=False)
    assert select(store) == [("2", True)]
    store.add_result(first, "5", success=True)
    assert select(store) == [("2", False)]
    assert select(store, branch="other") == [("2", True)]


def ask_matrix(store: BrokerStore, query: str) -> tuple[Any, list[Any]]:
    """The answer of the matrix, and the results of its rows."""
    reply = request(store, "GET", "/matrix", query=query)
    rows = [
        row["verificationResult"] and row["verificationResult"]["success"] for row in reply.document["matrix"]
    ]
    return reply.document["summary"]["deployable"], rows


def test_the_matrix_says_yes_no_and_unknown_as_the_broker_does() -> None:
    store = store_with((pact("1"), "main"), (pact("2", "b"), "main"))
    (first, second) = store.pacts
    shop_2 = "q[][pacticipant]=shop&q[][version]=2"
    both = f"{shop_2}&q[][pacticipant]=ledger&q[][version]=5"
    assert ask_matrix(store, both) == (False, [None])  # that version of the ledger is not published
    store.add_result(first, "5", success=True)
    assert ask_matrix(store, both) == (None, [None])
    store.add_result(second, "5", success=False)
    assert ask_matrix(store, both) == (False, [False])
    store.add_result(second, "5", success=True)
    assert ask_matrix(store, both) == (True, [True])
    assert ask_matrix(store, f"{shop_2}&environment=production") == (None, [None])  # nothing is there
    store.deploy("ledger", "5", "production")
    assert ask_matrix(store, f"{shop_2}&environment=production&latestby=cvpv") == (True, [True])
    ledger_5 = "q[][pacticipant]=ledger&q[][version]=5&environment=production"
    assert ask_matrix(store, ledger_5) == (True, [])  # a version without pacts may always be deployed


def publication(content: str = "e30=", **members: Any) -> dict[str, Any]:
    """A publication, as in publish-contracts.markdown of the broker."""
    contract = {"consumerName": "shop", "providerName": "ledger", "specification": "pact", "content": content}
    version = {"pacticipantName": "shop", "pacticipantVersionNumber": "1", "branch": "main"}
    return {**version, "contracts": [{**contract, "contentType": "application/json"}], **members}


REFUSED: Mapping[str, tuple[str, str, Any, str, int]] = {
    "a publication without a version": (
        "POST",
        "/contracts/publish",
        publication(pacticipantVersionNumber=""),
        "",
        400,
    ),
    "a pact that is no JSON": ("POST", "/contracts/publish", publication("bm8="), "", 400),
    "a pact that is no Base64": ("POST", "/contracts/publish", publication("?"), "", 400),
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
    "an unknown provider": ("POST", "/pacts/provider/unknown/for-verification", {}, "", 404),
    "an unknown pacticipant": ("GET", "/matrix", None, "q[][pacticipant]=unknown", 400),
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
    "an unpublished pact": (
        "GET",
        "/pacts/provider/ledger/consumer/shop/pact-version/0",
        None,
        "",
        404,
    ),
    "an unpublished version": ("GET", "/pacticipants/shop/versions/9", None, "", 404),
    "a taken name": ("POST", "/environments", {"name": "test"}, "", 400),
    "another method": ("DELETE", "/environments", None, "", 404),
}


@pytest.mark.parametrize(("method", "path", "body", "query", "status"), REFUSED.values(), ids=REFUSED)
def test_the_stub_refuses_what_a_broker_refuses(
    method: str, path: str, body: Any, query: str, status: int
) -> None:
    assert request(store_with((pact("1"), "main")), method, path, body, query).status == status


def test_what_is_deployed_is_told_per_environment() -> None:
    store = store_with((pact("1"), "main"))
    links = request(store, "GET", "/pacticipants/shop/versions/1").document["_links"]["pb:record-deployment"]
    assert [link["name"] for link in links] == ["test", "production"]
    assert request(store, "POST", links[1]["href"].removeprefix(BASE), {}).status == 201
    environments = request(store, "GET", "/environments").document["_embedded"]["environments"]
    deployed = []
    for environment in environments:
        href = environment["_links"]["pb:currently-deployed-deployed-versions"]["href"].removeprefix(BASE)
        versions = request(store, "GET", href).document["_embedded"]["deployedVersions"]
        deployed.append([version["_embedded"]["version"]["number"] for version in versions])
    assert deployed == [[], ["1"]]
    query = "pacticipant=shop&version=1&environment=production"
    assert request(store, "GET", "/can-i-deploy", query=query).document["summary"]["deployable"] is None
