"""The in-process matcher and Pact's official Verifier judge the same wrong and right bodies alike."""

import contextlib
import copy
import json
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from fixtures.contracts import Contract
from fixtures.contracts.pact.matcher import KINDS, make_matcher
from fixtures.contracts.pact.verification import verify_pact
from fixtures.core.topology import PROVIDERS

INSTEAD: list[Any] = [None, 7, 1.5, True, "", "word", "2026-01-05T12:00:00Z", [], {}]
EVERY = 6
"""Mutations per interaction, about: enough to meet its rules, few enough for the Verifier."""

Judged = dict[str, tuple[Mapping[str, Any], Any]]


def paths(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value below its top."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, held in members:
        yield (*at, key)
        yield from paths(held, (*at, key))


def mutations(body: Any) -> Iterator[tuple[str, Any]]:
    """The body itself, and the body with one place dropped, doubled or replaced."""
    yield "as declared", body
    for path in paths(body):
        for name, change in (("dropped", None), *((f"is {json.dumps(one)}", one) for one in INSTEAD)):
            mutated = copy.deepcopy(body)
            parent = mutated
            for key in path[:-1]:
                parent = parent[key]
            if name == "dropped":
                del parent[path[-1]]
            else:
                parent[path[-1]] = change
            yield f"{'.'.join(map(str, path))} {name}", mutated


def judged() -> Judged:
    """By name, an interaction and the body to judge by it: some mutations of all six interactions."""
    found: Judged = {}
    for kind, descriptions in KINDS.items():
        for provider in PROVIDERS:
            interaction = Contract.load(provider, "after").interaction(descriptions[provider])
            every = list(mutations(interaction["response"]["body"]["content"]))
            for name, body in [every[0], *every[len(found) % EVERY + 1 :: len(every) // EVERY]]:
                found[f"{provider} {kind}: {name}"] = interaction, body
    return found


@contextlib.contextmanager
def stub(bodies: list[str], statuses: list[int]) -> Iterator[str]:
    """A server that answers GET /N with the body and status of that number."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = int(self.path[1:])
            content = bodies[number].encode()
            self.send_response(statuses[number])
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def pact_of(cases: Judged) -> str:
    """A pact that asks for each body by its number, and expects what the interaction expects."""
    interactions = [
        {
            "type": "Synchronous/HTTP",
            "description": name,
            "request": {"method": "GET", "path": f"/{number}"},
            "response": interaction["response"],
        }
        for number, (name, (interaction, _)) in enumerate(cases.items())
    ]
    pact = {"consumer": {"name": "suite"}, "provider": {"name": "stub"}, "interactions": interactions}
    return json.dumps({**pact, "metadata": {"pactSpecification": {"version": "4.0"}}})


def test_both_judge_alike() -> None:
    cases = judged()
    bodies = [json.dumps(body) for _, body in cases.values()]
    statuses = [interaction["response"]["status"] for interaction, _ in cases.values()]
    with stub(bodies, statuses) as url:
        official = verify_pact(pact_of(cases), url, states=False)
    ours = {
        name: {(name, mismatch) for mismatch in make_matcher(interaction)(text, "application/json", status)}
        for (name, (interaction, _)), text, status in zip(cases.items(), bodies, statuses, strict=True)
    }
    theirs = {(one.interaction, f"{one.path}: {one.mismatch}") for one in official.problems}
    assert set().union(*ours.values()) == theirs
    assert 40 <= len(cases) <= 60
    # Neither agrees with everything, nor with nothing.
    assert len(cases) // 4 < len(official.failed) < len(cases)


def test_both_refuse_a_wrong_status() -> None:
    interaction = Contract.load("directory-events-api", "after").interaction("a look at a known report")
    body = interaction["response"]["body"]["content"]
    with stub([json.dumps(body)], [201]) as url:
        official = verify_pact(pact_of({"wrong": (interaction, body)}), url, states=False)
    assert official.failed == {"wrong"}
    assert make_matcher(interaction)(json.dumps(body), "application/json", 201) == [
        "status: expected 200, got 201"
    ]
