"""What is written down of an interface is what the reference services route and answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from fixtures.contracts.api_docs.examples import request_examples
from fixtures.contracts.api_docs.interfaces import BATCHES, INTERFACES, PROBLEM, STATES, Endpoint
from fixtures.core import schemas
from fixtures.core.topology import BATCH_LIMIT
from fixtures.services import NAMES, VERSIONS, load
from fixtures.services.http_messages import PROBLEM_TYPE, Reply, Request
from fixtures.services.routing import answer_request
from suites.selfcheck.services.driver import APP, NOW, ServiceUnderTest

METHODS = frozenset({"DELETE", "GET", "PATCH", "POST", "PUT"})
ENDPOINTS = [
    (service, endpoint) for service, interface in INTERFACES.items() for endpoint in interface.endpoints
]
ANSWERED = [(service, e, status) for service, e in ENDPOINTS for status in (e.status, *e.refusals)]
IDS = [f"{service}-{endpoint.name}-{status}" for service, endpoint, status in ANSWERED]

REPORT = "00000000-0000-4001-8000-000000000000"
SUBSCRIBER = "00000000-0000-4003-8000-000000000000"
QUERIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "countCodes": {"firebase_app": (APP,)},
    "showReports": {"id": (REPORT,)},
    "showResponses": {"id": (REPORT,)},
    "showSubscribers": {"id": (SUBSCRIBER,)},
    "showDue": {"at": ("2026-02-01T00:00:00Z",)},
}
# The state in which a service has something to show.
STATE_OF = {
    "showReport": "a report exists",
    "showReports": "a report exists",
    "showResponse": "a response exists",
    "showResponses": "a response exists",
    "countCodes": "a response exists",
    "showSubscribers": "subscribers exist",
    "showPostponement": "a subscriber is postponed",
    "showDue": "a subscriber is postponed",
}


def example_path(endpoint: Endpoint) -> str:
    return endpoint.path.format(report_id=REPORT, subscriber_id=SUBSCRIBER)


def find_example(service: str, schema: str | None, name: str | None = None) -> Any:
    """The first example of a request body, or the one of a name; None if the request has no body."""
    examples = request_examples(service, schema) if schema else []
    return next((value for state, _, value in examples if name in (None, state)), None)


def succeed(provider: ServiceUnderTest, service: str, endpoint: Endpoint) -> Reply:
    """Send a request that is answered with success."""
    if state := STATE_OF.get(endpoint.name):
        assert (
            provider.answer(
                "POST", "/_pact/provider-states", find_example(service, STATES + "change", state)
            ).status
            == 200
        )
    body, query = find_example(service, endpoint.body), QUERIES.get(endpoint.name, {})
    return provider.answer(endpoint.method, example_path(endpoint), body, **query)


def send_broken_body(provider: ServiceUnderTest, _service: str, endpoint: Endpoint) -> Reply:
    """Send a broken body, and no query."""
    return provider.answer(endpoint.method, example_path(endpoint), b"{")


def request_missing(provider: ServiceUnderTest, _service: str, endpoint: Endpoint) -> Reply:
    return provider.answer(endpoint.method, example_path(endpoint))


def send_too_much(provider: ServiceUnderTest, service: str, endpoint: Endpoint) -> Reply:
    """Send the example with too many entries."""
    body = find_example(service, endpoint.body) or {}
    many = {name: value * 10_001 if isinstance(value, list) else value for name, value in body.items()}
    return provider.answer(endpoint.method, example_path(endpoint), many)


def request_when_full(provider: ServiceUnderTest, service: str, endpoint: Endpoint) -> Reply:
    """Send a request to a service whose queue is full, if it has one."""
    if hasattr(provider.service, "most_waiting"):
        provider.service = replace(provider.service, most_waiting=0)
    return succeed(provider, service, endpoint)


REQUESTS: Mapping[int, Callable[[ServiceUnderTest, str, Endpoint], Reply]] = {
    400: send_broken_body,
    404: request_missing,
    413: send_too_much,
    503: request_when_full,
}


def test_every_service_has_an_interface() -> None:
    assert set(INTERFACES) == set(NAMES)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("service", INTERFACES)
def test_every_route_is_written_down_and_no_other(service: str, version: str) -> None:
    core = load(service, version)
    routes = core.all_routes
    routed = {(method, path) for path, methods in routes.items() for method in methods}
    written = {(e.method, e.path.partition("{")[0]) for e in INTERFACES[service].endpoints}
    assert written == routed


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("service", INTERFACES)
def test_every_state_is_written_down_and_no_other(service: str, version: str) -> None:
    assert set(INTERFACES[service].states) == set(load(service, version).states())


@pytest.mark.parametrize(("service", "endpoint", "status"), ANSWERED, ids=IDS)
def test_an_answer_that_is_written_down_is_given(service: str, endpoint: Endpoint, status: int) -> None:
    reply = REQUESTS.get(status, succeed)(ServiceUnderTest(service), service, endpoint)
    assert reply.status == status
    schema = endpoint.answer if status == endpoint.status else PROBLEM
    assert (reply.content_type == PROBLEM_TYPE) == (schema == PROBLEM)
    assert (reply.body is None) == (schema is None)
    assert schema is None or schemas.is_valid(reply.body, schema)


@pytest.mark.parametrize(
    ("service", "endpoint"), ENDPOINTS, ids=[f"{service}-{endpoint.name}" for service, endpoint in ENDPOINTS]
)
def test_no_answer_is_given_that_is_not_written_down(service: str, endpoint: Endpoint) -> None:
    statuses = {
        send(ServiceUnderTest(service), service, endpoint).status for send in (succeed, *REQUESTS.values())
    }
    assert statuses == {endpoint.status, *endpoint.refusals}


@pytest.mark.parametrize("service", INTERFACES)
def test_what_is_not_written_down_is_refused(service: str) -> None:
    provider = ServiceUnderTest(service)
    methods: dict[str, set[str]] = {}
    for endpoint in INTERFACES[service].endpoints:
        methods.setdefault(example_path(endpoint), set()).add(endpoint.method)
    for path, allowed in methods.items():
        for method in METHODS - allowed:
            reply = provider.answer(method, path)
            assert (reply.status, set(reply.allow)) == (405, allowed)
            assert schemas.is_valid(reply.body, PROBLEM)
    assert provider.answer("GET", "/v1/nothing").status == 404


@pytest.mark.parametrize(
    ("service", "endpoint"),
    [(service, endpoint) for service, endpoint in ENDPOINTS if endpoint.body],
    ids=[f"{service}-{endpoint.name}" for service, endpoint in ENDPOINTS if endpoint.body],
)
def test_examples_are_valid_and_taken(service: str, endpoint: Endpoint) -> None:
    for name, _, value in request_examples(service, str(endpoint.body)):
        assert schemas.is_valid(value, str(endpoint.body)), name
        reply = ServiceUnderTest(service).answer(endpoint.method, example_path(endpoint), value)
        assert reply.status == endpoint.status, name
        assert not (reply.body or {}).get("rejected"), name


def test_a_failure_is_told_as_a_problem() -> None:
    broken: Any = None
    request = Request("POST", "/v1/responses", {}, json.dumps({"responses": []}).encode(), NOW)
    reply = answer_request(load("directory-responses", "after"), request, broken)
    assert (reply.status, reply.content_type) == (500, PROBLEM_TYPE)
    assert schemas.is_valid(reply.body, PROBLEM)


@pytest.mark.parametrize("name", ["sent", "forwarded", "responses", "errors"])
def test_a_batch_has_as_many_entries_as_the_schemas_say(name: str) -> None:
    batch = schemas.load_schemas()[BATCHES.partition("#")[0]]["$defs"][name]
    assert [member["maxItems"] for member in batch["properties"].values() if "maxItems" in member] == [
        BATCH_LIMIT
    ]
