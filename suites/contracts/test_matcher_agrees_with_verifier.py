"""The in-process matcher and Pact's official Verifier judge the same wrong and right bodies alike."""

import contextlib
import copy
import json
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from fixtures.contracts.pact.matcher import find_interaction, make_matcher
from fixtures.contracts.pact.model import GENERAL_INTERACTIONS
from fixtures.contracts.pact.verification import VerifierProcess, verify_pact
from fixtures.core.topology import PROVIDERS
from suites.selfcheck.http_double import HttpAnswer, serve_answers

REPLACEMENTS: list[Any] = [None, 7, 1.5, True, "", "word", "2026-01-05T12:00:00Z", [], {}]
# About so many mutations per interaction: enough to break its rules, few enough for the slow Verifier.
MUTATIONS = 6

# By name, an interaction and a body to compare with it.
Examples = dict[str, tuple[Mapping[str, Any], Any]]


def walk_paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all values inside a JSON value."""
    if isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from walk_paths(member, (*path, key))


def mutate(body: Any) -> Iterator[tuple[str, Any]]:
    """The body itself, and the body with one value dropped or replaced."""
    yield "as declared", body
    for path in walk_paths(body):
        for name, change in (
            ("dropped", None),
            *((f"is {json.dumps(value)}", value) for value in REPLACEMENTS),
        ):
            mutated = copy.deepcopy(body)
            parent = mutated
            for key in path[:-1]:
                parent = parent[key]
            if name == "dropped":
                del parent[path[-1]]
            else:
                parent[path[-1]] = change
            yield f"{'.'.join(map(str, path))} {name}", mutated


def select_examples() -> Examples:
    """Some mutations of the bodies of all six general interactions."""
    examples: Examples = {}
    for kind, descriptions in GENERAL_INTERACTIONS.items():
        for provider in PROVIDERS:
            interaction = find_interaction(provider, "after", descriptions[provider])
            bodies = list(mutate(interaction["response"]["body"]["content"]))
            first = len(examples) % MUTATIONS + 1
            for name, body in [bodies[0], *bodies[first :: len(bodies) // MUTATIONS]]:
                examples[f"{provider} {kind}: {name}"] = interaction, body
    return examples


@contextlib.contextmanager
def serve_bodies(bodies: list[str], statuses: list[int]) -> Iterator[str]:
    """A server that answers GET /N with the body and status of that number."""

    def answer(request: BaseHTTPRequestHandler, _body: bytes) -> HttpAnswer:
        number = int(request.path[1:])
        return statuses[number], {"Content-Type": "application/json; charset=utf-8"}, bodies[number].encode()

    with serve_answers(answer) as server:
        yield server.url


def pact_of(examples: Examples) -> str:
    """A pact that asks for each body by its number, and expects what the interaction expects."""
    interactions = [
        {
            "type": "Synchronous/HTTP",
            "description": name,
            "request": {"method": "GET", "path": f"/{number}"},
            "response": interaction["response"],
        }
        for number, (name, (interaction, _)) in enumerate(examples.items())
    ]
    pact = {"consumer": {"name": "suite"}, "provider": {"name": "stub"}, "interactions": interactions}
    return json.dumps({**pact, "metadata": {"pactSpecification": {"version": "4.0"}}})


def test_both_judge_alike(verifier: VerifierProcess) -> None:
    examples = select_examples()
    bodies = [json.dumps(body) for _, body in examples.values()]
    statuses = [interaction["response"]["status"] for interaction, _ in examples.values()]
    with serve_bodies(bodies, statuses) as url:
        official = verify_pact(verifier, pact_of(examples), url, states=False)
    by_matcher = {
        (name, mismatch)
        for (name, (interaction, _)), text, status in zip(examples.items(), bodies, statuses, strict=True)
        for mismatch in make_matcher(interaction).check(text, "application/json", status)
    }
    by_verifier = {
        (problem.interaction, f"{problem.path}: {problem.mismatch}") for problem in official.problems
    }
    assert by_matcher == by_verifier
    assert 40 <= len(examples) <= 60
    # Neither agrees with everything, nor with nothing.
    assert len(examples) // 4 < len(official.failed) < len(examples)


def test_both_refuse_a_wrong_status(verifier: VerifierProcess) -> None:
    interaction = find_interaction("directory-events-api", "after", "a look at a known report")
    body = interaction["response"]["body"]["content"]
    with serve_bodies([json.dumps(body)], [201]) as url:
        official = verify_pact(verifier, pact_of({"wrong": (interaction, body)}), url, states=False)
    assert official.failed == {"wrong"}
    assert make_matcher(interaction).check(json.dumps(body), "application/json", 201) == [
        "status: expected 200, got 201"
    ]
